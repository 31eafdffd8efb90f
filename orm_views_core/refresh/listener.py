"""Who hears of refreshes: the receivers of the signals, and the callbacks of the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.dispatch import Signal

from orm_views_core import signals
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import RefreshError
from orm_views_core.sentences import says

from .results import Key, Outcome, RefreshResult, RefreshStart, result_of


@dataclass(kw_only=True)
class Listener:
    """Sends the signals of the refreshes of one call, and then calls its callbacks, in the caller's thread.

    Each ``view_refresh_started`` is followed by a signal for the end. An OrmViewsError from a callback of
    ``started`` or ``waiting`` makes that refresh fail if there is one job. Any other exception, and one with
    several jobs, ends the whole call. No callback is called once the call is interrupted.

    Attributes:
        sender: the sender of the signals.
        definitions: the views, for ``on_start``.
        veto: asked after ``started``, before anything is computed. It returns why a refresh is not wanted any
            more, or "" when it is. None when all refreshes are wanted; then no job waits for an answer.
    """

    sender: object = None
    definitions: Mapping[Key, ViewDefinition] = field(default_factory=dict)
    on_start: Callable[[ViewDefinition, bool, str], None] | None = None
    on_done: Callable[[RefreshResult], None] | None = None
    on_failed: Callable[[RefreshResult], None] | None = None
    on_wait: Callable[[RefreshStart, str], None] | None = None
    veto: Callable[[RefreshStart], str] | None = None
    _begun: dict[Key, RefreshStart] = field(default_factory=dict, init=False)

    def started(self, start: RefreshStart) -> None:
        """A refresh has begun, or has begun again in another backend."""
        self._begun[start.key] = start
        self._send(signals.view_refresh_started, start, start=start)
        if self.on_start:
            self.on_start(self.definitions[start.key], start.concurrently, start.why_not)

    def waiting(self, start: RefreshStart, what: str) -> None:
        """A refresh waits, or waits for something else than before."""
        self._send(signals.view_refresh_waiting, start, start=start, waiting_for=what)
        if self.on_wait:
            self.on_wait(start, what)

    def ended(self, result: RefreshResult) -> None:
        """A refresh has succeeded or failed, or was skipped."""
        self._send_end(result)
        if callback := self.on_done if result.ok else self.on_failed:
            callback(result)

    def interrupted(self, error: BaseException, results: Sequence[RefreshResult] = ()) -> None:
        """The whole call ends with an error, and the refreshes that have begun with it.

        Args:
            error: what ends it, such as KeyboardInterrupt.
            results: of the refreshes that had ended, but had not been reported, by then.
        """
        for result in results:
            self._send_end(result)
        for start in list(self._begun.values()):
            reason = RefreshError(
                says(
                    "%(view)s in database %(database)r was not refreshed: interrupted by %(error)s.",
                    view=start.name,
                    database=start.database,
                    error=type(error).__name__,
                )
            )
            self._send_end(replace(result_of(start, Outcome.FAILED), error=reason))

    def _send_end(self, result: RefreshResult) -> None:
        self._begun.pop(result.key, None)
        signal = signals.view_refreshed if result.ok else signals.view_refresh_failed
        self._send(signal, result, result=result)

    def _send(self, signal: Signal, about: RefreshStart | RefreshResult, **arguments: Any) -> None:
        signal.send_robust(sender=self.sender, database=about.database, request=about.request, **arguments)


@dataclass(frozen=True)
class Relay:
    """Passes on what a refresh reports before its end.

    Attributes:
        listener: who is to hear of it.
        tell: calls a function where that listener is to be called: on other connections, or in another
            thread.
        ask: calls a function there, and returns its answer.
    """

    listener: Listener
    tell: Callable[[Callable[[], None]], None]
    ask: Callable[[Callable[[], str]], str]

    def started(self, start: RefreshStart) -> str:
        """Report that a refresh has begun; return why it is not wanted any more, or "" when it is."""
        self.tell(partial(self.listener.started, start))
        return self.ask(partial(self.listener.veto, start)) if self.listener.veto else ""

    def waiting(self, start: RefreshStart, what: str) -> None:
        """Report what a refresh waits for."""
        self.tell(partial(self.listener.waiting, start, what))
