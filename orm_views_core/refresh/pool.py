"""Carrying out refreshes, one after another or several at once, and telling what happens from one thread.

With one job everything is done on the caller's own connection. With more, each job is a thread with a
connection of its own, and the caller's thread tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from django.db import connections

from orm_views_core import signals
from orm_views_core.engines.connections import spare_connections
from orm_views_core.names import ViewName

from .results import RefreshResult, RefreshStart, Task, Tell, interrupted, skipped
from .schedule import Schedule
from .worker import refresh_one

Key = tuple[str, ViewName]


@dataclass(frozen=True)
class Callbacks:
    """What to call meanwhile, besides the signals."""

    on_start: Callable[[RefreshStart], None] | None = None
    on_wait: Callable[[RefreshStart, str], None] | None = None
    on_done: Callable[[RefreshResult], None] | None = None
    on_failed: Callable[[RefreshResult], None] | None = None


class _Stopped(BaseException):
    """The caller has given up; nothing that is waited for or about to begin is wanted any more."""


def carry_out(
    tasks: Mapping[Key, Task],
    waits_for: Mapping[Key, set[Key]],
    seconds: Mapping[Key, float],
    callbacks: Callbacks,
    *,
    sender: Any,
    jobs: int,
) -> list[RefreshResult]:
    """Refresh views, each after those that it waits for. A failure stops what waits for it, and nothing else.

    Args:
        tasks: the views.
        waits_for: for each, those whose new rows it reads.
        seconds: how long each took the last time, where that is known.
        callbacks: what to call in this thread.
        sender: who sends the signals.
        jobs: how many at once; one where the caller has a transaction open, which all of it then is part of.

    Returns:
        what came of each, in the order in which they came to an end.
    """
    own = dict.fromkeys(alias for alias, _ in tasks)
    outside = [alias for alias in own if not connections[alias].in_atomic_block]
    if len(outside) < len(own) or len(tasks) < 2:
        jobs = 1
    tasks = {key: replace(task, jobs=jobs) for key, task in tasks.items()}
    run = _Run(tasks, waits_for, seconds if jobs > 1 else None, _Teller(callbacks, sender))
    try:
        if jobs > 1:
            run.side_by_side(min(jobs, len(tasks)))
        else:
            run.one_by_one(outside)
    except BaseException as error:
        run.teller.interrupted(error)
        raise
    return run.results


class _Teller:
    """Calls callbacks and sends signals."""

    def __init__(self, callbacks: Callbacks, sender: Any) -> None:
        self.callbacks, self.sender = callbacks, sender
        self.begun: dict[Key, RefreshStart] = {}

    def started(self, start: RefreshStart) -> None:
        self.begun[start.database, start.name] = start
        self._send(signals.view_refresh_started, start, start=start)
        if self.callbacks.on_start:
            self.callbacks.on_start(start)

    def waiting(self, start: RefreshStart, what: str) -> None:
        self._send(signals.view_refresh_waiting, start, start=start, waiting_for=what)
        if self.callbacks.on_wait:
            self.callbacks.on_wait(start, what)

    def interrupted(self, error: BaseException) -> None:
        """Tell of the end of those that were begun when something else than a refusal ended all of it."""
        for start in list(self.begun.values()):
            self.ended(interrupted(start, error), calls_back=False)

    def ended(self, result: RefreshResult, *, calls_back: bool = True) -> None:
        self.begun.pop((result.database, result.name), None)
        call = self.callbacks.on_done if result.ok else self.callbacks.on_failed
        self._send(
            signals.view_refreshed if result.ok else signals.view_refresh_failed, result, result=result
        )
        if call and calls_back:
            call(result)

    def _send(self, signal: Any, about: RefreshStart | RefreshResult, **arguments: Any) -> None:
        signal.send_robust(sender=self.sender, database=about.database, request=about.request, **arguments)


class _Run:
    """A number of refreshes while they are carried out."""

    def __init__(
        self,
        tasks: Mapping[Key, Task],
        waits_for: Mapping[Key, set[Key]],
        seconds: Mapping[Key, float] | None,
        teller: _Teller,
    ) -> None:
        self.tasks, self.waits_for, self.teller = tasks, waits_for, teller
        self.schedule = Schedule(waits_for, seconds)
        self.by_key: dict[Key, RefreshResult] = {}

    @property
    def results(self) -> list[RefreshResult]:
        return list(self.by_key.values())

    def one_by_one(self, aliases: Collection[str]) -> None:
        """Refresh on the caller's connections; whoever is told gets others of those aliases meanwhile."""
        with spare_connections(aliases) as aside:

            def started(start: RefreshStart) -> None:
                with aside():
                    self.teller.started(start)

            def waiting(start: RefreshStart, what: str) -> None:
                with aside():
                    self.teller.waiting(start, what)

            while (task := self._next()) is not None:
                self._end(task, refresh_one(task, Tell(started, waiting)))

    def side_by_side(self, jobs: int) -> None:
        """Refresh in threads, each with connections of its own."""
        workers = _Workers(jobs)
        try:
            free = jobs
            while True:
                while free and (task := self._next()) is not None:
                    workers.give(task)
                    free -= 1
                if free == jobs:
                    break
                self._hear(workers.next_event())
                free = jobs - workers.busy
        except BaseException:
            workers.stop()
            for event in workers.left_over():
                if isinstance(event, RefreshResult):
                    self.teller.ended(event, calls_back=False)
            raise
        workers.dismiss()

    def _hear(self, event: Any) -> None:
        if isinstance(event, BaseException):
            raise event
        if isinstance(event, RefreshResult):
            self._end(self.tasks[event.database, event.name], event)
        else:
            tell, *arguments = event
            getattr(self.teller, tell)(*arguments)

    def _next(self) -> Task | None:
        """Return what can be refreshed next; what cannot be any more is skipped on the way."""
        while (key := self.schedule.take()) is not None:
            task = self.tasks[key]
            if not (failed := self.schedule.failed_before(key)):
                return self._after_what_it_reads(task, key)
            self._end(task, skipped(task, ", ".join(str(name) for _, name in failed)))
        return None

    def _after_what_it_reads(self, task: Task, key: Key) -> Task:
        """Return a task that joins no refresh which had begun before what it reads was new."""
        before = [self.by_key[other] for other in self.waits_for[key]]
        times = [result.seen for result in before if result.seen is not None]
        if task.not_before is not None:
            times.append(task.not_before)
        return replace(
            task,
            not_before=max(times, default=None),
            reads_new_rows=any(not result.joined for result in before),
        )

    def _end(self, task: Task, result: RefreshResult) -> None:
        key = task.database, task.name
        self.by_key[key] = result
        self.schedule.finish(key, ok=result.ok)
        self.teller.ended(result)


