"""Carrying out a Plan: the only module that writes views. All of it in the caller's transaction.

First everything is built that nobody is kept waiting for, then the swap: readers are locked out, the old
versions go, the new ones take their places. Of the two only the swap is tried again when a lock cannot be
had; what was built stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.fetch import read_time
from orm_views_core.engines.postgresql.catalog.introspection import canonical_names, read_again
from orm_views_core.engines.postgresql.catalog.preconditions import read_unreadable
from orm_views_core.engines.postgresql.errors import (
    database_refused,
    is_fault_of_view,
    is_refusal,
    view_refused,
)
from orm_views_core.engines.postgresql.locks import Overtaken, in_savepoint
from orm_views_core.engines.postgresql.staging import create_staging, staged_first
from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.preconditions import cannot_be_read
from orm_views_core.plan.steps import Action, Phase, Plan, Step

from .recorder import read_refreshed, record

#: Statements that need no error of their own are sent together; a round trip costs more than they do.
_BATCH = 250


@dataclass(frozen=True)
class StepResult:
    """A step that was carried out, and how many seconds its part before the swap took.

    ``seconds`` is None where it was one of many small ones that were sent together.
    """

    step: Step
    seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """What to call as a plan is carried out: before and after each step, before and after the swap."""

    on_step: Callable[[Step], None] | None = None
    on_done: Callable[[StepResult], None] | None = None
    on_swap: Callable[[Plan], None] | None = None
    on_swapped: Callable[[float], None] | None = None
    on_wait: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Applied:
    """What was done, and for how many seconds readers were locked out at most."""

    steps: tuple[StepResult, ...]
    swap_seconds: float | None = None


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
        command_roles: the roles that only the command line named, to be remembered.
        progress: what to call meanwhile.

    Raises:
        ViewSQLError: when PostgreSQL refuses the SQL of a view.
        SyncFailedError: when it refuses anything else.
        LockNotAvailableError: when readers could not be locked out within LOCK_WAIT.
        Overtaken: when somebody has changed what the plan was made of. In every case the transaction is
            to be rolled back.
    """
    if not plan.steps:
        return Applied(())
    with connection.cursor() as cursor:
        return _Run(connection, cursor, plan, command_roles, progress or Progress()).run()


