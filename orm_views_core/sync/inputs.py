"""Reading and trying all that a plan is made of, in one transaction that changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.extras import Extra, worth_keeping
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql.catalog.dependencies import read_other_dependents
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.introspection import (
    canonical_names,
    read_catalog,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.preconditions import read_taken
from orm_views_core.engines.postgresql.dry_run import try_views
from orm_views_core.engines.postgresql.locks import letting_go
from orm_views_core.exceptions import DropAllRefusedError, MissingRoleError
from orm_views_core.names import ViewName, declared
from orm_views_core.plan.builder import Facts, Plan, make_plan
from orm_views_core.plan.diff import NO_DIFFERENCES, PUBLIC, Scope, find_orphans, find_scope
from orm_views_core.plan.preconditions import lock_shortage, locks_for_trying
from orm_views_core.views.registry import registry

from .external_dependents import as_definition, find_external_dependents, with_external_dependents
from .overlap import Ahead, is_empty_for


@dataclass(frozen=True)
class SyncOptions:
    """What a sync is asked for.

    Attributes:
        grant_select_to: further roles to grant SELECT to, besides the settings' and the classes' own.
        only: the views to sync; all when None.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: go on when no view is registered and every view would be dropped.
        drop_dependents: drop views of others that are in the way.
    """

    grant_select_to: tuple[str, ...] = ()
    only: frozenset[ViewName] | None = None
    force: bool = False
    allow_drop_all: bool = False
    drop_dependents: bool = False

    @classmethod
    def of(
        cls,
        roles: str | Iterable[str] | None,
        only: Iterable[ViewName] | None,
        *flags: bool,
    ) -> SyncOptions:
        """Make options of what callers may give: one role or several, any collection of names."""
        several = (roles,) if isinstance(roles, str) else tuple(dict.fromkeys(roles or ()))
        return cls(several, None if only is None else frozenset(only), *flags)


def plan_database(connection: BaseDatabaseWrapper, options: SyncOptions) -> Plan:
    """Read, try and plan, inside a transaction that is rolled back.

    Args:
        connection: the database.
        options: what is asked for.

    Raises:
        OrmViewsError: when a view is invalid or a role is missing.
    """
    classes = registry.views(connection.alias)
    catalog = _read_catalog(connection, classes, options)
    return _plan(connection, options, compile_definitions(connection, classes), catalog, try_missing=True)


def plan_to_apply(connection: BaseDatabaseWrapper, options: SyncOptions) -> tuple[Plan, frozenset[str]]:
    """Read, try and plan, inside the transaction in which the plan is then applied.

    Views that do not exist yet are not tried: creating them does that. In an empty database that begins at
    once.

    Returns:
        the plan, and those of its statements that have been carried out already.
    """
    classes = registry.views(connection.alias)
    catalog = _read_catalog(connection, classes, options)
    schemas = _schemas_of(classes)
    if options.only is None and is_empty_for(catalog, schemas, classes):
        with Ahead(connection, schemas) as ahead:
            definitions = compile_definitions(connection, classes, ahead.offer)
        sent = ahead.sent
    else:
        definitions, sent = compile_definitions(connection, classes), frozenset()
    return _plan(connection, options, definitions, catalog, try_missing=False), sent


def _schemas_of(classes: Iterable[Any]) -> list[str]:
    """Return the schemas that are ours: the setting's, and those that classes name."""
    default = get_settings().SCHEMA
    schemas = {default: None}
    for view in classes:
        with suppress(Exception):  # it has no name, which is what its error says
            schemas[view._view_schema(default)] = None
    return [schema for schema in schemas if isinstance(schema, str)]


def _read_catalog(connection: BaseDatabaseWrapper, classes: Iterable[type], options: SyncOptions) -> Catalog:
    """Read what the database has, before any class is compiled."""
    roles = {*get_settings().GRANT_SELECT_TO, *options.grant_select_to}
    for view in classes:
        own = declared(view, "grant_select_to", ())
        roles |= {role for role in own if isinstance(role, str)} if isinstance(own, (list, tuple)) else set()
    return read_catalog(connection, _schemas_of(classes), [role for role in roles if role.lower() != PUBLIC])