class _Workers:
    """Threads that refresh, each with connections of its own."""

    def __init__(self, count: int) -> None:
        self.busy = 0
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._stopping = threading.Event()
        self._at_work: dict[int, Any] = {}  # Django's connections, by thread
        self._threads = [
            threading.Thread(target=self._work, name=f"refresh {n}") for n in range(1, count + 1)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError:  # the system has no more of them
            self.dismiss()
            raise

    def give(self, task: Task) -> None:
        self.busy += 1
        self._tasks.put(task)

    def next_event(self) -> Any:
        """Wait for what happens next: something to tell, a result, or an error that is a mistake."""
        event = self._events.get()
        if isinstance(event, (RefreshResult, BaseException)):
            self.busy -= 1
        return event

    def dismiss(self) -> None:
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def stop(self) -> None:
        """Cancel what is being done, and wait until it has been rolled back."""
        self._stopping.set()
        for _ in self._threads:
            self._tasks.put(None)
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            for connection in list(self._at_work.values()):
                # Its thread may close it at this very moment: then there is nothing left to cancel.
                with suppress(connection.Database.InterfaceError):
                    if (of_driver := connection.connection) is not None:
                        of_driver.cancel()  # which may be called from another thread
            alive[0].join(0.2)

    def left_over(self) -> Iterator[Any]:
        while not self._events.empty():
            yield self._events.get()

    def _work(self) -> None:
        try:
            while (task := self._tasks.get()) is not None and not self._stopping.is_set():
                self._events.put(self._refresh(task))
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._events.put(error)
        finally:
            self._at_work.pop(threading.get_ident(), None)
            connections.close_all()

    def _refresh(self, task: Task) -> RefreshResult:
        def started(start: RefreshStart) -> None:
            self._at_work[threading.get_ident()] = connections[task.database]
            self._pass_on("started", start)

        def waiting(start: RefreshStart, what: str) -> None:
            self._pass_on("waiting", start, what)

        def pause(seconds: float) -> None:
            if self._stopping.wait(seconds):
                raise _Stopped

        result = refresh_one(task, Tell(started, waiting, pause))
        self._at_work.pop(threading.get_ident(), None)
        return result

    def _pass_on(self, *event: Any) -> None:
        if self._stopping.is_set():
            raise _Stopped
        self._events.put(event)
