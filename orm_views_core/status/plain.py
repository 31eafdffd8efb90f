"""Reads the status of the views of an engine whose views are changed where they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.definers import LET_TRUST, why_foreign
from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.definitions.skipped import naming_skipped
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.plain.fitting import fitted
from orm_views_core.engines.plain.untried import UntriedError
from orm_views_core.exceptions import CyclicDependencyError, OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Scope, find_orphans, find_scope
from orm_views_core.quoting import Quoting

from .diagnosis import invalid, invalid_status, left_over_status, registered_status
from .states import Condition, State, ViewDetail, ViewStatus
from .surroundings import plain_surroundings


def read_plain_statuses(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    definitions: Definitions,
    only: Collection[ViewName] | None = None,
) -> tuple[Catalog, list[ViewStatus]]:
    """Read the catalog, and return the status of every view in it.

    Args:
        connection: the database.
        engine: its engine.
        definitions: the registered views.
        only: the views to return; all when None.
    """
    with engine.planning(connection):
        read = engine.read_catalog(connection, definitions)
    catalog = fitted(read, definitions)
    statuses = [registered_status(d, catalog.relations.get(d.name)) for d in definitions.views.values()]
    for label, error in definitions.errors.items():
        name = definitions.invalid_names.get(label)
        if name in definitions.views:
            name = None  # The error says which other class has the name.
        installed = catalog.relations.get(name) if name is not None else None
        statuses.append(invalid_status(definitions.database, name, label, error, installed))
    statuses += [
        left_over_status(definitions.database, catalog.relations[name], orphaned=True)
        for name in find_orphans(definitions, catalog)
    ]
    shown = [status for status in statuses if only is None or status.name in only]
    shown.sort(key=ViewStatus.place)
    return catalog, [_with_obstacle(_with_definer(status), read.broken) for status in shown]


def _with_definer(status: ViewStatus) -> ViewStatus:
    """Return a status that says whose a view is, as these engines know it."""
    if status.installed is None or status.installed.is_trusted:
        return status
    foreign = Condition(State.DRIFTED, why_foreign(status.installed), LET_TRUST)
    kept = (foreign if each.state is State.DRIFTED else each for each in status.conditions)
    return replace(status, conditions=tuple(kept))


def _with_obstacle(status: ViewStatus, broken: Mapping[ViewName, Quoting]) -> ViewStatus:
    if status.name is None or status.name not in broken:
        return status
    reason = broken[status.name]
    return status.with_condition(Condition(State.UNREADABLE, reason, State.UNREADABLE.advice))


def with_refusals(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    definitions: Definitions,
    catalog: Catalog,
    statuses: Iterable[ViewStatus],
) -> list[ViewStatus]:
    """Return statuses that say which views the engine refuses, or which read one another in a circle."""
    errors = _refused(connection, engine, definitions.views, catalog)
    return [
        status.with_condition(invalid(errors[status.name]))
        if status.name and status.name in errors
        else status
        for status in statuses
    ]


def _refused(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    views: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
) -> Mapping[ViewName, OrmViewsError]:
    try:
        scope = find_scope(views, catalog)
    except CyclicDependencyError as error:
        return dict.fromkeys(error.names, error)
    with engine.planning(connection):
        return naming_skipped(_tried(connection, engine, views, scope, catalog).errors, views)


def _tried(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    views: Mapping[ViewName, ViewDefinition],
    scope: Scope,
    catalog: Catalog,
) -> DryRun:
    """Try the views of a scope, where the engine can do that. Elsewhere, nothing is known of them."""
    try:
        return engine.try_views(connection, [views[name] for name in scope.try_views], catalog)
    except UntriedError:
        return DryRun()


def _as_installed(status: ViewStatus, columns: tuple[Column, ...]) -> ExpectedView | None:
    """Return what the engine makes of a view that need not be tried, because it is as its class says."""
    installed, difference = status.installed, status.differences
    if installed is None or difference is None or difference.needs_dry_run or not columns:
        return None
    return ExpectedView(
        name=installed.name,
        definition=installed.definition or "",
        columns=columns,
        options=installed.options,
        reads=installed.reads,
    )


def read_plain_detail(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    definitions: Definitions,
    catalog: Catalog,
    status: ViewStatus,
    name: ViewName,
) -> ViewDetail:
    """Return everything about one view. Trying its SQL, with the missing views that it reads, is part of it.

    Args:
        connection: the database.
        engine: its engine.
        definitions: the registered views.
        catalog: what the database contains.
        status: the status of the view.
        name: its name.
    """
    dry_run = DryRun()
    with engine.planning(connection):
        if status.definition is not None and not (status.differences and status.differences.obstructed_by):
            try:
                # What is as it was is tried too, unless others would see that.
                force = engine.spelling.abilities.atomic
                scope = find_scope(definitions.views, catalog, only=[name], force=force)
                dry_run = _tried(connection, engine, definitions.views, scope, catalog)
                dry_run = replace(dry_run, errors=naming_skipped(dry_run.errors, definitions.views))
            except CyclicDependencyError as error:
                dry_run = DryRun(errors={name: error} if name in error.names else {})
        columns = engine.read_columns(connection, [name] if status.installed is not None else [])
    if name in dry_run.errors:
        status = status.with_condition(invalid(dry_run.errors[name]))
    installed = status.installed
    expected = dry_run.views.get(name) or _as_installed(status, columns.get(name, ()))
    reads = installed.reads if installed else expected.reads if expected else frozenset()
    return ViewDetail(
        status=status,
        columns=tuple(columns.get(name, expected.columns if expected else ())),
        expected=expected,
        reads=tuple(sorted(reads)),
        read_by=tuple(sorted(installed.read_by)) if installed else (),
        surroundings=plain_surroundings(catalog, name, reads),
    )
