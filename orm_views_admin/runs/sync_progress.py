"""Writing the steps of a sync into its run while they happen, outside of the sync's transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from django.db import Error as DriverError

from orm_views_admin.models import Run, RunStep, StepState
from orm_views_admin.plan_words import describe_step, summarise
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.sync.executor import Progress, StepResult

from .writing import recorded

logger = logging.getLogger("orm_views_admin")

#: Seconds between two writes about small steps, so that a sync of many steps does not spend its time on them.
_PAUSE = 0.2


def finished_steps(results: Iterable[StepResult]) -> list[RunStep]:
    """Return the steps of a sync that was committed."""
    return [_run_step(result.step, StepState.DONE, result.seconds) for result in results]


def failed_steps(steps: Iterable[RunStep]) -> list[RunStep]:
    """Return the steps of a sync that was rolled back: the running step failed, earlier ones are undone."""
    ended = {
        StepState.RUNNING.value: StepState.FAILED.value,
        StepState.BUILT.value: StepState.UNDONE.value,
        StepState.DONE.value: StepState.UNDONE.value,
    }
    return [{**step, "state": ended.get(step["state"], step["state"])} for step in steps]


def _run_step(step: Step, state: StepState, seconds: float | None = None) -> RunStep:
    return {"text": describe_step(step), "state": state.value, "seconds": seconds}


class SyncProgress:
    """The progress of a sync: the callbacks that core calls, and the steps that they change and write.

    Args:
        pk: the primary key of the run.
        aside: a context whose writes are committed at once.
        is_wanted: returns whether the run is still wanted. It is called when the plan is known.
    """

    def __init__(
        self, pk: int, aside: Callable[[], AbstractContextManager[None]], is_wanted: Callable[[], bool]
    ) -> None:
        self._pk, self._aside, self._is_wanted = pk, aside, is_wanted
        #: The steps of the plan in their order, by the id of the ``Step``.
        self._steps: dict[int, RunStep] = {}
        self._written = 0.0
        #: The callbacks for ``sync_views()``, besides :meth:`on_plan`.
        self.callbacks = Progress(
            self._on_step, self._on_done, self._on_swap, self._on_swapped, self._on_wait
        )

    def on_plan(self, plan: Plan) -> None:
        """Write the steps of the plan. Core calls this again when a sync without its lock starts anew.

        Raises:
            SyncFailedError: when the run is no longer wanted.
        """
        with self._aside():
            try:
                is_wanted = self._is_wanted()
            except DriverError:
                logger.warning(
                    "Could not read whether the sync was cancelled. The sync goes on.", exc_info=True
                )
                is_wanted = True
        if not is_wanted:
            raise SyncFailedError("The sync was cancelled before it changed anything.")
        self._steps = {id(step): _run_step(step, StepState.PENDING) for step in plan.steps}
        self._write(summary=summarise(plan))

    def _on_step(self, step: Step) -> None:
        self._set(step, StepState.RUNNING)
        self._write_about(step)

    def _on_done(self, result: StepResult) -> None:
        self._set(result.step, StepState.BUILT if result.step.swap_statements else StepState.DONE)
        self._steps[id(result.step)]["seconds"] = result.seconds
        self._write_about(result.step)

    def _on_swap(self, plan: Plan) -> None:
        for step in plan.steps:
            if step.swap_statements:
                self._set(step, StepState.RUNNING)
        self._write()

    def _on_swapped(self, seconds: float) -> None:
        # Nothing is written before the commit, because readers are locked out until then.
        for step in self._steps.values():
            step["state"] = StepState.DONE.value

    def _on_wait(self, what: str) -> None:
        self._write(waiting_for=what)

    def _set(self, step: Step, state: StepState) -> None:
        self._steps[id(step)]["state"] = state.value

    def _write_about(self, step: Step) -> None:
        if step.fills or time.monotonic() - self._written >= _PAUSE:
            self._write()

    def _write(self, **facts: Any) -> None:
        with self._aside():
            _update(self._pk, {"waiting_for": "", "steps": list(self._steps.values()), **facts})
        self._written = time.monotonic()


@recorded
def _update(pk: int, facts: dict[str, Any]) -> None:
    Run.objects.filter(pk=pk, state__in=Run.ACTIVE).update(**facts)
