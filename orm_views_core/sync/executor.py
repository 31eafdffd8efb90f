"""Carrying out a plan: the only module that changes views. It runs in the caller's transaction.

First it builds everything that makes nobody wait. Then it swaps: it locks readers out, drops the old
versions and moves the new ones to their places. When the swap cannot get a lock, only the swap is tried
again: what was built stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.engine import StatementKind
from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.building import building
from orm_views_core.engines.postgresql.catalog.fetch import read_time
from orm_views_core.engines.postgresql.catalog.preconditions import read_unreadable
from orm_views_core.engines.postgresql.errors.diagnostics import INSUFFICIENT_PRIVILEGE, sqlstate
from orm_views_core.engines.postgresql.errors.refusals import (
    NOT_COMPUTED,
    database_refused,
    is_fault_of_view,
    is_of_rows,
    is_refusal,
    is_refusal_of_one,
    view_refused,
)
from orm_views_core.engines.postgresql.locking.locks import in_savepoint
from orm_views_core.engines.postgresql.locking.tries import short_and_often
from orm_views_core.engines.postgresql.staging import create_staging, staged_first
from orm_views_core.exceptions import PlanBlockedError, ViewSQLError
from orm_views_core.names import ViewKind, ViewName, printable
from orm_views_core.plan.preconditions import cannot_be_read
from orm_views_core.plan.steps import Action, Phase, Plan, Statement, Step
from orm_views_core.sentences import says

from .recorder import Outcome, read_refreshed, record
from .refusals import FAILED
from .swap_locks import check_that_nothing_was_changed, lock_readers_out

#: How many short steps are sent together: a round trip takes longer than they do.
_BATCH = 250
_LONG = {Action.CREATE, Action.REBUILD, Action.INDEX}


@dataclass(frozen=True)
class StepResult:
    """A step that was carried out.

    Attributes:
        step: the step.
        seconds: how many seconds its part before the swap took; None for a step that was sent together with
            others.
    """

    step: Step
    seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """What to call while a plan is carried out.

    Attributes:
        on_step: called before each step.
        on_done: called after each step's part before the swap.
        on_swap: called before the swap.
        on_swapped: called after the swap, with the seconds that readers were locked out.
        on_wait: called with what is waited for.
    """

    on_step: Callable[[Step], None] | None = None
    on_done: Callable[[StepResult], None] | None = None
    on_swap: Callable[[Plan], None] | None = None
    on_swapped: Callable[[float], None] | None = None
    on_wait: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Applied:
    """The steps that were carried out, and for how many seconds at most readers were locked out."""

    steps: tuple[StepResult, ...]
    swap_seconds: float | None = None


@dataclass(frozen=True)
class _Run:
    """What every part of carrying out a plan needs. ``path`` is the search path of what is built."""

    connection: BaseDatabaseWrapper
    cursor: CursorWrapper
    plan: Plan
    progress: Progress
    path: str


def apply_plan(
    connection: BaseDatabaseWrapper,
    plan: Plan,
    *,
    command_roles: Sequence[str] = (),
    progress: Progress | None = None,
) -> Applied:
    """Carry out a plan.

    Args:
        connection: its database, inside a transaction that holds the sync lock.
        plan: a plan without problems.
        command_roles: the roles that only the command line named; the sync state records them.
        progress: what to call meanwhile.

    Raises:
        ViewSQLError: when PostgreSQL refuses the SQL of a view.
        SyncFailedError: when PostgreSQL refuses anything else.
        PlanBlockedError: when a new view reads what the role may not read.
        LockNotAvailableError: when readers could not be locked out within LOCK_WAIT.
        Overtaken: when somebody has changed what the plan was made from.

    After any of these the caller has to roll the transaction back.
    """
    if not plan.steps:
        return Applied(())
    with connection.cursor() as cursor:
        now = read_time(cursor)
        create_staging(cursor, plan.staging)
        with staged_first(cursor, plan.staging, plan.search_path) as path:
            run = _Run(connection, cursor, plan, progress or Progress(), path)
            results: list[StepResult] = []
            refreshed: dict[ViewName, InstalledView] = {}
            for steps in _batches(plan.steps):
                refreshed |= _build(run, steps, results)
            filled = (done for done in results if done.step.fills and not done.step.deferred)
            outcome = Outcome(
                now=now,
                seconds={done.step.name: done.seconds for done in filled if done.seconds is not None},
                refreshed=refreshed,
                command_roles=command_roles,
            )
            _check_that_all_can_be_read(run)
            # Everything that the swap does not record has its final comment before.
            later = plan.recorded_in_swap
            record(connection, cursor, [step for step in plan.steps if step.name not in later], outcome)
            swap_seconds = _swap(run, outcome) if plan.swap else None
        for stage in plan.staging.values():
            cursor.execute(ddl.drop_schema(stage))  # fails if anything was left in it
    return Applied(tuple(results), swap_seconds)


def _build(run: _Run, steps: Sequence[Step], results: list[StepResult]) -> dict[ViewName, InstalledView]:
    """Send what some steps do before the swap, and append their results.

    Returns:
        what :func:`read_refreshed` returned before the statements were sent.
    """
    for step in steps:
        if run.progress.on_step:
            run.progress.on_step(step)
    statements = [(step, sent) for step in steps for sent in step.statements if sent.phase is Phase.BUILD]

    def work(_timeout: float) -> tuple[dict[ViewName, InstalledView], float]:
        started = time.perf_counter()  # of this try: the time of earlier ones was spent waiting for locks
        refreshed = read_refreshed(run.connection, steps)
        _send(run, statements)
        return refreshed, time.perf_counter() - started

    refreshed, seconds = (
        in_savepoint(run.connection, work, on_wait=run.progress.on_wait) if statements else ({}, 0.0)
    )
    for step in steps:
        results.append(StepResult(step, seconds if len(steps) == 1 else None))
        if run.progress.on_done:
            run.progress.on_done(results[-1])
    return refreshed


def _check_that_all_can_be_read(run: _Run) -> None:
    """Check that the new views which were not tried read nothing that the role may not read."""
    created = {
        step.name: step.definition
        for step in run.plan.steps
        if step.action is Action.CREATE and step.definition and step.expected is None
    }
    role, unreadable = read_unreadable(run.connection, list(created))
    if unreadable:
        raise PlanBlockedError([cannot_be_read(created[n], role, tables) for n, tables in unreadable.items()])


def _send(run: _Run, statements: Sequence[tuple[Step, Statement]]) -> None:
    """Send statements together or, when one of them is refused, one by one to find out which.

    Those that compute rows are never sent together with others, so that no row is computed twice.
    """
    for computes, group in groupby(statements, lambda pair: _computes_rows(*pair)):
        alike = list(group)  # what computes rows is of one step
        definition = alike[0][0].definition if computes else None
        settings, where = (definition.build_settings, definition.where) if definition else ((), "")
        with building(run.connection, settings, where):
            _send_alike(run, alike, together=not computes)


def _send_alike(run: _Run, statements: Sequence[tuple[Step, Statement]], *, together: bool) -> None:
    if together and len(statements) > 1:
        try:
            with transaction.atomic(using=run.connection.alias):
                send(run.cursor, _along_their_paths([sent for _, sent in statements], run.path))
            return
        except DatabaseError as error:
            if not is_refusal_of_one(error):
                raise
    for step, statement in statements:
        try:
            for sql in _along_their_paths([statement], run.path):
                send(run.cursor, [sql])
        except DatabaseError as error:
            if not is_refusal(error):
                raise
            is_declared = statement.kind is not StatementKind.OTHER
            computes = _computes_rows(step, statement)
            was_tried = step.expected is not None and not computes
            if step.definition and is_declared and is_fault_of_view(error, was_tried=was_tried):
                refused = view_refused(
                    step.definition, statement.kind, statement.sql, error, computes=computes
                )
                raise _naming_the_owner(refused, step, error) if computes else refused from error
            where = step.definition.where if step.definition else step.target
            is_of_its_rows = computes and statement.kind is StatementKind.QUERY and is_of_rows(error)
            failed = NOT_COMPUTED if is_of_its_rows else FAILED[step.action]
            what = says("%(where)s: %(what)s", where=where, what=failed)
            raise database_refused(run.connection, what, error) from error


def _naming_the_owner(refused: ViewSQLError, step: Step, error: DatabaseError) -> ViewSQLError:
    """Return an error about missing rights with the role whose rights they are: rows are the owner's."""
    if sqlstate(error) != INSUFFICIENT_PRIVILEGE or step.installed is None:
        return refused
    owner = printable(step.installed.owner)
    words = says("Its rows are computed with the rights of %(owner)s, its owner.", owner=owner)
    return ViewSQLError(refused.message.followed_by(words, "\n"), refused.why)


