"""What a database contains, as values: views, their columns, indexes and grants."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, says

from .sync_state import SyncState

#: The length of a fingerprint.
_HASH = 16


@dataclass(frozen=True)
class Column:
    """A column: its type with modifiers, and its collation unless that is the default."""

    name: str
    type: str
    collation: str = ""


@dataclass(frozen=True)
class InstalledIndex:
    """An index on a materialised view; ``tail`` is its definition from USING on.

    Attributes:
        tablespace: where it is stored; "" for the database's own tablespace.
    """

    name: str
    unique: bool
    tail: str
    allows_concurrent_refresh: bool = False
    tablespace: str = ""

    def without_unrecorded(self, options: Collection[str]) -> InstalledIndex:
        """Return the index without its tablespace, unless it is one of the options that a sync has set."""
        return self if tablespace_of(self.name) in options else replace(self, tablespace="")


def tablespace_of(index: str) -> str:
    """Return what a sync state has among the options if a sync has chosen the tablespace of an index."""
    return f"tablespace of {index}"


@dataclass(frozen=True)
class Grant:
    """A privilege on a view. ``role`` is "" for PUBLIC."""

    role: str
    privilege: str
    grantable: bool = False


class Shadow(NamedTuple):
    """A name that the search path finds elsewhere than what a view has stored under it.

    Attributes:
        kind: "relation", "function" or "type".
        stored: what the view has.
        schema: the first schema of the path that has the name; None when none has it.
    """

    kind: str
    stored: ViewName
    schema: str | None


@dataclass(frozen=True)
class InstalledView:
    """A relation of the database, as it is now.

    Attributes:
        kind: None when it is neither a view nor a materialised view.
        relation: the kind of relation, in words.
        is_ours_to_change: whether the role of the connection owns it, or is a member of its owner.
        is_trusted: whether it is permanent and we trust its owner. Otherwise its sync state is not believed.
        rule: a hash of its SELECT as PostgreSQL stores it, and of the names that the SELECT refers to; None
            while another session holds an ACCESS EXCLUSIVE lock (a refresh).
        definition: PostgreSQL's text of it; None when it was not read.
        text: its comment without the sync state.
        state: its sync state; None when no sync has recorded it, or when that is not believed.
        reads: the relations that it reads.
        read_by: the relations that read it.
        rows: the planner's estimate, for a materialised view that was analysed.
        sources: a hash of the columns of what it reads, if its sync state has one or if it was requested.
        size: bytes on disk; None while another session holds an ACCESS EXCLUSIVE lock.
        server: the major version of the server; 0 when it was not read.
        shadows: what it reads that the search path finds elsewhere, whether its SQL names the schema or not.
    """

    oid: int
    name: ViewName
    kind: ViewKind | None
    relation: Sentence
    owner: str
    is_ours_to_change: bool = True
    is_trusted: bool = True
    rule: str | None = None
    definition: str | None = None
    text: str = ""
    state: SyncState | None = None
    options: tuple[tuple[str, str], ...] = ()
    populated: bool = True
    rows: int | None = None
    size: int | None = None
    column_comments: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[InstalledIndex, ...] = ()
    grants: frozenset[Grant] = frozenset()
    sources: str | None = None
    reads: frozenset[ViewName] = frozenset()
    read_by: frozenset[ViewName] = frozenset()
    server: int = 0
    shadows: tuple[Shadow, ...] = ()

    @property
    def fingerprint(self) -> str | None:
        """A hash of what PostgreSQL stores of it, without what was added by hand; None when unknown."""
        if self.rule is None or self.kind is None:
            return None
        indexes, options = (self.state.indexes, self.state.options) if self.state else ((), ())
        return stored_fingerprint(
            self.kind,
            self.rule,
            [option for option in self.options if option[0] in options],
            [index.without_unrecorded(options) for index in self.indexes if index.name in indexes],
        )

    @property
    def as_found(self) -> tuple[object, ...]:
        """Everything about it that somebody may have set by hand, but nothing about its rows."""
        columns = sorted(self.column_comments.items())
        others = [self.relation, self.owner, self.rule, self.options, self.text, columns, self.indexes]
        return (self.oid, *others, sorted(map(repr, self.grants)))

    @property
    def is_as_recorded(self) -> bool:
        """Whether it is as its sync state says. A refresh, which hides that, changes nothing of it."""
        fingerprint = self.fingerprint
        return self.state is None or fingerprint is None or self.state.installed.startswith(fingerprint)

    @property
    def restored(self) -> Sentence:
        """Where it was restored from since its sync state was written, in words; "" when it was not."""
        origin = self.state.installed[_HASH:] if self.state else ""
        if origin in ("", _origin(self.oid, self.server)):
            return NOTHING
        if origin[:2] == f"{self.server:02d}":
            return says("restored from a dump")
        version = origin[:2].lstrip("0")
        if origin[2:] == _origin(self.oid, self.server)[2:]:
            return says("upgraded from PostgreSQL %(version)s", version=version)
        return says("restored from a dump of PostgreSQL %(version)s", version=version)

    @property
    def is_temporary(self) -> bool:
        """Whether it belongs to one session, with which it ends. PostgreSQL reserves the schema's name."""
        return self.name.schema.startswith("pg_temp_")

    @property
    def usual_seconds(self) -> float | None:
        """How many seconds computing the rows took the last time; None when that is unknown."""
        return self.state.seconds if self.state else None

    @property
    def readers(self) -> frozenset[str]:
        """The roles that have SELECT."""
        return frozenset(g.role for g in self.grants if g.privilege == "SELECT")

    @property
    def can_refresh_concurrently(self) -> bool:
        """Whether PostgreSQL can refresh it without locking readers out."""
        return self.populated and any(index.allows_concurrent_refresh for index in self.indexes)


