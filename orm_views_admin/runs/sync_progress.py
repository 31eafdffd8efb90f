"""Recording the steps of a sync as they happen, outside of its transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.db import Error as DriverError

from orm_views_admin.models import Run
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.sync.executor import Progress, StepResult

from .recorder import recorded
from .sync_steps import StepList, summarise

logger = logging.getLogger("orm_views_admin")

#: A sync of a thousand small steps is not to spend its time on writing about them.
_PAUSE = 0.2


class SyncProgress:
    """Writes a sync's steps into its run.

    Args:
        pk: the run's.
        aside: a context in which what is written is committed at once.
        is_wanted: whether it should go on; asked when the plan is there.
    """

    def __init__(
        self, pk: int, aside: Callable[[], AbstractContextManager[None]], is_wanted: Callable[[], bool]
    ) -> None:
        self._pk, self._aside, self._is_wanted = pk, aside, is_wanted
        self._list: StepList | None = None
        self._written = 0.0

    @property
    def callbacks(self) -> Progress:
        """What core calls."""
        return Progress(self._on_step, self._on_done, self._on_swap, self._on_swapped, self._on_wait)

    def on_plan(self, plan: Plan) -> None:
        """The plan is there, perhaps not for the first time: after a lock could not be had, all starts again.

        Raises:
            SyncFailedError: when it is no longer wanted.
        """
        with self._aside():
            try:
                is_wanted = self._is_wanted()
            except DriverError:
                logger.warning("Whether a sync is wanted still is not known; it goes on", exc_info=True)
                is_wanted = True
        if not is_wanted:
            raise SyncFailedError("It was cancelled before anything was done.")
        self._list = StepList(plan)
        self._write(summary=summarise(plan))

    def _on_step(self, step: Step) -> None:
        if self._list is not None:
            self._list.begin(step)
            if step.fills or self._is_due():
                self._write()

    def _on_done(self, result: StepResult) -> None:
        if self._list is not None:
            self._list.built(result)
            if result.step.fills or self._is_due():
                self._write()

    def _on_swap(self, plan: Plan) -> None:
        if self._list is not None:
            self._list.begin_swap()
            self._write()

    def _on_swapped(self, seconds: float) -> None:
        # Nothing is written before the commit: readers are locked out until then.
        if self._list is not None:
            self._list.swapped()

    def _on_wait(self, what: str) -> None:
        self._write(waiting_for=what)

    def _is_due(self) -> bool:
        return time.monotonic() - self._written >= _PAUSE

    def _write(self, **facts: Any) -> None:
        facts = {"waiting_for": "", **facts}
        if self._list is not None:
            facts["steps"] = self._list.steps
        with self._aside():
            _update(self._pk, facts)
        self._written = time.monotonic()


@recorded
def _update(pk: int, facts: dict[str, Any]) -> None:
    Run.objects.filter(pk=pk, state__in=Run.ACTIVE).update(**facts)
