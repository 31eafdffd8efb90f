"""Reads the status of the views of databases, as every page and command shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, SkippedView, ViewDefinition
from orm_views_core.definitions.lookup import refuse_skipped
from orm_views_core.definitions.registered import RegisteredViews, registered_views
from orm_views_core.engines.answers import expecting_answers
from orm_views_core.engines.connections import open_database, view_databases
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.postgresql.catalog.dependencies import read_sources_of, read_view_reads
from orm_views_core.engines.postgresql.catalog.introspection import (
    read_catalog,
    read_columns,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.exceptions import (
    DatabaseUnavailableError,
    OrmViewsError,
    UnknownViewError,
    UnsupportedDatabaseError,
)
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import find_orphans
from orm_views_core.refresh.freshness import freshness_of
from orm_views_core.sentences import says
from orm_views_core.views.identity import kind_of, label_of

from .diagnosis import invalid, invalid_status, left_over_status, registered_status, unanswered_status
from .exposed import judged_statuses
from .plain import read_plain_detail, read_plain_statuses, with_refusals
from .states import DatabaseStatus, ViewDetail, ViewStatus
from .stored import read_stored
from .surroundings import Surroundings, read_surroundings
from .trying import find_refused, try_view
from .unreadable import Obstacle, find_unreadable, reads_of


def get_statuses(
    databases: Sequence[str] | None = None,
    *,
    only: Collection[ViewName] | None = None,
    judged: bool = True,
) -> list[DatabaseStatus]:
    """Return the status of every view. The number of queries does not depend on the number of views.

    Args:
        databases: aliases; when None, the default database and every database with registered views.
        only: the views to read, in each database; nothing is read of the others. All views when None.
        judged: whether to look for what would keep a sync from being carried out: what they show of personal
            columns, and to whom; and, if all views are read, SQL that PostgreSQL refuses.

    Returns:
        one entry for each database. One that cannot be reached has an error, and its registered views cannot
        be read.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.

    Example:
        >>> from orm_views_core.status import get_statuses
        >>> [database] = get_statuses(["default"])
        >>> for view in database.views[:2]:
        ...     print(view.name, view.state.value)
        views.active_loans synced
        views.arrears_buckets synced
    """
    aliases = view_databases() if databases is None else databases
    with expecting_answers():
        return [_database_status(alias, only, judged=judged) for alias in aliases]


def get_status(database: str, name: ViewName) -> ViewStatus:
    """Return the status of one view. Nothing is read of the others.

    Args:
        database: the alias.
        name: the view.

    Raises:
        UnknownViewError: when neither a class nor the database has it.
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database cannot be reached.

    Example:
        >>> from orm_views_core.names import ViewName
        >>> from orm_views_core.status import get_status
        >>> status = get_status("default", ViewName("views", "loan_book"))
        >>> print(status.label, status.kind.label, status.state.value)
        lending.LoanBook materialised view synced
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        definitions = compile_definitions(connection, anew=False)
        return _the_one(read_plain_statuses(connection, engine, definitions, [name])[1], database, name)
    definitions = compile_definitions(connection, anew=False, only=[name])
    with catalog_cursor(connection, savepoint=True):
        _, statuses = _read_statuses(connection, definitions, only=[name])
    return _the_one(statuses, database, name)


def _the_one(statuses: Iterable[ViewStatus], database: str, name: ViewName) -> ViewStatus:
    status = next((status for status in statuses if status.name == name), None)
    if status is None:
        refuse_skipped(str(name), [database])
        raise UnknownViewError(
            says("There is no view %(view)s in database %(database)r.", view=name, database=database)
        )
    return status


