"""Reading, planning and applying, put together: what commands, pages and projects call."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.backends.base.base import BaseDatabaseWrapper

from . import signals
from .apply import StepResult, apply_plan
from .catalog import Catalog, read_catalog
from .changes import PUBLIC, find_scope
from .conf import get_settings
from .connections import get_connection, view_databases
from .definition import Definitions, compile_definitions
from .exceptions import (
    DropAllRefusedError,
    MissingRoleError,
    PlanBlockedError,
    StalePlanError,
)
from .locks import in_transaction, limit_lock_waits, take_sync_lock
from .names import ViewName
from .plan import Plan, Step, make_plan
from .refresh import refresh_materialized_view
from .rehearsal import rehearse


@dataclass(frozen=True)
class SyncOptions:
    """What a sync is asked for.

    Attributes:
        grant_select_to: further roles to grant SELECT to, besides the settings' and the classes' own.
        only: the views to sync; all when None.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: go on when no view is registered and every view would be dropped.
    """

    grant_select_to: tuple[str, ...] = ()
    only: frozenset[ViewName] | None = None
    force: bool = False
    allow_drop_all: bool = False


@dataclass(frozen=True)
class SyncResult:
    """What a sync of one database did, and how many seconds it took."""

    plan: Plan
    steps: tuple[StepResult, ...]
    seconds: float


def plan_views(
    databases: Sequence[str] | None = None,
    *,
    grant_select_permissions_to_user: str | Sequence[str] | None = None,
    only: Collection[ViewName] | None = None,
    force: bool = False,
    allow_drop_all: bool = False,
) -> list[Plan]:
    """Say what :func:`sync_views` would do, having tried every changed view; nothing is changed.

    Args:
        databases: aliases; those with registered views, and the default one, when None.
        grant_select_permissions_to_user: a role, or several, to grant SELECT to.
        only: the views to sync; all when None. What they cannot do without comes along.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: plan it even when no view is registered and every view would be dropped.

    Returns:
        a plan for each database. One that cannot be carried out says so in its ``problems``.

    Raises:
        OrmViewsError: when a view is invalid, a role is missing or a database does not answer.
    """
    options = SyncOptions(
        _as_roles(grant_select_permissions_to_user),
        None if only is None else frozenset(only),
        force,
        allow_drop_all,
    )

    def plan(connection: BaseDatabaseWrapper) -> Plan:
        limit_lock_waits(connection)
        return _make_plan(connection, options, rehearse_missing=True)

    return [in_transaction(connection, plan) for connection in _connect(databases)]


def sync_views(
    grant_select_permissions_to_user: str | Sequence[str] | None = None,
    *,
    databases: Sequence[str] | None = None,
    only: Collection[ViewName] | None = None,
    force: bool = False,
    allow_drop_all: bool = False,
    expected_fingerprint: str | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_step: Callable[[Step], None] | None = None,
    on_done: Callable[[StepResult], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> list[SyncResult]:
    """Make the databases match the registered views, each in one transaction, touching only what differs.

    Args:
        grant_select_permissions_to_user: a role, or several, to grant SELECT to.
        databases: aliases; those with registered views, and the default one, when None.
        only: the views to sync; all when None. What they cannot do without comes along.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: go on when no view is registered and every view would be dropped.
        expected_fingerprint: the plan that was confirmed, for a single database.
        on_plan: called with each database's plan before anything is done.
        on_step: called before each step.
        on_done: called after each step.
        on_wait: called when a lock cannot be had, before all of it is tried again.

    Returns:
        what was done in each database.

    Raises:
        OrmViewsError: when a view is invalid, a role is missing, something is in the way or a database
            does not answer. That database is as it was before.
    """
    options = SyncOptions(
        _as_roles(grant_select_permissions_to_user),
        None if only is None else frozenset(only),
        force,
        allow_drop_all,
    )

    def sync(connection: BaseDatabaseWrapper) -> SyncResult:
        started = time.perf_counter()
        take_sync_lock(connection)
        limit_lock_waits(connection)
        plan = _make_plan(connection, options, rehearse_missing=expected_fingerprint is not None)
        if expected_fingerprint not in (None, plan.fingerprint):
            raise StalePlanError(
                f"Database {connection.alias!r} or the code has changed since this plan was made. "
                "Nothing was done; look at the new plan."
            )
        if plan.problems:
            raise PlanBlockedError(plan.problems)
        if on_plan:
            on_plan(plan)
        steps = apply_plan(
            connection, plan, command_roles=options.grant_select_to, on_step=on_step, on_done=on_done
        )
        return SyncResult(plan, tuple(steps), time.perf_counter() - started)

    results = []
    for connection in _connect(databases):
        results.append(in_transaction(connection, sync, on_wait))
        signals.views_synced.send(sender=sync_views, database=connection.alias, result=results[-1])
    return results


def _as_roles(roles: str | Iterable[str] | None) -> tuple[str, ...]:
    if roles is None:
        return ()
    return (roles,) if isinstance(roles, str) else tuple(dict.fromkeys(roles))


def _connect(databases: Sequence[str] | None) -> list[BaseDatabaseWrapper]:
    """Open every database before the first is touched, so that a wrong alias changes nothing anywhere."""
    return [get_connection(alias) for alias in (view_databases() if databases is None else databases)]


def _make_plan(connection: BaseDatabaseWrapper, options: SyncOptions, *, rehearse_missing: bool) -> Plan:
    """Read, rehearse and plan, inside a transaction."""
    definitions = compile_definitions(connection)
    definitions.raise_errors()
    roles = {role for d in definitions.views.values() for role in d.grant_select_to} | {
        *options.grant_select_to
    }
    catalog = read_catalog(
        connection, schemas_of(definitions), [role for role in roles if role.lower() != PUBLIC]
    )
    _check_roles(roles, catalog, definitions, options)
    scope = find_scope(
        definitions.views,
        catalog,
        command_roles=options.grant_select_to,
        only=options.only,
        force=options.force,
        rehearse_missing=rehearse_missing,
    )
    catalog = _with_definitions(connection, catalog, scope.rehearse)
    rehearsal = rehearse(
        connection,
        [definitions.views[name] for name in scope.rehearse],
        scope.dependencies,
        {name: catalog.relations[name].oid for name in scope.rehearse if name in catalog.relations},
        catalog.search_path,
    )
    rehearsal.raise_errors()
    orphans = find_orphans(definitions, catalog)
    if orphans and not definitions.views and not options.allow_drop_all:
        names = ", ".join(str(name) for name in orphans)
        raise DropAllRefusedError(
            f"No view is registered for database {connection.alias!r}, so all would be dropped: {names}. "
            "Is an app missing from INSTALLED_APPS? If they are all to go, say --allow-drop-all."
        )
    return make_plan(
        connection.alias,
        definitions.views,
        catalog,
        scope,
        rehearsal,
        command_roles=options.grant_select_to,
        orphans=orphans,
        dropped=[name for name in orphans if options.only is None or name in options.only],
        force=options.force,
    )


def _with_definitions(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Collection[ViewName]
) -> Catalog:
    """Wait for the definitions that were left unread because somebody held the views: they are compared."""
    relations = {name: catalog.relations[name] for name in names if name in catalog.relations}
    unread = [name for name, view in relations.items() if view.kind and view.definition is None]
    if not unread:
        return catalog
    found = read_catalog(connection, [], only=unread, wait=True).relations
    return replace(catalog, relations={**catalog.relations, **found})


def schemas_of(definitions: Definitions) -> list[str]:
    """Return the schemas that are ours: the setting's, and those that classes name."""
    return list(dict.fromkeys([get_settings().SCHEMA, *(name.schema for name in definitions.views)]))


def find_orphans(definitions: Definitions, catalog: Catalog) -> list[ViewName]:
    """Return the views that a sync under this alias made and that no class declares any more."""
    declared = {*definitions.views, *definitions.invalid_names.values()}
    return [
        name
        for name, installed in catalog.relations.items()
        if installed.tag and installed.tag.database == definitions.database and name not in declared
    ]


def _check_roles(
    roles: Collection[str], catalog: Catalog, definitions: Definitions, options: SyncOptions
) -> None:
    for role in sorted(roles):
        if role in catalog.roles or role.lower() == PUBLIC:
            continue
        views = [d.where for d in definitions.views.values() if role in d.grant_select_to]
        if role in options.grant_select_to:
            wanted = "--grant-select-permissions-to-user names it"
        elif role in get_settings().GRANT_SELECT_TO:
            wanted = "ORM_VIEWS['GRANT_SELECT_TO'] names it"
        else:
            wanted = f"grant_select_to of {', '.join(views)} names it"
        raise MissingRoleError(
            f"There is no role {role!r} in database {definitions.database!r}; {wanted}. "
            f"Create it (CREATE ROLE …) or take its name away; nothing was changed."
        )


__all__ = ["SyncResult", "plan_views", "refresh_materialized_view", "sync_views"]
