"""One ViewStatus for each view, registered or left over: what every screen and command shows."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .catalog import read_catalog, read_columns, with_definitions
from .catalog_questions import read_sources_of
from .changes import Differences, differences, find_scope
from .compiling import compile_definitions
from .connections import get_connection, view_databases
from .definition import Definitions, ViewDefinition
from .exceptions import (
    CyclicDependencyError,
    DatabaseUnavailableError,
    OrmViewsError,
    UnknownViewError,
    UnsupportedDatabaseError,
)
from .freshness import Freshness, freshness_of, how_stale
from .installed import Catalog, Column, InstalledView
from .locks import limit_lock_waits
from .names import ViewKind, ViewName
from .planning import find_orphans, schemas_of
from .refresh import why_not_concurrently
from .rehearsal import Rehearsal, RehearsedView, rehearse
from .tag import Tag


class State(enum.Enum):
    """How a view stands; the value is the word that people see."""

    SYNCED = "synced"
    STALE = "stale"
    CHANGED = "changed"
    DRIFTED = "drifted"
    MISSING = "missing"
    ORPHANED = "orphaned"
    UNMANAGED = "unmanaged"
    WRONG_KIND = "wrong kind"
    NOT_POPULATED = "not populated"
    INVALID = "invalid"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return self not in {State.SYNCED, State.UNMANAGED}


@dataclass(frozen=True)
class ViewStatus:
    """A view, how it stands, why, and what to do.

    Attributes:
        database: the alias.
        name: its name; None when its class is so wrong that it has none.
        label: ``app_label.ClassName``, or "" when no class declares it.
        kind: as its class says, else as it is installed.
        reason: why it has this state, a sentence.
        advice: what to do, a sentence; "" when nothing.
        definition: what its class says; None when no class does, or when it is invalid.
        installed: what the database has; None when it has nothing.
        freshness: how old its rows are; None for what is no materialised view of a class that is there. Rows
            may be stale in any state: ``State.STALE`` is that of a view with which nothing else is amiss.
    """

    database: str
    name: ViewName | None
    label: str
    kind: ViewKind | None
    state: State
    reason: str
    advice: str = ""
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    differences: Differences | None = None
    freshness: Freshness | None = None

    @property
    def is_stale(self) -> bool:
        """Whether its rows are older than promised, or should be there and are not."""
        return self.freshness is not None and self.freshness.is_stale

    @property
    def can_refresh(self) -> bool:
        """Whether there is something to refresh."""
        registered = self.definition is not None and self.definition.kind is ViewKind.MATERIALISED_VIEW
        return registered and self.installed is not None and self.installed.kind is ViewKind.MATERIALISED_VIEW

    @property
    def why_not_concurrently(self) -> str:
        """Why a refresh would make readers wait; "" when it would not."""
        return why_not_concurrently(self.installed) if self.installed and self.can_refresh else ""


@dataclass(frozen=True)
class DatabaseStatus:
    """The views of one database, or why nothing can be said of them."""

    database: str
    views: tuple[ViewStatus, ...] = ()
    error: OrmViewsError | None = None


@dataclass(frozen=True)
class ViewDetail:
    """All about one view.

    Attributes:
        columns: as the database has them, else as they would be.
        rehearsed: what PostgreSQL would make of its class now; None when it was not tried or was refused.
        not_tried: why it could not be tried, a sentence; "" when it was, or when there is no class.
        reads: every relation that it reads.
        read_by: every relation that reads it.
    """

    status: ViewStatus
    columns: tuple[Column, ...] = ()
    rehearsed: RehearsedView | None = None
    not_tried: str = ""
    reads: tuple[ViewName, ...] = ()
    read_by: tuple[ViewName, ...] = ()


_SYNC = "Sync it."


def get_statuses(databases: Sequence[str] | None = None) -> list[DatabaseStatus]:
    """Return how every view stands, in a number of queries that does not depend on that of the views.

    Args:
        databases: aliases; those with registered views, and the default one, when None.

    Returns:
        one entry for each database; one that does not answer is an entry with an error.
    """
    return [_database_status(alias) for alias in (view_databases() if databases is None else databases)]


def get_detail(database: str, name: ViewName) -> ViewDetail:
    """Return all about one view, having tried its SQL.

    Raises:
        UnknownViewError: when neither a class nor the database has it.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    definitions = compile_definitions(connection)
    with transaction.atomic(using=database):
        catalog = read_catalog(connection, schemas_of(definitions))
        changes = _read_changes(connection, catalog, [name])
        status = next((s for s in _statuses(definitions, catalog, changes) if s.name == name), None)
        if status is None:
            raise UnknownViewError(f"There is no view {name} in database {database!r}.")
        relations = with_definitions(connection, catalog, [name], wait=False).relations
        status = replace(status, installed=relations.get(name))
        rehearsal, not_tried = Rehearsal(), ""
        if status.definition is not None and not (status.differences and status.differences.obstructed_by):
            try:
                rehearsal = _rehearse_alone(connection, status.definition, definitions, catalog)
            except (CyclicDependencyError, DatabaseError) as error:
                # Somebody holds what it reads, or we may not create a schema: the rest can still be told.
                not_tried = f"It could not be tried: {str(error).strip()}"
        rehearsed = rehearsal.views.get(name)
        columns: tuple[Column, ...] = rehearsed.columns if rehearsed else ()
        if status.installed is not None:
            with connection.cursor() as cursor:
                columns = tuple(read_columns(cursor, [status.installed.oid])[status.installed.oid])
    if name in rehearsal.errors:
        status = _invalid(status, rehearsal.errors[name])
    reads = status.installed.reads if status.installed else rehearsed.reads if rehearsed else ()
    read_by = status.installed.read_by if status.installed else ()
    return ViewDetail(status, columns, rehearsed, not_tried, tuple(sorted(reads)), tuple(sorted(read_by)))


