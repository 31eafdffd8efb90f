"""Reads and tries everything that a plan is made of, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.extras import Extra, worth_keeping
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.database.staging import PREFIX as STAGING
from orm_views_core.definitions.compiler import compile_definitions, schemas_of
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.dependencies import read_other_dependents
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.introspection import (
    read_catalog,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.preconditions import (
    read_extensions,
    read_schemas,
    read_taken,
)
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.dry_run import try_views
from orm_views_core.engines.postgresql.locking.locks import releasing_locks
from orm_views_core.names import ViewName
from orm_views_core.plan.builder import make_plan
from orm_views_core.plan.diff import NO_DIFFERENCES, Scope, find_orphans, find_scope
from orm_views_core.plan.facts import Facts
from orm_views_core.plan.steps import Plan

from .external_dependents import (
    as_definition,
    find_external_dependents,
    why_not_tried,
    with_external_dependents,
)
from .options import SyncOptions
from .refusals import refuse_missing_roles, refuse_to_drop_all, why_not_try


def plan_database(connection: BaseDatabaseWrapper, options: SyncOptions, *, try_missing: bool) -> Plan:
    """Read, try and plan, inside a transaction. What is tried is rolled back.

    Args:
        connection: the database.
        options: what the sync is asked for.
        try_missing: also try the views that do not exist yet. A sync that applies the plan in the same
            transaction need not, because creating them shows the same errors.

    Raises:
        OrmViewsError: when a view is invalid or a role is missing.
    """
    definitions = compile_definitions(connection)
    definitions.raise_errors()
    roles = {role for definition in definitions.views.values() for role in definition.grant_select_to}
    roles |= {*options.grant_select_to}
    catalog = read_catalog(connection, schemas_of(definitions), roles)
    refuse_missing_roles(definitions, roles, catalog, options)
    orphans = find_orphans(definitions, catalog)
    refuse_to_drop_all(definitions, orphans, options)
    catalog = with_external_dependents(connection, catalog)
    dropped = [name for name in orphans if options.only is None or name in options.only]
    external_names = find_external_dependents(definitions, catalog, orphans)
    untried = why_not_tried(connection, catalog, external_names)
    scope = find_scope(
        definitions.views,
        catalog,
        external=[name for name in external_names if name not in untried],
        command_roles=options.grant_select_to,
        only=options.only,
        force=options.force,
        try_missing=try_missing,
    )
    if problem := why_not_try(definitions, catalog, scope, dropped):
        return Plan(definitions.database, problems=(problem,), unchanged=len(definitions.views))
    if scope.try_views:
        with releasing_locks(connection):
            catalog = with_definitions(connection, catalog, scope.try_views)
    external = {name: as_definition(definitions.database, catalog.relations[name]) for name in external_names}
    facts = _try(connection, definitions, catalog, scope, external, options, orphans, dropped)
    return make_plan(replace(facts, untried=untried))


def _try(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    catalog: Catalog,
    scope: Scope,
    external: Mapping[ViewName, ViewDefinition],
    options: SyncOptions,
    orphans: Sequence[ViewName],
    dropped: Sequence[ViewName],
) -> Facts:
    """Try the views of the scope, and collect what the plan needs to know."""
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
    leaving = [*installed.values(), *(catalog.relations[name] for name in orphans)]
    missing = [name for name, difference in scope.differences.items() if difference.missing]
    new_or_changed = {*missing, *tried} & set(definitions.views)
    indexes = {ViewName(n.schema, i.name) for n in new_or_changed for i in definitions.views[n].indexes}
    # No name is taken in a schema that does not exist yet.
    new_names = [name for name in (*missing, *sorted(indexes)) if name.schema in catalog.schemas]
    return Facts(
        definitions.database,
        definitions.views,
        catalog,
        scope,
        dry_run,
        ddl,
        external=external,
        extras=extras,
        keep=keep,
        taken=read_taken(connection, new_names),
        taken_schemas=read_schemas(connection, STAGING) if tried else (),
        dependents=read_other_dependents(connection, leaving),
        extensions=read_extensions(connection, leaving),
        command_roles=options.grant_select_to,
        orphans=orphans,
        dropped=dropped,
        force=options.force,
        drop_dependents=options.drop_dependents,
    )


def _read_extras(
    connection: BaseDatabaseWrapper, installed: Mapping[ViewName, InstalledView]
) -> dict[ViewName, tuple[Extra, ...]]:
    if not installed:
        return {}
    with releasing_locks(connection), catalog_cursor(connection) as cursor:
        extras = read_extras(cursor, [view.oid for view in installed.values()])
    return {name: extras.get(view.oid, ()) for name, view in installed.items()}
