"""Threads that refresh views, each on connections of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from django.db import connections

from orm_views_core.engines.connections import leave_pools

from .listener import Listener, Relay
from .results import RefreshResult, Task
from .worker import refresh_one

#: How often a thread that waits for another one looks for something else to do, in seconds.
_LOOK_EVERY = 0.2


class _Stopped(BaseException):
    """The call is interrupted: a thread ends its refresh instead of waiting or reporting any further."""


class Workers:
    """Threads that refresh, and the queues between them and the caller's thread.

    Args:
        count: how many threads to start.
        listener: hears of each refresh, in the caller's thread.

    Raises:
        RuntimeError: when the system cannot start as many threads. Those that were started have ended.
    """

    def __init__(self, count: int, listener: Listener) -> None:
        #: How many threads have a task at the moment.
        self.busy = 0
        self._listener = listener
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._events: SimpleQueue[RefreshResult | BaseException | Callable[[], None]] = SimpleQueue()
        self._stopping = threading.Event()
        #: Django's connections on which threads refresh, by the thread's identifier. (Any: the type stubs of
        #: Django do not know their attribute ``Database``.)
        self._at_work: dict[int, Any] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"refresh {number}") for number in range(1, count + 1)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError:
            self.dismiss()
            raise

    def give(self, task: Task) -> None:
        """Have a view refreshed by one of the threads."""
        self.busy += 1
        self._tasks.put(task)

    def next_result(self) -> RefreshResult:
        """Wait for the next result, and call the listener with what the threads report until then.

        Raises:
            BaseException: the first one that a thread could not handle, or that the listener raises.
        """
        while True:
            event = self._events.get()
            if isinstance(event, RefreshResult):
                self.busy -= 1
                return event
            if isinstance(event, BaseException):
                raise event
            event()

    def dismiss(self) -> None:
        """End the threads once they have no task."""
        self._tell_to_end()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def stop(self) -> list[RefreshResult]:
        """Cancel all refreshes, and wait until they have been rolled back.

        Returns:
            the results of the refreshes that have ended since the last call of ``next_result``.
        """
        self._stopping.set()
        self._tell_to_end()
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            for connection in list(self._at_work.values()):
                # The thread may close its connection at the same time. Then nothing is left to cancel.
                with suppress(connection.Database.InterfaceError):
                    if (of_driver := connection.connection) is not None:
                        of_driver.cancel()  # the drivers allow this call from another thread
            alive[0].join(_LOOK_EVERY)
        events = [self._events.get() for _ in range(self._events.qsize())]
        return [event for event in events if isinstance(event, RefreshResult)]

    def _tell_to_end(self) -> None:
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        leave_pools()
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
        def pause(seconds: float = 0.0) -> None:
            if self._stopping.wait(seconds):
                raise _Stopped

        def tell(event: Callable[[], None]) -> None:
            self._at_work[threading.get_ident()] = connections[task.database]
            pause()
            self._events.put(event)

        def ask(question: Callable[[], str]) -> str:
            answer: SimpleQueue[str] = SimpleQueue()
            tell(lambda: answer.put(question()))
            while True:
                with suppress(Empty):
                    return answer.get(timeout=_LOOK_EVERY)
                pause()

        result = refresh_one(task, Relay(self._listener, tell, ask), pause)
        self._at_work.pop(threading.get_ident(), None)
        return result
