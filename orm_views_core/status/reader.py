"""How the views of databases stand: what every screen and command shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.compiler import compile_definitions, schemas_of
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.engines.postgresql.catalog.dependencies import read_sources_of
from orm_views_core.engines.postgresql.catalog.introspection import (
    read_catalog,
    read_columns,
    with_definitions,
)
from orm_views_core.engines.postgresql.dry_run import try_views
from orm_views_core.engines.postgresql.locks import limit_lock_waits
from orm_views_core.exceptions import (
    CyclicDependencyError,
    DatabaseUnavailableError,
    OrmViewsError,
    UnknownViewError,
    UnsupportedDatabaseError,
)
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import find_orphans, find_scope
from orm_views_core.refresh.freshness import Freshness, freshness_of

from .states import State, ViewStatus, invalid_status, left_over_status, registered_status

__all__ = [
    "DatabaseStatus",
    "State",
    "ViewDetail",
    "ViewStatus",
    "count_states",
    "get_detail",
    "get_statuses",
    "read_sync_states",
]


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
        expected: what PostgreSQL would make of its class now; None when it was not tried or was refused.
        not_tried: why it could not be tried, a sentence; "" when it was, or when there is no class.
        reads: every relation that it reads.
        read_by: every relation that reads it.
    """

    status: ViewStatus
    columns: tuple[Column, ...] = ()
    expected: ExpectedView | None = None
    not_tried: str = ""
    reads: tuple[ViewName, ...] = ()
    read_by: tuple[ViewName, ...] = ()


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
        dry_run, not_tried = DryRun(), ""
        if status.definition is not None and not (status.differences and status.differences.obstructed_by):
            try:
                dry_run = _try_alone(connection, status.definition, definitions, catalog)
            except (CyclicDependencyError, DatabaseError) as error:
                # Somebody holds what it reads, or we may not create a schema: the rest can still be told.
                not_tried = f"It could not be tried: {str(error).strip()}"
        expected = dry_run.views.get(name)
        columns: tuple[Column, ...] = expected.columns if expected else ()
        if status.installed is not None:
            with connection.cursor() as cursor:
                columns = tuple(read_columns(cursor, [status.installed.oid])[status.installed.oid])
    if name in dry_run.errors:
        status = replace(
            invalid_status(database, name, status.label, dry_run.errors[name], status.installed),
            kind=status.kind,
            definition=status.definition,
            differences=status.differences,
        )
    reads = status.installed.reads if status.installed else expected.reads if expected else ()
    read_by = status.installed.read_by if status.installed else ()
    return ViewDetail(status, columns, expected, not_tried, tuple(sorted(reads)), tuple(sorted(read_by)))


def read_sync_states(database: str, names: Collection[ViewName]) -> dict[ViewName, SyncState]:
    """Return the sync states of some views; those without one are left out.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    with transaction.atomic(using=database):
        found = read_catalog(connection, [], only=list(names)).relations
    return {name: view.state for name, view in found.items() if view.state is not None and name in set(names)}


def _try_alone(
    connection: BaseDatabaseWrapper, definition: ViewDefinition, definitions: Definitions, catalog: Catalog
) -> DryRun:
    """Try one view, and with it only those that it reads and that do not exist yet."""
    name = definition.name
    scope = find_scope(definitions.views, catalog, only=[name], force=True)
    views = [definitions.views[n] for n in scope.try_views if n == name or n not in catalog.relations]
    with transaction.atomic(using=connection.alias):
        limit_lock_waits(connection)
        return try_views(connection, views, scope.dependencies, {}, catalog.search_path)


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
        known = [view.oid for view in views if view.state is not None and view.state.changes is not None]
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
        installed = None if name is None else catalog.relations.get(name)
        statuses.append(invalid_status(definitions.database, name, label, error, installed=installed))
    orphans = find_orphans(definitions, catalog)
    declared = {*definitions.views, *definitions.invalid_names.values()}
    ours = set(schemas_of(definitions))
    for name, installed in catalog.relations.items():
        if name in declared or installed.kind is None:
            continue
        if name in orphans or name.schema in ours:
            statuses.append(left_over_status(definitions.database, installed, orphaned=name in orphans))
    return sorted(statuses, key=lambda status: (status.name or ("", ""), status.label))


def _freshness(
    definition: ViewDefinition, view: InstalledView | None, catalog: Catalog, changes: Mapping[int, int]
) -> Freshness | None:
    now = catalog.session.now
    return freshness_of(definition, view, now, changes.get(view.oid)) if view and now else None


def count_states(statuses: Collection[DatabaseStatus]) -> Mapping[State, int]:
    """Count views by state, in the order of :class:`State`."""
    states = [view.state for database in statuses for view in database.views]
    return {state: states.count(state) for state in State if state in states}
