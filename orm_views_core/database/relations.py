"""What a database has, as values: views, their columns, indexes and grants. Read by ``catalog``."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.names import ViewKind, ViewName

from .sync_state import SyncState


@dataclass(frozen=True)
class Column:
    """A column as PostgreSQL describes it: the type with its modifiers, the collation if not the default."""

    name: str
    type: str
    collation: str = ""


@dataclass(frozen=True)
class InstalledIndex:
    """An index on a materialised view; ``tail`` is its definition from USING on."""

    name: str
    unique: bool
    tail: str
    allows_concurrent_refresh: bool = False


@dataclass(frozen=True)
class Grant:
    """A privilege on a view. ``role`` is "" for PUBLIC."""

    role: str
    privilege: str
    grantable: bool = False


@dataclass(frozen=True)
class InstalledView:
    """A relation of the database, as it is now.

    Attributes:
        kind: None for what is neither a view nor a materialised one.
        relation: what kind of relation it is, in words.
        is_ours_to_change: whether the role that we connect as owns it, or is a member of the role that does.
        rule: a hash of its SELECT as PostgreSQL stores it, and of the names of what that refers to; None
            while somebody holds the view exclusively (to refresh it).
        definition: PostgreSQL's own text of it; None where it was not asked for.
        text: the comment without the sync state.
        reads: the relations that it reads.
        read_by: the relations that read it.
        rows: the planner's last count, for a materialised view that was analysed.
        sources: a hash of the columns of what it reads, where its sync state has one or it was asked for.
        size: bytes on disk, None while it is held exclusively.
    """

    oid: int
    name: ViewName
    kind: ViewKind | None
    relation: str
    owner: str
    is_ours_to_change: bool = True
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

    @property
    def fingerprint(self) -> str | None:
        """A hash of what PostgreSQL stores of it, what was added by hand left out; None when unknown."""
        if self.rule is None or self.kind is None:
            return None
        indexes, options = (self.state.indexes, self.state.options) if self.state else ((), ())
        return stored_fingerprint(
            self.kind,
            self.rule,
            [option for option in self.options if option[0] in options],
            [index for index in self.indexes if index.name in indexes],
        )

    @property
    def usual_seconds(self) -> float | None:
        """How many seconds computing the rows took the last time; None when that is unknown."""
        return self.state.seconds if self.state else None

    @property
    def readers(self) -> frozenset[str]:
        """The roles that may SELECT from it."""
        return frozenset(g.role for g in self.grants if g.privilege == "SELECT")

    @property
    def can_refresh_concurrently(self) -> bool:
        """Whether PostgreSQL would refresh it without locking readers out."""
        return self.populated and any(index.allows_concurrent_refresh for index in self.indexes)


class StoredView(NamedTuple):
    """What PostgreSQL stores of a view that has just been made; the attributes are InstalledView's."""

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
    """Hash what PostgreSQL stores of a view.

    Args:
        rule: the hash of its SELECT.
        options: those that its class or its SQL set.
        indexes: those that its class declares.
    """
    # A materialised view's options are storage parameters, which a class does not speak of.
    said = sorted(options) if kind is ViewKind.VIEW else []
    stored = [kind.value, rule, repr(said), repr(sorted((i.name, i.unique, i.tail) for i in indexes))]
    return hashlib.sha256("\0".join(stored).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Session:
    """What the role that we connect as, and the server, allow.

    Attributes:
        role: its name.
        creates_schemas: whether it has CREATE on the database.
        read_only: why nothing can be written, in words; "" when it can.
        lock_slots: how many locks the server has room for.
        locks_held: how many of them are taken by others.
        locks_per_transaction: ``max_locks_per_transaction``.
        now: the time, by the database's clock; None where it was not asked.
    """

    role: str = ""
    creates_schemas: bool = True
    read_only: str = ""
    lock_slots: int = 6400
    locks_held: int = 0
    locks_per_transaction: int = 64
    now: dt.datetime | None = None


class Taken(NamedTuple):
    """What has a name already: its kind in words and, for an index, the relation that it is on."""

    what: str
    on: ViewName | None = None


@dataclass(frozen=True)
class Catalog:
    """What a sync needs to know of one database.

    Attributes:
        relations: everything in our schemas, and whatever has our sync state elsewhere.
        schemas: the schemas that exist, of those that views are to be in.
        writable: those of them in which we may create something.
        roles: the roles that exist, of those that are asked for.
        search_path: the schemas in which an unqualified name is looked up; ours also before they exist.
    """

    relations: Mapping[ViewName, InstalledView]
    schemas: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    schema_usage: Mapping[str, frozenset[str]] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    writable: frozenset[str] | None = None
    session: Session = field(default_factory=Session)


def why_not_concurrently(view: InstalledView) -> str:
    """Say why readers have to wait while a materialised view is refreshed; "" when they need not."""
    return why_not(view.populated, view.can_refresh_concurrently)


def why_not(populated: bool, has_key: bool) -> str:
    """Say why readers have to wait while a materialised view is refreshed; "" when they need not."""
    if not populated:
        return "it has no rows yet, so there is nothing to go on reading"
    if not has_key:
        return "it has no unique index on plain columns; set pk_field on its class"
    return ""
