"""The end of a transaction with migrations: the views of others fit, and ours are synced."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.catalog.search_path import read_search_path
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.engines.postgresql.stand_ins.catalog import drop_unused_functions
from orm_views_core.exceptions import OrmViewsError, PlanBlockedError
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import find_orphans, sources_of
from orm_views_core.plan.steps import Action, Plan
from orm_views_core.quoting import Quoting, embedded
from orm_views_core.sentences import listed, says
from orm_views_core.sync.api import SyncResult
from orm_views_core.sync.executor import Progress, apply_plan
from orm_views_core.sync.inputs import plan_database
from orm_views_core.sync.options import SyncOptions
from orm_views_core.sync.overtaken import applied_as_planned
from orm_views_core.sync.refusals import may_need_a_migration

from .aside import Aside
from .misfits import drop_misfits
from .options import MigrateOptions


@dataclass(frozen=True)
class Finished:
    """How a transaction with migrations ended.

    Attributes:
        synced: what the sync did.
        is_unfinished: whether another sync has to build materialised views.
        dropped: the views of others that did not fit.
        waiting: why the views came back as they were and are not synced; "" when they are.
    """

    synced: SyncResult | None = None
    is_unfinished: bool = False
    dropped: tuple[ViewName, ...] = ()
    waiting: str = ""


def finish(
    connection: BaseDatabaseWrapper,
    aside: Aside,
    options: MigrateOptions,
    on_plan: Callable[[Plan], None],
    progress: Progress | None,
) -> Finished:
    """Sync the views after the last migration, in its transaction.

    Materialised views whose rows have to be computed keep their old rows until the next sync.

    Raises:
        PlanBlockedError: when a view does not fit the new tables.
        OrmViewsError: when a view is invalid.
    """
    dropped = _settle_misfits(aside, options)
    before = dict(aside.views)
    try:
        with transaction.atomic(using=connection.alias), as_sync_role(connection):
            return replace(_sync(connection, aside, options, on_plan, progress), dropped=dropped)
    except OrmViewsError as error:
        if not options.is_partial or not may_need_a_migration(error):
            raise
        aside.views = before
        dropped += _restore(aside, options, error)
        return Finished(dropped=dropped, waiting=str(error))


def _sync(
    connection: BaseDatabaseWrapper,
    aside: Aside,
    options: MigrateOptions,
    on_plan: Callable[[Plan], None],
    progress: Progress | None,
) -> Finished:
    began = time.perf_counter()
    make_plan = partial(plan_database, connection, try_missing=True, anew=False)
    wanted, later = options.of_sync, frozenset[ViewName]()
    if not options.rebuild_inside:
        wanted, later = _split(connection, aside, wanted)
    while True:
        wanted = replace(wanted, leave=later & aside.views.keys())
        plan = _without_problems(make_plan(wanted))
        in_the_way = _built(plan) & later - aside.views.keys()
        # What is new cannot be put aside: a view that comes back now reads it, so it is built now.
        if not in_the_way or not aside.put(dict.fromkeys(in_the_way, says("what it reads is rebuilt"))):
            break
    on_plan(plan)
    with applied_as_planned(connection, plan, partial(make_plan, wanted)):
        applied = apply_plan(connection, plan, command_roles=wanted.grant_select_to, progress=progress)
    drop_unused_functions(connection)
    result = SyncResult(plan, applied.steps, time.perf_counter() - began, applied.swap_seconds)
    if not later:
        return Finished(result)
    # What is left is tried, too: an error has to take the migrations back.
    rest = _without_problems(make_plan(replace(options.of_sync, only=later)))
    return Finished(result, is_unfinished=not rest.is_empty)


def _restore(aside: Aside, options: MigrateOptions, error: OrmViewsError) -> tuple[ViewName, ...]:
    """Bring all views back as they were, because their classes need what later migrations make.

    Returns:
        the views that were dropped, because they do not fit and ``drop_dependents`` is set.

    Raises:
        PlanBlockedError: when one of them does not fit the tables any more.
    """
    aside.bring_back(ours=True)
    if options.drop_dependents:
        return _drop_misfits(aside)
    if aside.views:
        raise PlanBlockedError(
            [
                embedded(
                    listed(
                        [
                            says(
                                "%(view)s stood against a migration (%(why)s). What it was does not fit any "
                                "more: %(misfit)s. What its class says does not fit yet: %(error)s",
                                view=name,
                                why=each.why,
                                misfit=aside.misfits.get(name, ""),
                                error=error.message,
                            ),
                            says(
                                "Apply the migrations that follow in the same run, or use --drop-dependents "
                                "to drop it. Then the next sync creates it anew."
                            ),
                        ],
                        "\n",
                    )
                )
                for name, each in sorted(aside.views.items())
            ]
        )
    return ()


def _split(
    connection: BaseDatabaseWrapper, aside: Aside, wanted: SyncOptions
) -> tuple[SyncOptions, frozenset[ViewName]]:
    """Return the options of a sync without materialised views, and what is left to the sync after it.

    That is the materialised views, and what reads them. A plain view that is put aside has to come back now,
    so what it cannot do without is built now.
    """
    definitions = compile_definitions(connection, anew=False)
    _, path = read_search_path(connection)
    reads = {
        name: sources_of(definition, definitions.names, path)
        for name, definition in definitions.views.items()
    }
    stored = {n for n, d in definitions.views.items() if d.kind is ViewKind.MATERIALISED_VIEW}
    plain = {name for name, each in aside.views.items() if each.view.kind is ViewKind.VIEW}
    later = frozenset(closure(reverse(reads), stored) & reads.keys() - plain | stored)
    return (replace(wanted, only=_everything(connection, definitions) - later) if later else wanted), later


def _everything(connection: BaseDatabaseWrapper, definitions: Definitions) -> set[ViewName]:
    """Return the views that classes declare, and the orphans."""
    return {*definitions.names, *find_orphans(definitions, read_catalog(connection, definitions.schemas))}


def _without_problems(plan: Plan) -> Plan:
    if plan.problems:
        raise PlanBlockedError(plan.problems)
    return plan


def _settle_misfits(aside: Aside, options: MigrateOptions) -> tuple[ViewName, ...]:
    if not aside.misfits:
        return ()
    if options.drop_dependents:
        return _drop_misfits(aside)
    raise PlanBlockedError(
        [
            Quoting(
                says(
                    "%(view)s, which is not ours, stood against a migration (%(stood)s), and does not fit "
                    "any more: %(why)s. Change or drop it first, or use --drop-dependents to drop it.",
                    view=name,
                    stood=aside.views[name].why,
                    why=why,
                ),
                says(
                    "%(view)s, which is not ours, stood against a migration, and does not fit any more.",
                    view=name,
                ),
            )
            for name, why in sorted(aside.misfits.items())
        ]
    )


def _drop_misfits(aside: Aside) -> tuple[ViewName, ...]:
    misfits = aside.misfits.keys() & aside.views.keys()
    dropped = drop_misfits(aside.connection, misfits, aside.read, aside.definitions.names)
    aside.forget(dropped)
    return tuple(dropped)


def _built(plan: Plan) -> set[ViewName]:
    """Return the materialised views whose rows a plan computes."""
    building = {Action.CREATE, Action.REBUILD}
    steps = [step for step in plan.steps if step.fills and step.action in building]
    return {step.name for step in steps if step.kind is ViewKind.MATERIALISED_VIEW}
