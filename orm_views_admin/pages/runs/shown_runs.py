"""A run as its page shows it: the same words when the page is made and when it asks again, as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import from_field
from orm_views_admin.models import Run
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.trends import read_trends
from orm_views_admin.ui.wording import Look, duration, exact
from orm_views_core.engines.postgresql import ddl
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import read_sync_states


class ShownStep(NamedTuple):
    """A step of a run: a sign, what it does, how long it took, and the sign as a word."""

    state: str
    sign: str
    text: str
    seconds: str
    word: str


class ShownRun:
    """A run in words."""

    def __init__(self, run: Run, number: int = 1, usual: float | None = None) -> None:
        self.run = run
        self.number = number
        #: How many seconds such a run usually takes; asked for once, because it stays the same.
        self.usual = usual

    @property
    def look(self) -> Look:
        return run_wording.look_of_run(self.run.state)

    @property
    def subject(self) -> str:
        return run_wording.subject(self.run)

    @property
    def address(self) -> ViewAddress | None:
        """The view that it is of; None for a sync."""
        name = self.run.view_name
        return ViewAddress(self.run.database, name) if name else None

    @cached_property
    def elapsed(self) -> float | None:
        """How many seconds it has been at work, or was; None where it has not begun."""
        if self.run.seconds is not None:
            return self.run.seconds
        if self.run.started_at is None:
            return None
        until = timezone.now() if self.run.is_active else self.run.finished_at
        return None if until is None else max(0.0, (until - self.run.started_at).total_seconds())

    @property
    def is_running(self) -> bool:
        return self.run.state == Run.State.RUNNING

    @property
    def shows_share(self) -> bool:
        """Whether it can be said how far it is: PostgreSQL does not tell, only the last ones can."""
        if self.elapsed is None or self.usual is None or self.waiting:
            return False
        return self.elapsed < self.usual

    @property
    def sql(self) -> str:
        """The statement of a refresh; "" for a sync, whose statements are its steps."""
        if self.address is None or self.run.concurrently is None:
            return ""
        return f"{ddl.refresh(self.address.name, concurrently=self.run.concurrently)};"

    @cached_property
    def steps(self) -> list[ShownStep]:
        return [
            ShownStep(
                step["state"],
                run_wording.step_sign(step["state"]),
                step["text"],
                duration(step.get("seconds")),
                run_wording.step_word(step["state"]),
            )
            for step in self.run.steps
        ]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Everything that changes while the page is open; "" for what is not shown."""
        run = self.run
        queue = run_wording.queue_seconds(run)
        return {
            "state": str(self.look.word),
            "explanation": run_wording.explanation(run.state),
            "waiting": self.waiting,
            "elapsed": duration(self.elapsed),
            "started": exact(run.started_at) if run.started_at else "",
            "finished": exact(run.finished_at) if run.finished_at else "",
            "queue": duration(queue) if queue is not None and queue >= 0.1 else "",
            "locks": duration(run.waited) if run.waited and run.waited >= 0.1 else "",
            "how": run_wording.how(run),
            "why_not": run.why_not if run.concurrently is False and run.started_at else "",
            "rows": run_wording.change(run_wording.rows(run)),
            "size": run_wording.change(run_wording.size(run)),
            "summary": run.summary,
            # What PostgreSQL says of what somebody has cancelled is no news.
            "error": "" if run.state == Run.State.CANCELLED else run.error,
            "cancelled_by": run.cancelled_by if run.state == Run.State.CANCELLED else "",
            "sql": self.sql,
        }

    @property
    def times(self) -> dict[str, str]:
        """The moments among the texts as machines read them."""
        found = {"started": self.run.started_at, "finished": self.run.finished_at}
        return {name: from_field(time).isoformat(timespec="seconds") for name, time in found.items() if time}

    @cached_property
    def waiting(self) -> str:
        """Whom it waits for, asked of PostgreSQL just now; before its backend is known, what it has told."""
        if not self.is_running:
            return ""
        return capfirst(self.run.waiting_for if self.run.pid is None else runs.holders(self.run))

    @property
    def usual_words(self) -> str:
        return "" if self.usual is None else _("usually %(time)s") % {"time": duration(self.usual)}

    def as_json(self) -> dict[str, Any]:
        """Return what the page asks for again and again."""
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
            "steps": [step._asdict() for step in self.steps],
        }


def show_runs(found: Sequence[Run], usual: Mapping[int, float | None] | None = None) -> list[ShownRun]:
    """Return runs in their order, with how long each usually takes, by primary key."""
    return [ShownRun(run, n, (usual or {}).get(run.pk)) for n, run in enumerate(found, 1)]


def usual_durations(found: Sequence[Run]) -> dict[int, float | None]:
    """Return how long runs usually take, by primary key, in a number of queries that is not that of the runs.

    Of a view without a history, its sync state says how long the last refresh took.
    """
    trends = read_trends()
    usual: dict[int, float | None] = {}
    unknown: defaultdict[str, dict[ViewName, int]] = defaultdict(dict)
    for run in found:
        name = run.view_name
        trend = trends.get(ViewAddress(run.database, name)) if name else None
        usual[run.pk] = trend.usual_seconds if trend else None
        if name is None:
            usual[run.pk] = run.usual_seconds  # of a sync, of which there is one for each database
        elif usual[run.pk] is None:
            unknown[run.database][name] = run.pk
    for database, names in unknown.items():
        with suppress(OrmViewsError, DatabaseError):  # it does not answer, so nobody knows
            states = read_sync_states(database, list(names))
            usual |= {names[name]: state.seconds for name, state in states.items()}
    return usual


def stand(shown: Sequence[ShownRun]) -> str:
    """Return how the runs of a page stand, in a sentence."""
    return run_wording.standing([each.run for each in shown], waits=any(each.waiting for each in shown))
