"""What the pages say of a view at once: the states that core finds, and those that its runs tell. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.status import State, ViewStatus


class RunState(enum.Enum):
    """A state of a view that its runs tell. Core records no runs, so only the pages know it."""

    FAILED = "failed"
    LOST = "lost"
    WAITING = "waiting"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return self is not RunState.WAITING


AnyState: TypeAlias = State | RunState

#: All states, the worst first. Core's states keep the order that they have in core.
STATES: tuple[AnyState, ...] = (
    State.UNREADABLE,
    State.INVALID,
    State.EXPOSES,
    State.WRONG_KIND,
    RunState.FAILED,
    RunState.LOST,
    State.NOT_POPULATED,
    State.STALE,
    State.CHANGED,
    State.DRIFTED,
    State.MISSING,
    State.ORPHANED,
    RunState.WAITING,
    State.SYNCED,
    State.UNMANAGED,
)
_URGENCY = {state: urgency for urgency, state in enumerate(STATES)}


@dataclass(frozen=True)
class Standing:
    """A state that a view is in, why, and what to do.

    Attributes:
        reason: a sentence, or several lines of one each.
        advice: a sentence; "" when there is nothing to do.
        error: what the reason is the message of; None when there was no error. The message may quote rows.
        times: how often it has happened; of :attr:`RunState.FAILED` and :attr:`RunState.LOST`.
        request: the request of the run that tells it; "" when none does.
    """

    state: AnyState
    reason: str
    advice: str = ""
    error: OrmViewsError | None = None
    times: int = 1
    request: str = ""

    @property
    def urgency(self) -> int:
        """The place of its state among all; the worst is 0."""
        return _URGENCY[self.state]


def standings_of(status: ViewStatus, runs: Iterable[Standing] = ()) -> Sequence[Standing]:
    """Return all states that a view is in, the worst first. A view with a trouble is not synced.

    Args:
        status: what core says.
        runs: what the runs of the view tell.
    """
    found = [Standing(each.state, each.reason, each.advice, each.error) for each in status.conditions]
    told = list(runs)
    if told:
        found = [each for each in found if each.state is not State.SYNCED]
    return sorted([*found, *told], key=lambda each: each.urgency)