def get_detail(database: str, name: ViewName) -> ViewDetail:
    """Return everything about one view. A dry run of its SQL is part of it. Nothing is read of the others.

    Args:
        database: the alias.
        name: the view.

    Raises:
        UnknownViewError: when neither a class nor the database has it.
        DatabaseUnavailableError: when the database cannot be reached.
        PersonalFieldError: when what is marked as personal is no field with a column.

    Example:
        >>> from orm_views_core.names import ViewName
        >>> from orm_views_core.status import get_detail
        >>> detail = get_detail("default", ViewName("views", "geo_cities"))
        >>> [str(name) for name in detail.reads]
        ['views.loan_book']
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        definitions = compile_definitions(connection, anew=False)
        catalog, statuses = read_plain_statuses(connection, engine, definitions, [name])
        status = _the_one(statuses, database, name)
        return read_plain_detail(connection, engine, definitions, catalog, status, name)
    definitions = compile_definitions(connection, anew=False, only=[name])
    with transaction.atomic(using=database):
        with catalog_cursor(connection):
            catalog, statuses = _read_statuses(connection, definitions, only=[name])
            _the_one(statuses, database, name)
            installed = with_definitions(connection, catalog, [name], wait=False).relations.get(name)
        status = _the_one(judged_statuses(connection, definitions, statuses, [name]), database, name)
        status = replace(status, installed=installed)
        surroundings = read_surroundings(connection, name, installed.reads) if installed else Surroundings()
        dry_run, not_tried = try_view(connection, status, catalog)
        expected = dry_run.views.get(name)
        columns: Sequence[Column] = expected.columns if expected else ()
        if installed is not None:
            with catalog_cursor(connection) as cursor:
                columns = read_columns(cursor, [installed.oid]).get(installed.oid, ())
    if error := dry_run.errors.get(name):
        status = status.with_condition(invalid(error))
    reads = installed.reads if installed else expected.reads if expected else ()
    return ViewDetail(
        status=status,
        columns=tuple(columns),
        expected=expected,
        not_tried=not_tried,
        reads=tuple(sorted(reads)),
        read_by=tuple(sorted(installed.read_by)) if installed else (),
        surroundings=surroundings,
    )


def read_sync_states(database: str, names: Collection[ViewName]) -> dict[ViewName, SyncState]:
    """Return the sync states of some views. Views without a sync state are left out.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database cannot be reached.
    """
    stored = read_stored(database, names)
    return {name: view.state for name, view in stored.items() if view.state is not None}


def _database_status(alias: str, only: Collection[ViewName] | None, *, judged: bool) -> DatabaseStatus:
    try:
        connection = open_database(alias)
        if engine := plain_engine_of(connection):
            definitions = compile_definitions(connection, anew=False)
            catalog, statuses = read_plain_statuses(connection, engine, definitions, only)
            if only is None and judged:
                statuses = with_refusals(connection, engine, definitions, catalog, statuses)
            return DatabaseStatus(alias, tuple(statuses), skipped=_skipped(definitions, only))
        definitions = compile_definitions(connection, anew=False, only=only)
        with catalog_cursor(connection, savepoint=True):
            catalog, statuses = _read_statuses(connection, definitions, only=only)
        if only is None and judged:
            refused = find_refused(connection, definitions, catalog)
            statuses = [_with_refusal(status, refused) for status in statuses]
        if judged:
            statuses = judged_statuses(connection, definitions, statuses, only)
    except (DatabaseUnavailableError, UnsupportedDatabaseError) as error:
        return unanswered(alias, error, only)
    return DatabaseStatus(alias, tuple(statuses), skipped=_skipped(definitions, only))


def _skipped(
    registered: Definitions | RegisteredViews, only: Collection[ViewName] | None
) -> tuple[SkippedView, ...]:
    return tuple(each for each in registered.skipped if only is None or each.name in only)


def unanswered(alias: str, error: OrmViewsError, only: Collection[ViewName] | None = None) -> DatabaseStatus:
    """Return the status of the registered views of a database that cannot be read.

    Args:
        alias: the database.
        error: why it cannot be read.
        only: the views; all when None.
    """
    registered = registered_views(alias)
    named = [(name, view) for name, views in registered.by_name.items() for view in views]
    views = [*named, *((None, view) for view in registered.nameless)] if only is None else named
    statuses = [
        unanswered_status(alias, name, label_of(view), kind_of(view), error)
        for name, view in views
        if only is None or name in only
    ]
    ordered = tuple(sorted(statuses, key=ViewStatus.place))
    return DatabaseStatus(alias, ordered, error, _skipped(registered, only))


def _with_refusal(status: ViewStatus, refused: Mapping[ViewName, OrmViewsError]) -> ViewStatus:
    error = refused.get(status.name) if status.name and status.definition else None
    return status.with_condition(invalid(error)) if error else status


def _read_statuses(
    connection: BaseDatabaseWrapper, definitions: Definitions, *, only: Collection[ViewName] | None = None
) -> tuple[Catalog, list[ViewStatus]]:
    """Read the catalog, and return the status of every view in it.

    Args:
        only: the views to read; all when None.
    """
    schemas = definitions.schemas
    views = definitions.views
    if only is not None:
        views = {name: views[name] for name in only if name in views}
    catalog = read_catalog(
        connection,
        schemas,
        only=only,
        # Also the sync states of the owners of the schemas that views are in are shown. The role of the pages
        # is seldom that of the syncs, and nothing is done because of what is shown.
        owners_of=definitions.placed,
        elsewhere=not definitions.follows_connection,
        registered=views if only is None else only,
    )
    installed = catalog.relations
    there = [installed[name] for name in views if name in installed]
    counted = [view.oid for view in there if view.state is not None and view.state.changes is not None]
    changes = {oid: sources.changes for oid, sources in read_sources_of(connection, counted).items()}
    reads = reads_of(installed) if only is None else read_view_reads(connection, views)
    unreadable = find_unreadable(connection, reads)
    statuses = [_status(d, catalog, changes, unreadable.get(d.name)) for d in views.values()]
    for label, error in definitions.errors.items():
        name = definitions.invalid_names.get(label)
        if only is not None and name not in only:
            continue
        if name in definitions.views:
            name = None  # The error says which other class has the name.
        view = installed.get(name) if name is not None else None
        statuses.append(invalid_status(definitions.database, name, label, error, view))
    orphans = set(find_orphans(definitions, catalog))
    statuses += [
        left_over_status(definitions.database, view, orphaned=name in orphans)
        for name, view in installed.items()
        if view.kind is not None
        and name not in definitions.names
        and (_is_ours(view, definitions) or name.schema in schemas)
    ]
    return catalog, sorted(statuses, key=ViewStatus.place)


def _is_ours(view: InstalledView, definitions: Definitions) -> bool:
    return view.state is not None and view.state.database == definitions.database


def _status(
    definition: ViewDefinition, catalog: Catalog, changes: Mapping[int, int], obstacle: Obstacle | None
) -> ViewStatus:
    view, now = catalog.relations.get(definition.name), catalog.session.now
    freshness = freshness_of(definition, view, now, changes.get(view.oid)) if view and now else None
    return registered_status(definition, view, freshness, obstacle)