def _along_their_paths(statements: Sequence[Statement], path: str) -> Iterator[str]:
    """Yield the SQL of some statements. Only ``pg_catalog`` is searched for names in canonical ones.

    Args:
        path: the search path of the others.
    """
    for is_canonical, group in groupby(statements, lambda statement: statement.is_canonical):
        if is_canonical:
            yield "SET LOCAL search_path TO pg_catalog, pg_temp"
        yield from (statement.sql for statement in group)
        if is_canonical:
            yield f"SET LOCAL search_path TO {path}"


def _swap(run: _Run, outcome: Outcome) -> float:
    """Replace the old versions with the new ones; return for how many seconds readers were locked out."""

    def work(timeout: float) -> float:
        started, seconds = time.perf_counter(), dict(outcome.seconds)
        lock_readers_out(run.cursor, run.plan, timeout)
        check_that_nothing_was_changed(run.cursor, run.plan)
        for filled, statements in groupby(run.plan.swap, lambda pair: _filled_in_place(pair[0])):
            began = time.perf_counter()
            _send(run, list(statements))
            if filled is not None:  # the last group of a view fills it; an earlier one is its DROP
                seconds[filled] = time.perf_counter() - began
        recorded = run.plan.recorded_in_swap
        steps = [step for step in run.plan.steps if step.name in recorded]
        record(run.connection, run.cursor, steps, replace(outcome, seconds=seconds))
        return time.perf_counter() - started

    if run.progress.on_swap:
        run.progress.on_swap(run.plan)
    relations = [step.installed.oid for step in run.plan.swapped if step.installed]
    swap_seconds = in_savepoint(
        run.connection, work, relations=relations, tries=short_and_often, on_wait=run.progress.on_wait
    )
    if run.progress.on_swapped:
        run.progress.on_swapped(swap_seconds)
    return swap_seconds


def _batches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Group the steps that take little time. Those that compute rows or indexes are alone."""
    for is_long, group in groupby(steps, _is_long):
        alike, size = list(group), 1 if is_long else _BATCH
        for start in range(0, len(alike), size):
            yield alike[start : start + size]


def _is_long(step: Step) -> bool:
    return step.action in _LONG and step.kind is ViewKind.MATERIALISED_VIEW


def _computes_rows(step: Step, statement: Statement) -> bool:
    """Return whether a statement may compute rows or an index. In the swap only deferred steps do."""
    return _is_long(step) and (statement.phase is Phase.BUILD or bool(step.deferred))


def _filled_in_place(step: Step) -> ViewName | None:
    """Return the name of a materialised view that is built in the swap."""
    return step.name if step.deferred and step.fills else None