def read_tags(database: str, names: Collection[ViewName]) -> dict[ViewName, Tag]:
    """Return what the last sync or refresh wrote down about some views; those without a tag are left out.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    with transaction.atomic(using=database):
        found = read_catalog(connection, [], only=list(names)).relations
    return {name: view.tag for name, view in found.items() if view.tag is not None and name in set(names)}


def _rehearse_alone(
    connection: BaseDatabaseWrapper, definition: ViewDefinition, definitions: Definitions, catalog: Catalog
) -> Rehearsal:
    """Try one view, and with it only those that it reads and that do not exist yet."""
    name = definition.name
    scope = find_scope(definitions.views, catalog, only=[name], force=True)
    views = [definitions.views[n] for n in scope.rehearse if n == name or n not in catalog.relations]
    with transaction.atomic(using=connection.alias):
        limit_lock_waits(connection)
        return rehearse(connection, views, scope.dependencies, {}, catalog.search_path)


def _invalid(status: ViewStatus, error: OrmViewsError) -> ViewStatus:
    return ViewStatus(
        status.database,
        status.name,
        status.label,
        status.kind,
        State.INVALID,
        str(error),
        "Mend its class; until then nothing of this database can be synced.",
        status.definition,
        status.installed,
        status.differences,
    )


def _database_status(alias: str) -> DatabaseStatus:
    try:
        connection = get_connection(alias)
        definitions = compile_definitions(connection)
        with transaction.atomic(using=alias):
            catalog = read_catalog(connection, schemas_of(definitions))
            changes = _read_changes(connection, catalog, definitions.views)
    except (DatabaseUnavailableError, UnsupportedDatabaseError) as error:
        return DatabaseStatus(alias, error=error)
    return DatabaseStatus(alias, tuple(_statuses(definitions, catalog, changes)))


def _read_changes(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Collection[ViewName]
) -> dict[int, int]:
    """Return how many changes have been counted in what some views read, by their oids."""
    views = [catalog.relations[name] for name in names if name in catalog.relations]
    with connection.cursor() as cursor:
        known = [view.oid for view in views if view.tag is not None and view.tag.changes is not None]
        return {oid: sources.changes for oid, sources in read_sources_of(cursor, known).items()}


def _statuses(definitions: Definitions, catalog: Catalog, changes: Mapping[int, int]) -> list[ViewStatus]:
    statuses = [
        registered_status(definition, view, _freshness(definition, view, catalog, changes))
        for definition, view in ((d, catalog.relations.get(n)) for n, d in definitions.views.items())
    ]
    for label, error in definitions.errors.items():
        name = definitions.invalid_names.get(label)
        if name in definitions.views:
            name = None  # it is the other one's, which the error says
        advice = "Mend its class; until then nothing of this database can be synced."
        statuses.append(
            ViewStatus(
                definitions.database,
                name,
                label,
                None,
                State.INVALID,
                str(error),
                advice,
                installed=None if name is None else catalog.relations.get(name),
            )
        )
    orphans = find_orphans(definitions, catalog)
    declared = {*definitions.views, *definitions.invalid_names.values()}
    ours = set(schemas_of(definitions))
    for name, installed in catalog.relations.items():
        if name in declared or installed.kind is None:
            continue
        if name in orphans or name.schema in ours:
            statuses.append(_left_over(definitions.database, installed, name in orphans))
    return sorted(statuses, key=lambda status: (status.name or ("", ""), status.label))


def _freshness(
    definition: ViewDefinition, view: InstalledView | None, catalog: Catalog, changes: Mapping[int, int]
) -> Freshness | None:
    now = catalog.session.now
    return freshness_of(definition, view, now, changes.get(view.oid)) if view and now else None


def registered_status(
    definition: ViewDefinition, installed: InstalledView | None, freshness: Freshness | None = None
) -> ViewStatus:
    """Say how a registered view stands. Pure."""
    difference = differences(definition, installed)
    state, reason, advice = _explain(definition, installed, difference)
    if stale := how_stale(freshness) if freshness else "":
        if state is State.SYNCED:
            state, reason, advice = State.STALE, stale, "Refresh it."
        else:
            reason = f"{reason} {stale}"
    return ViewStatus(
        definition.database,
        definition.name,
        definition.label,
        definition.kind,
        state,
        reason,
        advice,
        definition,
        installed,
        difference,
        freshness,
    )


def _explain(
    definition: ViewDefinition, installed: InstalledView | None, difference: Differences
) -> tuple[State, str, str]:
    if difference.obstructed_by:
        relation = difference.obstructed_by
        advice = f"Rename the {relation}, or give the view another name."
        return State.WRONG_KIND, f"A {relation} that is not ours has its name.", advice
    if difference.missing or installed is None:
        return State.MISSING, "It is registered, but not in the database.", _SYNC
    if difference.other_kind:
        reason = f"It is a {installed.relation} in the database, and its class says {definition.kind.label}."
        return State.WRONG_KIND, reason, _SYNC
    if difference.untagged:
        reason = "It is in the database, but no sync has recorded it."
        return State.CHANGED, reason, "Sync it: if its definition is the same, it is adopted and not rebuilt."
    if difference.code:
        return State.CHANGED, "Its class has changed since the last sync.", _SYNC
    if difference.drifted:
        return State.DRIFTED, "It was changed in the database since the last sync.", "Sync it to put it back."
    if difference.sources:
        return State.CHANGED, "Its SQL has a star, and what it reads has other columns now.", _SYNC
    if lesser := _lesser(difference):
        return State.CHANGED, f"{lesser}.", _SYNC
    if not installed.populated:
        return State.NOT_POPULATED, "It has no rows yet and cannot be read.", "Refresh it."
    return State.SYNCED, "The database has what its class says.", ""


def _lesser(difference: Differences) -> str:
    if difference.grant:
        return f"{', '.join(difference.grant)} should be able to read it, and cannot"
    if difference.revoke:
        return f"{', '.join(difference.revoke)} can read it, and should no longer"
    if difference.comment or difference.column_comments:
        return "Its comment is not its class's docstring, or a column's is not its help_text"
    return "The list of its readers has changed" if difference.record else ""


def _left_over(database: str, installed: InstalledView, orphaned: bool) -> ViewStatus:
    if orphaned:
        state, reason = State.ORPHANED, "A sync made it, and no class declares it any more."
        advice = "Sync to drop it, or declare it again."
    elif installed.tag:
        state, advice = State.UNMANAGED, ""
        reason = f"It was synced under database alias {installed.tag.database!r}; nothing is done here."
    else:
        state, reason, advice = State.UNMANAGED, "It is in our schema, but not ours: it is never touched.", ""
    return ViewStatus(
        database, installed.name, "", installed.kind, state, reason, advice, installed=installed
    )


def count_states(statuses: Collection[DatabaseStatus]) -> Mapping[State, int]:
    """Count views by state, in the order of :class:`State`."""
    states = [view.state for database in statuses for view in database.views]
    return {state: states.count(state) for state in State if state in states}
