"""Plans and syncs of engines whose views are changed one after the other, where they stand."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.definitions.skipped import naming_skipped
from orm_views_core.engines.base import PlainEngine, Record
from orm_views_core.engines.plain.fitting import fitted
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.plan.builder import warn_of_left_behind
from orm_views_core.plan.diff import find_left_behind, find_orphans, find_scope, wanted_readers
from orm_views_core.plan.plain import PlainFacts, PlainWriter, make_plain_plan
from orm_views_core.plan.steps import Action, Plan, Step
from orm_views_core.privacy.marks import are_used
from orm_views_core.sentences import Sentence, listed, says

from .executor import Applied, Progress, StepResult
from .options import SyncOptions
from .refusals import refuse_missing_roles, refuse_to_drop_all
from .stopped import stopped

_NEW = {Action.CREATE, Action.REPLACE}


def plan_plainly(
    connection: BaseDatabaseWrapper, engine: PlainEngine, options: SyncOptions, *, anew: bool = True
) -> Plan:
    """Read, try and plan. What is tried is rolled back, or dropped again.

    Args:
        connection: the database.
        engine: its engine.
        options: what the sync is asked for.
        anew: compile the classes anew. Whoever has done so in the same run need not.

    Raises:
        OrmViewsError: when a view is invalid or a role is missing.
    """
    definitions = compile_definitions(connection, anew=anew)
    definitions.raise_errors()
    can = engine.spelling.abilities
    command_roles = options.grant_select_to if can.grants else ()
    roles = {role for definition in definitions.views.values() for role in definition.grant_select_to}
    read = engine.read_catalog(connection, definitions, roles | {*command_roles})
    catalog = fitted(read, definitions)
    if can.grants:
        refuse_missing_roles(definitions, roles | {*command_roles}, catalog, options)
    orphans = find_orphans(definitions, catalog)
    refuse_to_drop_all(definitions, orphans, options)
    dropped = [name for name in orphans if options.only is None or name in options.only]
    scope = find_scope(
        definitions.views,
        catalog,
        command_roles=command_roles,
        only=options.only,
        leave=options.leave,
        force=options.force,
    )
    dry_run = engine.try_views(connection, [definitions.views[n] for n in scope.try_views], catalog)
    dry_run = replace(dry_run, errors=naming_skipped(dry_run.errors, definitions.views))
    dry_run.raise_errors()
    plan = make_plain_plan(
        PlainFacts(
            definitions.database,
            engine.spelling.title,
            definitions.views,
            catalog,
            scope,
            dry_run,
            PlainWriter(engine.create_view, engine.drop_view, engine.grant, engine.blocks),
            atomic=can.atomic,
            command_roles=command_roles,
            dropped=dropped,
            force=options.force,
            broken=read.broken,
        )
    )
    left_behind = warn_of_left_behind(find_left_behind(definitions, catalog))
    warnings = (*plan.warnings, *left_behind, *_warnings(engine, options))
    return replace(plan, warnings=warnings, skipped=definitions.skipped)


def _warnings(engine: PlainEngine, options: SyncOptions) -> Iterator[Sentence]:
    """Yield what the engine leaves out of what was asked for, and what nobody looks at."""
    title, can = engine.spelling.title, engine.spelling.abilities
    if options.grant_select_to and not can.grants:
        roles = listed(options.grant_select_to)
        yield says("%(engine)s has no roles. Nothing is granted to %(roles)s.", engine=title, roles=roles)
    if can.grants and are_used():
        yield says("On %(engine)s nothing looks for personal columns in views.", engine=title)


def apply_plainly(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    plan: Plan,
    options: SyncOptions,
    progress: Progress | None = None,
) -> Applied:
    """Carry out a plan, step by step.

    Args:
        connection: the database, in the engine's ``turn()``.
        engine: its engine.
        plan: a plan without problems.
        options: what the sync is asked for.
        progress: what to call meanwhile.

    Raises:
        OrmViewsError: when the engine refuses a step. Unless the sync is atomic, it says what was done.
    """
    progress = progress or Progress()
    results: list[StepResult] = []
    now = dt.datetime.now(dt.timezone.utc)
    for step in plan.steps:
        if progress.on_step:
            progress.on_step(step)
        started = time.perf_counter()
        statements = [statement.sql for statement in step.statements]
        try:
            engine.carry_out(connection, step.name, statements, _record(step, options, now))
        except (DatabaseError, OrmViewsError) as error:
            raise stopped(engine, plan, results, error) from error
        results.append(StepResult(step, time.perf_counter() - started))
        if progress.on_done:
            progress.on_done(results[-1])
    return Applied(tuple(results))


def _record(step: Step, options: SyncOptions, now: dt.datetime) -> Record | None:
    if step.definition is None:
        return None
    old = step.installed.state if step.installed else None
    return Record(step.definition, step.installed, _state(step.definition, old, step, options, now))


def _state(
    definition: ViewDefinition, old: SyncState | None, step: Step, options: SyncOptions, now: dt.datetime
) -> SyncState:
    named = wanted_readers(definition, [*(old.granted_by_command if old else ()), *options.grant_select_to])
    return SyncState(
        database=definition.database,
        code=definition.fingerprint,
        installed=old.installed if old else "",
        synced=old.synced if old and step.action not in _NEW else now,
        granted=definition.grant_select_to,
        granted_by_command=tuple(role for role in named if role not in definition.grant_select_to),
    )
