"""Carrying out refreshes in their order, one after another or several at once.

With one job, everything is done on the caller's own connections. With several, each job is a thread with
connections of its own. Listeners are called in the caller's thread in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.db import connections

from orm_views_core.engines.connections import spare_connections
from orm_views_core.exceptions import RefreshError
from orm_views_core.sentences import listed, says

from .listener import Listener, Relay
from .results import Key, Outcome, RefreshResult, Task, result_of
from .schedule import Schedule
from .threads import Workers
from .worker import refresh_one

T = TypeVar("T")


@dataclass(frozen=True)
class _Run:
    """The refreshes of one call. ``results`` has those that have ended, in the order of their ends."""

    tasks: Mapping[Key, Task]
    schedule: Schedule[Key]
    listener: Listener
    results: dict[Key, RefreshResult] = field(default_factory=dict)


def carry_out(tasks: Sequence[Task], listener: Listener, *, jobs: int) -> list[RefreshResult]:
    """Refresh views, each after those that it waits for.

    A failure skips the views that wait for the one that failed, and no others.

    Args:
        tasks: the views.
        listener: hears of each refresh, in this thread.
        jobs: how many to refresh at once. It is one where the caller has a transaction open, because all
            refreshes are then part of that transaction.

    Returns:
        the results, in the order in which the refreshes ended.
    """
    aliases = dict.fromkeys(task.database for task in tasks)
    outside = [alias for alias in aliases if not connections[alias].in_atomic_block]
    if len(outside) < len(aliases) or len(tasks) < 2:
        jobs = 1
    seconds = {task.key: task.last_seconds or 0.0 for task in tasks} if jobs > 1 else None
    schedule = Schedule({task.key: task.waits_for for task in tasks}, seconds)
    run = _Run({task.key: replace(task, jobs=jobs) for task in tasks}, schedule, listener)
    if jobs > 1:
        _refresh_in_threads(run, min(jobs, len(tasks)))
    else:
        _refresh_in_turn(run, outside)
    return list(run.results.values())


def _refresh_in_turn(run: _Run, aliases: Collection[str]) -> None:
    """Refresh on the caller's connections. While a refresh runs, the listener has other connections."""
    with spare_connections(aliases) as on_spare_connections:

        def call(function: Callable[[], T]) -> T:
            with on_spare_connections():
                return function()

        relay = Relay(run.listener, tell=call, ask=call)
        try:
            while (task := _next_task(run)) is not None:
                _end(run, refresh_one(task, relay))
        except BaseException as error:
            run.listener.interrupted(error)
            raise


def _refresh_in_threads(run: _Run, jobs: int) -> None:
    workers = Workers(jobs, run.listener)
    try:
        while True:
            while workers.busy < jobs and (task := _next_task(run)) is not None:
                workers.give(task)
            if not workers.busy:
                break
            _end(run, workers.next_result())
    except BaseException as error:
        run.listener.interrupted(error, workers.stop())
        raise
    workers.dismiss()


def _next_task(run: _Run) -> Task | None:
    """Return the next view to refresh, and skip those before it that cannot be refreshed any more."""
    while (key := run.schedule.take()) is not None:
        task = run.tasks[key]
        if not (failed := run.schedule.failed_before(key)):
            return _after(task, [run.results[other] for other in task.waits_for])
        names = listed(other.name for other in failed)
        error = RefreshError(
            says(
                "%(view)s in database %(database)r was skipped: it reads %(names)s, which was not refreshed.",
                view=task.name,
                database=task.database,
                names=names,
            )
        )
        _end(run, replace(result_of(task, Outcome.SKIPPED), concurrently=False, error=error))
    return None


def _after(task: Task, results: Sequence[RefreshResult]) -> Task:
    """Return a task that joins no refresh which could have missed the new rows of what its view reads.

    Args:
        task: the task as it was planned.
        results: the results of the views that it waits for.
    """
    times = [task.not_before, *(result.seen for result in results)]
    return replace(
        task,
        not_before=max((time for time in times if time is not None), default=None),
        reads_new_rows=any(not result.joined for result in results),
    )


def _end(run: _Run, result: RefreshResult) -> None:
    run.results[result.key] = result
    run.schedule.finish(result.key, ok=result.ok)
    run.listener.ended(result)
