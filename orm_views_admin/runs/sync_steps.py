"""The steps of a sync as a run keeps them: a list of ``{"text", "state", "seconds"}``. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui.wording import action_word, number
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.sync.executor import StepResult

Steps = list[dict[str, Any]]


class StepState(TextChoices):
    """How a step stands. What is built has not taken its place yet; what is undone was rolled back."""

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    BUILT = "built", _("built")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    UNDONE = "undone", _("undone")


def describe_step(step: Step) -> str:
    """Return a step in words: “create views.loans”."""
    return f"{action_word(step.action)} {step.target}"


def summarise(plan: Plan) -> str:
    """Say what was done, in one line."""
    done = [f"{action_word(action)}: {number(count)}" for action, count in plan.counts.items()]
    return ", ".join(done) if done else str(_("Nothing to do."))


def finished_steps(results: Iterable[StepResult]) -> Steps:
    """Return the steps of a sync that is over."""
    return [_step(result.step, StepState.DONE, result.seconds) for result in results]


def failed_steps(steps: Steps) -> Steps:
    """Return the steps of a sync that has failed at the one it was at; all of it is rolled back."""
    became = {
        StepState.RUNNING: StepState.FAILED,
        StepState.BUILT: StepState.UNDONE,
        StepState.DONE: StepState.UNDONE,
    }
    return [{**step, "state": str(became.get(step["state"], step["state"]))} for step in steps]


class StepList:
    """The steps of a sync while it is carried out."""

    def __init__(self, plan: Plan) -> None:
        self._position = {id(step): i for i, step in enumerate(plan.steps)}
        self._plan = plan
        self.steps = [_step(step, StepState.PENDING, None) for step in plan.steps]

    def begin(self, step: Step) -> None:
        """A step is being built."""
        self._set(step, StepState.RUNNING)

    def built(self, result: StepResult) -> None:
        """A step is built; it is done, unless it has a part in the swap."""
        waits = bool(result.step.swap_statements)
        self._set(result.step, StepState.BUILT if waits else StepState.DONE)
        self.steps[self._position[id(result.step)]]["seconds"] = result.seconds

    def begin_swap(self) -> None:
        """What is built takes its place."""
        for step in self._plan.steps:
            if step.swap_statements:
                self._set(step, StepState.RUNNING)

    def swapped(self) -> None:
        """All of it has taken its place."""
        for step in self._plan.steps:
            self._set(step, StepState.DONE)

    def _set(self, step: Step, state: StepState) -> None:
        self.steps[self._position[id(step)]]["state"] = str(state)


def _step(step: Step, state: StepState, seconds: float | None) -> dict[str, Any]:
    return {"text": describe_step(step), "state": str(state), "seconds": seconds}