class _Run:
    """A plan while it is carried out."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        cursor: CursorWrapper,
        plan: Plan,
        command_roles: Sequence[str],
        progress: Progress,
    ) -> None:
        self.connection, self.cursor, self.plan = connection, cursor, plan
        self.command_roles, self.progress = command_roles, progress
        self.now = read_time(cursor)
        self.seconds: dict[ViewName, float] = {}
        self.refreshed: dict[ViewName, InstalledView] = {}

    def run(self) -> Applied:
        results: list[StepResult] = []
        create_staging(self.cursor, self.plan.staging)
        with staged_first(self.cursor, self.plan.staging, self.plan.search_path):
            for steps in _batches(self.plan.steps):
                results += self._build(steps)
            self._check_that_all_can_be_read()
            self._tag_what_is_built()
            swap_seconds = self._swap() if self.plan.swap else None
        for stage in self.plan.staging.values():
            self.cursor.execute(ddl.drop_schema(stage))  # fails if anything was forgotten there
        return Applied(tuple(results), swap_seconds)

    def _build(self, steps: Sequence[Step]) -> Iterator[StepResult]:
        """Carry out the part of some steps that comes before the swap."""
        for step in steps:
            if self.progress.on_step:
                self.progress.on_step(step)
        started = time.perf_counter()
        statements = [(step, sql) for step in steps for sql in step.sql_in(Phase.BUILD)]
        if statements:

            def work(_timeout: float) -> None:
                self.refreshed |= read_refreshed(self.cursor, steps)
                self._send(statements)

            in_savepoint(self.connection, work, on_wait=self.progress.on_wait)
        seconds = time.perf_counter() - started
        for step in steps:
            if step.fills and not step.deferred:
                self.seconds[step.name] = seconds
            result = StepResult(step, seconds if len(steps) == 1 else None)
            if self.progress.on_done:
                self.progress.on_done(result)
            yield result

    def _check_that_all_can_be_read(self) -> None:
        """See that new views which were not tried before read nothing that we may not."""
        created = {
            step.name: step.definition
            for step in self.plan.steps
            if step.action is Action.CREATE and step.definition and step.expected is None
        }
        role, unreadable = read_unreadable(self.cursor, list(created))
        if unreadable:
            said = [cannot_be_read(created[name], role, tables) for name, tables in unreadable.items()]
            raise PlanBlockedError(said)

    def _send(self, statements: Sequence[tuple[Step, str]]) -> None:
        """Send statements together; one by one when one is refused, to know which."""
        if len(statements) > 1:
            try:
                with transaction.atomic(using=self.connection.alias):
                    self.cursor.execute(";\n".join(sql for _, sql in statements))
                return
            except DatabaseError as error:
                if not is_refusal(error):
                    raise
        for step, sql in statements:
            self._execute(step, sql)

    def _execute(self, step: Step, sql: str) -> None:
        try:
            self.cursor.execute(sql)
        except DatabaseError as error:
            if not is_refusal(error):
                raise
            made_of_class = sql.startswith(("CREATE ", "COMMENT ", "REFRESH "))
            if step.definition is not None and made_of_class and is_fault_of_view(error):
                raise view_refused(step.definition, sql, error) from error
            where = step.definition.where if step.definition else step.target
            raise database_refused(self.connection, f"{where}: {step.action.verb} failed: ", error) from error

    def _swap(self) -> float:
        """Put the new versions in the place of the old ones; return for how many seconds readers waited."""
        if self.progress.on_swap:
            self.progress.on_swap(self.plan)
        relations = [step.installed.oid for step in self.plan.swapped if step.installed]
        seconds = in_savepoint(
            self.connection, self._try_swap, relations=relations, on_wait=self.progress.on_wait
        )
        if self.progress.on_swapped:
            self.progress.on_swapped(seconds)
        return seconds

    def _try_swap(self, timeout: float) -> float:
        started = time.perf_counter()
        self.cursor.execute(_lock_readers_out(self.plan, timeout))
        self._check_that_nothing_was_changed()
        for filled, statements in groupby(self.plan.swap, lambda statement: _filled_in_place(statement[0])):
            began = time.perf_counter()
            self._send(list(statements))
            if filled is not None:  # its DROP is timed as well, but what it is filled by comes last
                self.seconds[filled] = time.perf_counter() - began
        self._record([s for s in self.plan.steps if s.definition and s.swap_statements and not s.built_at])
        return time.perf_counter() - started

    def _check_that_nothing_was_changed(self) -> None:
        """See that the views are what the plan takes them to be: it took a while to build."""
        swapped = {step.name: step for step in self.plan.swapped}
        with canonical_names(self.cursor):
            found = read_extras(self.cursor, list(self.plan.extras))
            now = read_again(self.cursor, list(swapped))
        for name, step in swapped.items():
            before, after = step.installed, now.get(name)
            assert before is not None
            if after is None or (*_state(after), after.rule) != (*_state(before), before.rule or after.rule):
                raise Overtaken(f"{name} was changed meanwhile")
            added, known = found.get(before.oid, ()), self.plan.extras.get(before.oid, ())
            if _but_comments(added) != _but_comments(known):
                raise Overtaken(f"{name} was given or lost a grant, an index or the like meanwhile")
            new = after.read_by - before.read_by - {s.name for s in self.plan.steps}
            new = frozenset(reader for reader in new if reader.schema not in self.plan.staging.values())
            if new and step.sql_in(Phase.DROP):
                raise Overtaken(f"{min(new)} was made meanwhile and reads {name}")

    def _tag_what_is_built(self) -> None:
        """Tag what the swap leaves as it is, the new versions before they are in their places."""
        built = [s for s in self.plan.steps if s.definition and (s.built_at or not s.swap_statements)]
        swapped_later = {s.name for s in self.plan.steps if s.swap_statements and not s.built_at}
        self._record([step for step in built if step.name not in swapped_later])

    def _record(self, steps: Sequence[Step]) -> None:
        record(
            self.connection,
            self.cursor,
            steps,
            self.now,
            self.seconds,
            self.command_roles,
            refreshed=self.refreshed,
        )


_LONG = {Action.CREATE, Action.REBUILD, Action.INDEX}


def _batches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Put the steps together that take no time worth telling: all but those that compute rows or indexes."""
    batch: list[Step] = []
    for step in steps:
        is_small = not (step.action in _LONG and _kind(step) is ViewKind.MATERIALISED_VIEW)
        if batch and (not is_small or len(batch) == _BATCH):
            yield batch
            batch = []
        if is_small:
            batch.append(step)
        else:
            yield [step]
    if batch:
        yield batch


def _kind(step: Step) -> ViewKind | None:
    if step.definition is not None:
        return step.definition.kind
    return step.installed.kind if step.installed else None


def _filled_in_place(step: Step) -> ViewName | None:
    """Return the name of a materialised view that could not be built beside the old one."""
    return step.name if step.deferred and step.fills else None


def _but_comments(extras: Iterable[Extra]) -> list[Extra]:
    """Leave out the view's comment: a refresh writes its time into it."""
    return [extra for extra in extras if extra.kind != "comment"]


def _state(view: InstalledView) -> tuple[object, ...]:
    """Return what of a view, its rule apart, others may change and no extra tells."""
    return view.oid, view.owner, view.text, view.options


def _lock_readers_out(plan: Plan, timeout: float) -> str:
    """Return the statements that lock all views of the swap, those that read others first.

    All of them together wait for no longer than the time-out: while one is waited for, whoever wants those
    that we have already waits too. ``statement_timestamp()`` is when the string arrived.
    """
    milliseconds = max(1, round(timeout * 1000))
    statements = []
    for step in plan.swapped:
        assert step.installed is not None
        assert step.installed.kind is not None
        statements.append(
            f"SELECT set_config('lock_timeout', greatest(1, {milliseconds} - extract(epoch FROM "
            "clock_timestamp() - statement_timestamp()) * 1000)::int || 'ms', true)"
        )
        creates = step.action in {Action.REPLACE, Action.REBUILD}
        owner = None if creates else step.installed.owner
        statements.append(ddl.lock_view(step.installed.kind, step.name, owner=owner))
    statements.append(f"SELECT set_config('lock_timeout', '{milliseconds}ms', true)")
    return ";\n".join(statements)
