"""Reads and tries everything that a plan is made of, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.extras import Extra, worth_keeping
from orm_views_core.database.relations import Catalog
from orm_views_core.database.staging import PREFIX as STAGING
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.dependencies import read_other_dependents
from orm_views_core.engines.postgresql.catalog.details import read_digests
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.introspection import (
    read_catalog,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.preconditions import (
    read_array_types,
    read_extensions,
    read_schemas,
    read_taken,
)
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.dry_run import WhileStaged, try_views
from orm_views_core.engines.postgresql.locking.locks import releasing_locks
from orm_views_core.engines.postgresql.untrusted import hold_views
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.plan.builder import make_plan
from orm_views_core.plan.diff import NO_DIFFERENCES, Scope, find_left_behind, find_orphans, find_scope
from orm_views_core.plan.facts import Facts
from orm_views_core.plan.steps import Action, Plan
from orm_views_core.privacy.guarded import plan_guard

from .blame import naming_sources
from .external_dependents import (
    as_definition,
    find_external_dependents,
    why_not_parsed,
    why_not_tried,
    with_external_dependents,
)
from .options import SyncOptions
from .overtaken import check_missing, check_relations, read_consistently
from .refusals import refuse_missing_roles, refuse_to_drop_all, refused_settings, why_not_try
from .selection import still_needed


class _Needs(Exception):  # noqa: N818 - not an error: the plan is made again with these views
    """The views to sync cannot do without the changes of some others, which are its arguments."""


class _CannotTryMissing(Exception):  # noqa: N818 - not an error: the plan is made again without trying them
    """Views that do not exist yet can only be tried by creating them in their places."""


@read_consistently()
def plan_database(
    connection: BaseDatabaseWrapper, options: SyncOptions, *, try_missing: bool, anew: bool = True
) -> Plan:
    """Read, try and plan, inside a transaction. What is tried is rolled back.

    Args:
        connection: the database.
        options: what the sync is asked for.
        try_missing: also try the views that do not exist yet. A sync that applies the plan in the same
            transaction need not, because creating them shows the same errors.
        anew: compile the classes anew. Whoever has done so in the same run need not.

    Raises:
        OrmViewsError: when a view is invalid or a role is missing.
        Overtaken: when others have changed what was read.
    """
    try:
        return _plan(connection, options, try_missing=try_missing, anew=anew)
    except _CannotTryMissing:
        return _plan(connection, options, try_missing=False, anew=False, judges_late=True)
    except _Needs as needs:
        options = replace(options, only={*(options.only or ()), *needs.args})
        return plan_database(connection, options, try_missing=try_missing, anew=anew)


def _plan(
    connection: BaseDatabaseWrapper,
    options: SyncOptions,
    *,
    try_missing: bool,
    anew: bool,
    judges_late: bool = False,
) -> Plan:
    definitions = compile_definitions(connection, anew=anew)
    definitions.raise_errors()
    guard = plan_guard(connection, definitions, options.grant_select_to)
    # The guard judges what is tried. So that it comes first, the missing views are tried too.
    tries_for_guard = guard is not None and not try_missing and not judges_late
    roles = {role for definition in definitions.views.values() for role in definition.grant_select_to}
    roles |= {*options.grant_select_to}
    # Before the catalog: what is changed between the two makes the fingerprint another one.
    digests = read_digests(connection, definitions.schemas) if options.is_confirmed else {}
    catalog = read_catalog(
        connection,
        definitions.schemas,
        roles,
        elsewhere=not definitions.follows_connection,
        registered=definitions.views,
    )
    refuse_missing_roles(definitions, roles, catalog, options)
    orphans = find_orphans(definitions, catalog)
    refuse_to_drop_all(definitions, orphans, options)
    catalog = with_external_dependents(connection, catalog)
    dropped = [name for name in orphans if options.only is None or name in options.only]
    external_names = find_external_dependents(definitions, catalog, orphans)
    extras: Mapping[ViewName, tuple[Extra, ...]] = {}
    with ExitStack() as stack:
        views = [catalog.relations[name] for name in external_names]
        views = [view for view in views if view.kind and view.is_ours_to_change and not view.is_temporary]
        if options.is_confirmed and external_names:
            others = [catalog.relations[name].oid for name in external_names]
            digests = {**read_digests(connection, oids=others), **digests}
        if views:
            # Their owners cannot change them between the check that they may be parsed and the reading.
            stack.enter_context(releasing_locks(connection))
            hold_views(connection, [view.name for view in views])
        untried = why_not_tried(connection, catalog, external_names)
        scope = find_scope(
            definitions.views,
            catalog,
            external=[name for name in external_names if name not in untried],
            command_roles=options.grant_select_to,
            only=options.only,
            leave=options.leave,
            force=options.force,
            try_missing=try_missing or tries_for_guard,
        )
        problem = why_not_try(definitions, catalog, scope, dropped)
        if not problem and scope.try_views:
            if not views:
                stack.enter_context(releasing_locks(connection))
            catalog = with_definitions(connection, catalog, scope.try_views)
            extras = _read_extras(connection, catalog, scope)
            problem = why_not_parsed(connection, definitions, catalog, extras)
    if problem and tries_for_guard:
        raise _CannotTryMissing
    if problem:
        return Plan(
            definitions.database,
            problems=(problem,),
            unchanged=len(scope.looked_at & definitions.views.keys()),
            skipped=definitions.skipped,
        )
    external = {name: as_definition(definitions.database, catalog.relations[name]) for name in external_names}
    while_staged: WhileStaged | None = guard.read_staged if guard else None
    meanings = None
    if options.tells_meanings and any(name in catalog.relations for name in scope.try_views):
        from .meanings import MeaningReader, each_of  # a sync does without

        meanings = MeaningReader(definitions.names)
        while_staged = each_of(while_staged, meanings.read_staged)
    try:
        facts = _try(
            connection, definitions, catalog, scope, external, extras, options, orphans, dropped, while_staged
        )
    except InvalidViewError:
        if tries_for_guard:
            raise _CannotTryMissing from None
        raise
    plan = make_plan(replace(facts, untried=untried))
    plan = replace(plan, problems=(*plan.problems, *refused_settings(connection, plan)))
    if guard:
        plan = guard.judge(plan, catalog, scope)
    if meanings:
        plan = meanings.add_to(plan)
    plan = _with_dropped_definitions(connection, catalog, plan)
    return replace(plan, judged_late=judges_late, digests=digests, skipped=definitions.skipped)


def _with_dropped_definitions(connection: BaseDatabaseWrapper, catalog: Catalog, plan: Plan) -> Plan:
    """Return a plan in which the views to drop have their definitions, so that it is known what they were."""
    drops = [step for step in plan.steps if step.action is Action.DROP and step.installed]
    unknown = {step.name for step in drops if step.installed and step.installed.definition is None}
    if not unknown:
        return plan
    with releasing_locks(connection):
        read = with_definitions(connection, catalog, unknown, wait=False).relations
    steps = [replace(s, installed=read[s.name]) if s.name in unknown else s for s in plan.steps]
    return replace(plan, steps=tuple(steps))


def _try(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    catalog: Catalog,
    scope: Scope,
    external: Mapping[ViewName, ViewDefinition],
    extras: Mapping[ViewName, tuple[Extra, ...]],
    options: SyncOptions,
    orphans: Sequence[ViewName],
    dropped: Sequence[ViewName],
    while_staged: WhileStaged | None,
) -> Facts:
    """Try the views of the scope, and collect what the plan needs to know."""
    views = {**definitions.views, **external}
    # A table with a column of a view's row type is an external dependent too, and cannot be tried.
    tried = [n for n in scope.try_views if n not in catalog.relations or catalog.relations[n].kind]
    installed = {name: catalog.relations[name] for name in tried if name in catalog.relations}
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
        installed,
        catalog.search_path,
        extras=keep,
        role=catalog.session.role,
        while_staged=while_staged,
    )
    if dry_run.errors:
        check_relations(connection, catalog)
        if more := still_needed(definitions.views, catalog, scope, dry_run.errors):
            raise _Needs(*more)
        dry_run = naming_sources(dry_run, scope.dependencies, definitions.views)
    dry_run.raise_errors(external)
    leaving = [*installed.values(), *(catalog.relations[name] for name in orphans)]
    missing = [name for name, difference in scope.differences.items() if difference.missing]
    new_or_changed = {*missing, *tried} & set(definitions.views)
    indexes = {ViewName(n.schema, i.name) for n in new_or_changed for i in definitions.views[n].indexes}
    # No name is taken in a schema that does not exist yet.
    new_names = [name for name in (*missing, *sorted(indexes)) if name.schema in catalog.schemas]
    taken = read_taken(connection, new_names)
    check_missing(missing, taken)
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
        taken=taken,
        array_types=read_array_types(connection, [*missing, *tried]) if installed else {},
        taken_schemas=read_schemas(connection, STAGING) if tried else (),
        dependents=read_other_dependents(connection, leaving),
        extensions=read_extensions(connection, leaving),
        command_roles=options.grant_select_to,
        orphans=orphans,
        left_behind=find_left_behind(definitions, catalog),
        dropped=dropped,
        force=options.force,
        drop_dependents=options.drop_dependents,
    )


def _read_extras(
    connection: BaseDatabaseWrapper, catalog: Catalog, scope: Scope
) -> dict[ViewName, tuple[Extra, ...]]:
    """Return the extras of the views that are tried and exist already."""
    found = [catalog.relations[name] for name in scope.try_views if name in catalog.relations]
    installed = {view.name: view.oid for view in found if view.kind}
    if not installed:
        return {}
    with catalog_cursor(connection) as cursor:
        extras = read_extras(cursor, list(installed.values()))
    return {name: extras.get(oid, ()) for name, oid in installed.items()}
