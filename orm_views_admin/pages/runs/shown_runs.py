"""A run as its page shows it. The page and the JSON that updates it contain the same texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import from_field
from orm_views_admin.disclosure import run_error_for, without_unseen
from orm_views_admin.models import Run, StepState
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.exports import words as export_wording
from orm_views_admin.ui.wording import Look, duration, exact
from orm_views_core.engines.postgresql import ddl


@dataclass(frozen=True)
class ShownRun:
    """A run in words.

    Attributes:
        number: its position on the page, from 1.
        usual: how many seconds such a run usually takes; None if that is unknown.
        error: its error, as the user may read it.
        changes: the addresses of the pages of what a sync has changed, by the target of its steps.
        shown: returns a text as the user may read it.
        export: of an export, the texts that other runs do not have.
    """

    run: Run
    number: int = 1
    usual: float | None = None
    error: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    shown: Callable[[str], str] = str
    export: Mapping[str, str] = field(default_factory=dict)

    @property
    def look(self) -> Look:
        return run_wording.look_of_run(self.run.state)

    @property
    def subject(self) -> str:
        return run_wording.subject(self.run)

    @property
    def address(self) -> ViewAddress | None:
        """The view that is refreshed; None for a sync."""
        return ViewAddress.of(self.run)

    @cached_property
    def elapsed(self) -> float | None:
        """The seconds since the start, or between start and end; None before the start."""
        if self.run.seconds is not None:
            return self.run.seconds
        until = timezone.now() if self.run.is_active else self.run.finished_at
        if self.run.started_at is None or until is None:
            return None
        return max(0.0, (until - self.run.started_at).total_seconds())

    @property
    def is_running(self) -> bool:
        return self.run.state == Run.State.RUNNING

    @property
    def shows_share(self) -> bool:
        """Whether the progress bar has a value.

        PostgreSQL reports no progress. The value is the share of the usual duration.
        """
        if self.elapsed is None or self.usual is None or self.waiting:
            return False
        return self.elapsed < self.usual

    @property
    def share(self) -> tuple[float, float] | None:
        """The value of the progress bar and its largest one; None if it has no value."""
        if self.run.kind == Run.Kind.EXPORT:
            return export_wording.share(self.run)
        return (self.elapsed, self.usual) if self.shows_share and self.elapsed and self.usual else None

    @property
    def sql(self) -> str:
        """The statement of a refresh; "" for a sync."""
        if self.address is None or self.run.concurrently is None:
            return ""
        return f"{ddl.refresh(self.address.name, concurrently=self.run.concurrently)};"

    @property
    def steps(self) -> list[dict[str, str]]:
        """The steps of a sync, each with the sign and the word of its state."""
        return [
            {
                "state": step["state"],
                "sign": run_wording.STEP_SIGNS[StepState(step["state"])],
                "text": run_wording.step(step, self.shown),
                "url": self.changes.get(step.get("target", ""), ""),
                "seconds": duration(step.get("seconds")),
                "word": str(StepState(step["state"]).label),
            }
            for step in self.run.steps
        ]

    @cached_property
    def texts(self) -> dict[str, str]:
        """All texts that change while the page is open; "" for those that are hidden."""
        run = self.run
        return {
            "state": str(self.look.word),
            "explanation": run_wording.explanation(run.state),
            "waiting": self.waiting,
            "elapsed": duration(self.elapsed),
            "started": exact(run.started_at) if run.started_at else "",
            "finished": exact(run.finished_at) if run.finished_at else "",
            "queue": run_wording.wait(run_wording.queue_seconds(run)),
            "locks": run_wording.wait(run.waited),
            "how": run_wording.how(run),
            "why_not": self._why_not,
            "rows": str(run_wording.rows(run)),
            "size": str(run_wording.size(run)),
            "summary": self.shown(run_wording.summary(run)),
            # PostgreSQL's error message about a cancelled statement says nothing new.
            "error": "" if run.state == Run.State.CANCELLED else self.error,
            "cancelled_by": run.cancelled_by if run.state == Run.State.CANCELLED else "",
            "sql": self.sql,
            **self.export,
        }

    @property
    def _why_not(self) -> str:
        is_known = self.run.concurrently is False and self.run.started_at
        return self.shown(self.run.said("why_not")) if is_known else ""

    @property
    def times(self) -> dict[str, str]:
        """The times among the texts in ISO 8601."""
        times = {"started": self.run.started_at, "finished": self.run.finished_at}
        return {name: from_field(time).isoformat(timespec="seconds") for name, time in times.items() if time}

    @cached_property
    def waiting(self) -> str:
        """What the run waits for; "" if it does not wait."""
        return self.shown(capfirst(runs.holders(self.run)))

    @property
    def usual_words(self) -> str:
        return "" if self.usual is None else _("usually %(time)s") % {"time": duration(self.usual)}

    def as_json(self) -> dict[str, Any]:
        """Return what the browser needs to update the page."""
        return {
            "id": self.run.pk,
            "active": self.run.is_active,
            "running": self.is_running,
            "state": self.run.state,
            "colour": self.look.colour,
            "icon": self.look.icon,
            "elapsed": self.elapsed,
            "texts": self.texts,
            "times": self.times,
            "steps": self.steps,
            "share": self.share if self.export else None,
        }


def show_runs(
    found: Sequence[Run],
    user: Any,
    usual: Mapping[int, float] | None = None,
    changes: Mapping[int, Mapping[str, str]] | None = None,
) -> list[ShownRun]:
    """Return the runs of a page in their order.

    Args:
        found: the runs.
        user: who reads the page.
        usual: how many seconds runs usually take, by primary key. It stays the same while the page is open.
        changes: for each sync, by its primary key, the addresses of the pages of what it has changed.
    """
    known = changes or {}
    return [
        ShownRun(
            run,
            n,
            (usual or {}).get(run.pk),
            run_error_for(user, run),
            known.get(run.pk, {}),
            partial(without_unseen, user, about=run.database),
            export_wording.texts(user, run),
        )
        for n, run in enumerate(found, 1)
    ]


def standing_of(shown: Sequence[ShownRun]) -> str:
    """Return the states of the runs of a page, a sentence."""
    return run_wording.standing([each.run for each in shown], waits=any(each.waiting for each in shown))