class StoredView(NamedTuple):
    """What PostgreSQL stores of a new view; the attributes are those of :class:`InstalledView`."""

    oid: int
    server: int
    kind: ViewKind
    rule: str
    options: tuple[tuple[str, str], ...] = ()
    indexes: tuple[InstalledIndex, ...] = ()
    sources: str | None = None


def stored_fingerprint(
    kind: ViewKind,
    rule: str,
    options: Iterable[tuple[str, str]],
    indexes: Iterable[InstalledIndex],
) -> str:
    """Return a hash of what PostgreSQL stores of a view.

    Args:
        rule: the hash of its SELECT.
        options: the options that its class or its SQL sets.
        indexes: the indexes that its class declares.
    """
    described = [(i.name, i.unique, i.tail, *([i.tablespace] if i.tablespace else [])) for i in indexes]
    stored = [kind.value, rule, repr(sorted(options)), repr(sorted(described))]
    return hashlib.sha256("\0".join(stored).encode()).hexdigest()[:_HASH]


def recorded_fingerprint(fingerprint: str, oid: int, server: int) -> str:
    """Return what a sync state records of a view: its fingerprint, and which relation of which server has it.

    A dump gives a view another oid, and an upgrade another server, and both may store it differently. So a
    fingerprint that differs tells a change by hand only of the same relation.
    """
    return fingerprint + _origin(oid, server)


def _origin(oid: int, server: int) -> str:
    return f"{server:02d}{oid % 0x10000:04x}"


@dataclass(frozen=True)
class Session:
    """What the role of the connection and the server allow.

    Attributes:
        role: the role's name.
        creates_schemas: whether the role has CREATE on the database.
        read_only: why the database cannot be written, in words; "" when it can.
        lock_slots: the size of the server's lock table, in locks.
        locks_held: how many locks other sessions hold.
        locks_per_transaction: ``max_locks_per_transaction``.
        now: the time by the database's clock; None when it was not read.
    """

    role: str = ""
    creates_schemas: bool = True
    read_only: str = ""
    lock_slots: int = 6400
    locks_held: int = 0
    locks_per_transaction: int = 64
    now: dt.datetime | None = None


@dataclass(frozen=True)
class Catalog:
    """What a sync needs to know of one database.

    Attributes:
        relations: all relations in the views' schemas, and those with a sync state in other schemas.
        trusted: the oids of the roles whose sync states are believed.
        schemas: those of the views' schemas that exist.
        roles: those of the requested roles that exist.
        schema_usage: the roles that have USAGE, by schema.
        search_path: the schemas in which unqualified names are looked up, also those that do not exist yet.
        writable: the schemas in which the role may create objects; None when that was not read.
        broken: the views that cannot be read. PostgreSQL lets no view break.
    """

    relations: Mapping[ViewName, InstalledView]
    trusted: tuple[int, ...] = ()
    schemas: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    schema_usage: Mapping[str, frozenset[str]] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    writable: frozenset[str] | None = None
    broken: frozenset[ViewName] = frozenset()
    session: Session = field(default_factory=Session)


def why_not_concurrently(view: InstalledView) -> Sentence:
    """Return why readers have to wait while a materialised view is refreshed; "" when they need not."""
    return why_not(view.populated, view.can_refresh_concurrently)


def why_not(populated: bool, has_key: bool) -> Sentence:
    """Return why PostgreSQL cannot refresh a materialised view concurrently; "" when it can.

    Args:
        populated: whether it has rows.
        has_key: whether it has a unique index on plain columns.
    """
    if not populated:
        return says("it has no rows yet, so there is nothing to go on reading")
    if not has_key:
        return says("it has no unique index on plain columns; set pk_field on its class")
    return NOTHING