def _plan(
    connection: BaseDatabaseWrapper,
    options: SyncOptions,
    definitions: Definitions,
    catalog: Catalog,
    *,
    try_missing: bool,
) -> Plan:
    definitions.raise_errors()
    roles = {role for d in definitions.views.values() for role in d.grant_select_to}
    roles |= {*options.grant_select_to}
    _check_roles(roles, catalog, definitions, options)
    orphans = find_orphans(definitions, catalog)
    _refuse_to_drop_all(definitions, orphans, options)
    catalog = with_external_dependents(connection, catalog)
    dropped = [name for name in orphans if options.only is None or name in options.only]
    others = find_external_dependents(definitions, catalog, orphans)
    scope = find_scope(
        definitions.views,
        catalog,
        external=others,
        command_roles=options.grant_select_to,
        only=options.only,
        force=options.force,
        try_missing=try_missing,
    )
    if problem := _why_not_try(definitions, catalog, scope, dropped):
        return Plan(definitions.database, problems=(problem,), unchanged=len(definitions.views))
    if scope.try_views:
        with letting_go(connection):
            catalog = with_definitions(connection, catalog, scope.try_views)
    external = {name: as_definition(definitions.database, catalog.relations[name]) for name in others}
    facts = _try(connection, definitions, catalog, scope, external)
    return make_plan(
        facts,
        command_roles=options.grant_select_to,
        orphans=orphans,
        dropped=dropped,
        force=options.force,
        drop_dependents=options.drop_dependents,
    )


def _try(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    catalog: Catalog,
    scope: Scope,
    external: Mapping[ViewName, ViewDefinition],
) -> Facts:
    """Rehearse what the scope says, and put together what is known."""
    views = {**definitions.views, **external}
    # A table with a column of a view's row type is an external dependent too, and cannot be tried.
    tried = [n for n in scope.try_views if n not in catalog.relations or catalog.relations[n].kind]
    installed = {name: catalog.relations[name] for name in tried if name in catalog.relations}
    extras = _read_extras(connection, installed)
    keep = {
        name: worth_keeping(
            extras[name],
            views[name],
            view,
            is_external=name in external,
            revoked=scope.differences.get(name, NO_DIFFERENCES).revoke,
        )
        for name, view in installed.items()
    }
    dry_run = try_views(
        connection,
        [views[name] for name in tried],
        scope.dependencies,
        {name: view.oid for name, view in installed.items()},
        catalog.search_path,
        extras=keep,
        role=catalog.session.role,
    )
    dry_run.raise_errors(external)
    missing = [name for name, difference in scope.differences.items() if difference.missing]
    concerned = {*missing, *tried} & set(definitions.views)
    named = {ViewName(n.schema, i.name) for n in concerned for i in definitions.views[n].indexes}
    # In a schema that is yet to be created no name is taken.
    claimed = [name for name in (*missing, *sorted(named)) if name.schema in catalog.schemas]
    taken = read_taken(connection, claimed)
    return Facts(
        definitions.database,
        definitions.views,
        catalog,
        scope,
        dry_run,
        external=external,
        extras=extras,
        keep=keep,
        taken=taken,
        dependents=read_other_dependents(connection, installed.values()),
    )


def _read_extras(
    connection: BaseDatabaseWrapper, installed: Mapping[ViewName, InstalledView]
) -> dict[ViewName, tuple[Extra, ...]]:
    if not installed:
        return {}
    with letting_go(connection), connection.cursor() as cursor, canonical_names(cursor):
        found = read_extras(cursor, [view.oid for view in installed.values()])
    return {name: found.get(view.oid, ()) for name, view in installed.items()}


def _refuse_to_drop_all(
    definitions: Definitions, orphans: Collection[ViewName], options: SyncOptions
) -> None:
    if orphans and not definitions.views and not options.allow_drop_all:
        names = ", ".join(str(name) for name in orphans)
        raise DropAllRefusedError(
            f"No view is registered for database {definitions.database!r}, so all would be dropped: {names}. "
            "Is an app missing from INSTALLED_APPS? If they are all to go, say --allow-drop-all."
        )


def _why_not_try(
    definitions: Definitions, catalog: Catalog, scope: Scope, dropped: Collection[ViewName]
) -> str:
    """Say why what differs can be neither tried nor done; "" when it can, or when nothing differs."""
    session, database = catalog.session, definitions.database
    pending = dropped or any(difference.is_pending for difference in scope.differences.values())
    if session.read_only and (pending or scope.try_views):
        return (
            f"Database {database!r} cannot be written: {session.read_only}. Sync the views of its primary, "
            "under the alias that leads there; a replica follows by itself."
        )
    new_schemas = {name.schema for name in scope.order} - catalog.schemas
    if not session.creates_schemas and (scope.try_views or new_schemas):
        return (
            f"{session.role}, as whom Django connects to database {database!r}, may not create schemas in "
            "it, and changed views are tried and built in a schema of their own. "
            f"GRANT CREATE ON DATABASE … TO {session.role}, as its owner."
        )
    kinds = [definitions.views[n].kind for n in scope.try_views if n in definitions.views]
    return lock_shortage(locks_for_trying(kinds, catalog), catalog)


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
