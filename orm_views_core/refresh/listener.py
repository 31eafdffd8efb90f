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

from .results import Outcome, RefreshResult, RefreshStart, result_of
from .tasks import Key

#: Returns why a refresh that has begun is not wanted any more; "" when it is wanted.
Veto = Callable[[RefreshStart], str]


class Listener:
    """Hears of the refreshes of one call, in the caller's thread.

    A subclass overrides the methods of the events that it needs. An OrmViewsError from ``started`` or
    ``waiting`` makes that refresh fail if there is one job. Any other exception, and one with several jobs,
    ends the whole call.

    Attributes:
        veto: asked after ``started``, before anything is computed. A refresh that is not wanted fails with
            that reason. None when all refreshes are wanted; then no job waits for an answer.
    """

    veto: Veto | None = None

    def started(self, start: RefreshStart) -> None:
        """A refresh has begun, or has begun again in another backend."""

    def waiting(self, start: RefreshStart, what: str) -> None:
        """A refresh waits, or waits for something else than before."""

    def ended(self, result: RefreshResult) -> None:
        """A refresh has succeeded or failed, or was skipped."""

    def interrupted(self, error: BaseException, results: Sequence[RefreshResult] = ()) -> None:
        """The whole call ends with an error, and the refreshes that have begun with it.

        Args:
            error: what ends it, such as KeyboardInterrupt.
            results: of the refreshes that had ended, but had not been reported, by then.
        """


@dataclass
class SignalListener(Listener):
    """Sends the signals. Each ``view_refresh_started`` is followed by a signal for the end."""

    sender: object
    _begun: dict[Key, RefreshStart] = field(default_factory=dict, init=False)

    def started(self, start: RefreshStart) -> None:
        self._begun[Key(start.database, start.name)] = start
        self._send(signals.view_refresh_started, start, start=start)

    def waiting(self, start: RefreshStart, what: str) -> None:
        self._send(signals.view_refresh_waiting, start, start=start, waiting_for=what)

    def ended(self, result: RefreshResult) -> None:
        self._begun.pop(Key(result.database, result.name), None)
        signal = signals.view_refreshed if result.ok else signals.view_refresh_failed
        self._send(signal, result, result=result)

    def interrupted(self, error: BaseException, results: Sequence[RefreshResult] = ()) -> None:
        for result in results:
            SignalListener.ended(self, result)  # a subclass sends the signal only
        for start in list(self._begun.values()):
            reason = RefreshError(
                f"{start.name} in database {start.database!r} was not refreshed: interrupted by "
                f"{type(error).__name__}."
            )
            SignalListener.ended(self, replace(result_of(start, Outcome.FAILED), error=reason))

    def _send(self, signal: Signal, about: RefreshStart | RefreshResult, **arguments: Any) -> None:
        signal.send_robust(sender=self.sender, database=about.database, request=about.request, **arguments)


@dataclass(kw_only=True)
class CallbackListener(SignalListener):
    """Sends the signals, and then calls the callbacks of ``refresh_views()``.

    No callback is called once the call is interrupted.
    """

    definitions: Mapping[Key, ViewDefinition]
    on_start: Callable[[ViewDefinition, bool, str], None] | None
    on_done: Callable[[RefreshResult], None] | None
    on_failed: Callable[[RefreshResult], None] | None
    on_wait: Callable[[RefreshStart, str], None] | None
    veto: Veto | None

    def started(self, start: RefreshStart) -> None:
        super().started(start)
        if self.on_start:
            definition = self.definitions[Key(start.database, start.name)]
            self.on_start(definition, start.concurrently, start.why_not)

    def waiting(self, start: RefreshStart, what: str) -> None:
        super().waiting(start, what)
        if self.on_wait:
            self.on_wait(start, what)

    def ended(self, result: RefreshResult) -> None:
        super().ended(result)
        if callback := self.on_done if result.ok else self.on_failed:
            callback(result)


class Relay(Listener):
    """Passes on what a refresh reports before its end.

    Args:
        listener: who is to hear of it.
        tell: calls a function where that listener is to be called: on other connections, or in another
            thread.
        ask: calls a veto there, and returns its answer.
    """

    def __init__(
        self,
        listener: Listener,
        tell: Callable[[Callable[[], None]], None],
        ask: Callable[[Veto, RefreshStart], str],
    ) -> None:
        self._listener, self._tell = listener, tell
        self.veto = partial(ask, listener.veto) if listener.veto else None

    def started(self, start: RefreshStart) -> None:
        self._tell(partial(self._listener.started, start))

    def waiting(self, start: RefreshStart, what: str) -> None:
        self._tell(partial(self._listener.waiting, start, what))
