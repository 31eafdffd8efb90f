"""Writing the steps of a sync into its run while they happen, outside of the sync's transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import Error as DriverError

from orm_views_admin.models import Run, RunStep, StepState
from orm_views_admin.plan_words import describe_step, summarise
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.sentences import says
from orm_views_core.spelling import spelling_on
from orm_views_core.sync.executor import Progress, StepResult

from .writing import in_english, recorded, storable

logger = logging.getLogger("orm_views_admin")

#: Seconds between two writes about small steps, so that a sync of many steps does not spend its time on them.
_PAUSE = 0.2


def finished_steps(results: Iterable[StepResult]) -> list[RunStep]:
    """Return the steps of a sync that was committed."""
    return [_run_step(result.step, StepState.DONE, result.seconds) for result in results]


def failed_steps(steps: Iterable[RunStep], *, is_atomic: bool = True) -> list[RunStep]:
    """Return the steps of a sync that failed: the running step failed, and earlier ones are undone.

    Args:
        steps: the steps.
        is_atomic: whether the sync was rolled back. Otherwise what was done stays.
    """
    ended = {
        StepState.RUNNING.value: StepState.FAILED.value,
        StepState.BUILT.value: StepState.UNDONE.value,
        StepState.DONE.value: (StepState.UNDONE if is_atomic else StepState.DONE).value,
    }
    return [{**step, "state": ended.get(step["state"], step["state"])} for step in steps]


def _run_step(step: Step, state: StepState, seconds: float | None = None) -> RunStep:
    with in_english():
        text = describe_step(step.action, step.target)
    facts: RunStep = {"text": text, "action": step.action.value, "target": step.target}
    return {**facts, "state": state.value, "seconds": seconds}


class SyncProgress:
    """The progress of a sync: the callbacks that core calls, and the steps that they change and write.

    Args:
        run: the run. When the plan is known, the run is begun again, unless it is no longer wanted.
        aside: a context whose writes are committed at once.
    """

    def __init__(self, run: Run, aside: Callable[[], AbstractContextManager[None]]) -> None:
        self._run, self._aside = run, aside
        #: The steps of the plan in their order, by the id of the ``Step``.
        self._steps: dict[int, RunStep] = {}
        self._written = 0.0
        #: The callbacks for ``sync_views()``, besides :meth:`on_plan`.
        self.callbacks = Progress(self._on_step, self._on_done, self._on_swap, self._on_swapped, self._write)

    def on_plan(self, plan: Plan) -> None:
        """Write the steps of the plan. Core calls this again when a sync without its lock starts anew.

        Raises:
            SyncFailedError: when the run is no longer wanted.
        """
        with self._aside():
            try:
                is_wanted = self._run.begin()
            except DriverError:
                logger.warning(
                    "Could not read whether the sync was cancelled. The sync goes on.", exc_info=True
                )
                is_wanted = True
        if not is_wanted:
            raise SyncFailedError(says("The sync was cancelled before it changed anything."))
        self._steps = {id(step): _run_step(step, StepState.PENDING) for step in plan.steps}
        with in_english():
            self._write(summary=summarise(plan.counts))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write the steps again when a block fails that has rolled them back with its sync."""
        try:
            yield
        except BaseException:
            is_atomic = spelling_on(self._run.database).abilities.atomic
            steps = failed_steps(self._steps.values(), is_atomic=is_atomic)
            rolled_back = Run.objects.filter(pk=self._run.pk, steps=[])
            if steps:
                recorded(rolled_back.update)(steps=steps)
            raise

    def _on_step(self, step: Step) -> None:
        self._update(step, StepState.RUNNING)

    def _on_done(self, result: StepResult) -> None:
        state = StepState.BUILT if result.step.swap_statements else StepState.DONE
        self._update(result.step, state, result.seconds)

    def _on_swap(self, plan: Plan) -> None:
        for step in plan.steps:
            if step.swap_statements:
                self._steps[id(step)]["state"] = StepState.RUNNING.value
        self._write()

    def _on_swapped(self, seconds: float) -> None:
        # Nothing is written before the commit, because readers are locked out until then.
        for step in self._steps.values():
            step["state"] = StepState.DONE.value

    def _update(self, step: Step, state: StepState, seconds: float | None = None) -> None:
        self._steps[id(step)] = _run_step(step, state, seconds)
        if step.fills or time.monotonic() - self._written >= _PAUSE:
            self._write()

    def _write(self, waiting_for: str = "", **facts: str) -> None:
        active = Run.objects.filter(pk=self._run.pk, state__in=Run.ACTIVE)
        with self._aside():
            recorded(active.update)(
                waiting_for=storable(waiting_for), steps=list(self._steps.values()), **facts
            )
        self._written = time.monotonic()
