"""Words, signs and colours for runs: what they are of, how they stand, who wanted them, what they changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.models import Run
from orm_views_admin.runs.sync_steps import StepState

from . import wording
from .charts import Mark, Point
from .wording import Look

_PLAY = "M3.5 1.5 14 8 3.5 14.5z"
_SQUARE = "M2.5 2.5h11v11h-11z"
_SKIP = "M2 2.5 8.5 8 2 13.5zm6.5 0L15 8l-6.5 5.5z"
_TWO = "M6 3a5 5 0 1 0 0 10A5 5 0 0 0 6 3m4 0a5 5 0 1 1 0 10 7 7 0 0 0 0-10"
_QUESTION = "M4.5 5.5a3.5 3.5 0 1 1 4.5 3.3v1.7H7V7h1a1.5 1.5 0 1 0-1.5-1.5zM7 11.8h2v2H7z"

_STATES = {
    Run.State.QUEUED: Look(Run.State.QUEUED.label, "info", wording.CLOCK),
    Run.State.RUNNING: Look(Run.State.RUNNING.label, "info", _PLAY),
    Run.State.SUCCEEDED: Look(Run.State.SUCCEEDED.label, "success", wording.CHECK),
    Run.State.JOINED: Look(Run.State.JOINED.label, "success", _TWO),
    Run.State.FAILED: Look(Run.State.FAILED.label, "error", wording.CROSS),
    Run.State.SKIPPED: Look(Run.State.SKIPPED.label, "warning", _SKIP),
    Run.State.CANCELLED: Look(Run.State.CANCELLED.label, "warning", _SQUARE),
    Run.State.LOST: Look(Run.State.LOST.label, "error", _QUESTION),
}

#: What a state means where its word alone does not say it.
_EXPLANATIONS = {
    Run.State.QUEUED: _("It waits for its turn."),
    Run.State.JOINED: _("Somebody else was refreshing it; those rows are the result of this run too."),
    Run.State.SKIPPED: _("What it reads could not be refreshed."),
    Run.State.LOST: _("Its process or its connection has gone, so nobody can say what came of it."),
}

_MARKS = {
    Run.State.SUCCEEDED: Mark.DONE,
    Run.State.JOINED: Mark.JOINED,
    Run.State.FAILED: Mark.FAILED,
    Run.State.LOST: Mark.FAILED,
    Run.State.CANCELLED: Mark.STOPPED,
    Run.State.SKIPPED: Mark.STOPPED,
}

LEGEND = {
    Mark.DONE: _("succeeded"),
    Mark.JOINED: _("joined"),
    Mark.FAILED: _("failed or lost"),
    Mark.STOPPED: _("cancelled or skipped"),
}

#: The signs of the steps of a sync.
_STEPS = {
    StepState.PENDING: "○",
    StepState.RUNNING: "▸",
    StepState.BUILT: "◐",
    StepState.DONE: "✓",
    StepState.FAILED: "✕",
    StepState.UNDONE: "↶",
}


def look_of_run(state: str) -> Look:
    """Return how the state of a run is shown."""
    return _STATES[Run.State(state)]


def run_badge(state: str) -> SafeString:
    """Return the state of a run as HTML: icon, word and colour."""
    return wording.badge(look_of_run(state))


def explanation(state: str) -> str:
    """Return what a state means, a sentence; "" where its word says it."""
    return str(_EXPLANATIONS.get(Run.State(state), ""))


def subject(run: Run) -> str:
    """Return what a run is of: a view, or a database."""
    return str(run.view_name) if run.name else gettext("database “%(alias)s”") % {"alias": run.database}


def title(run: Run) -> str:
    """Return what a run does to what."""
    words = (
        gettext("Refresh of %(subject)s") if run.kind == Run.Kind.REFRESH else gettext("Sync of %(subject)s")
    )
    return words % {"subject": subject(run)}


def origin(run: Run) -> str:
    """Return where a run was started from."""
    return str(Run.Origin(run.origin).label)


def how(run: Run) -> str:
    """Return whether readers go on reading; "" for a sync and for what has not begun."""
    if run.kind != Run.Kind.REFRESH or run.concurrently is None or run.started_at is None:
        return ""
    return gettext("concurrently") if run.concurrently else gettext("readers wait")


def rows(run: Run) -> tuple[str, str]:
    """Return the rows after and before a run; where only the earlier are known, those alone."""
    after = "" if run.rows_after is None else wording.number(run.rows_after)
    before = "" if run.rows_before is None else wording.number(run.rows_before)
    return f"~ {after}" if after and not run.rows_exact else after, "" if before == after else before


def size(run: Run) -> tuple[str, str]:
    """Return the size after and before a run."""
    after, before = wording.size(run.size_after), wording.size(run.size_before)
    return after, "" if before == after else before


def change(quantity: tuple[str, str]) -> str:
    """Return what was after and before a run in the order of time: “before → after”."""
    after, before = quantity
    return f"{before} → {after}" if before and after else before or after


def queue_seconds(run: Run) -> float | None:
    """Return how long a run stood in the queue; None while it does."""
    return None if run.started_at is None else max(0.0, (run.started_at - run.queued_at).total_seconds())


def point(seconds: float | None, state: str, title: str = "") -> Point:
    """Return a run as a chart takes it."""
    return Point(seconds, _MARKS.get(Run.State(state), Mark.OPEN), title)


def step_sign(state: str) -> str:
    """Return the sign of a step."""
    return _STEPS[StepState(state)]


def step_word(state: str) -> str:
    """Return the word for what the sign says."""
    return str(StepState(state).label)


def standing(runs: Sequence[Run], *, waits: bool = False) -> str:
    """Return how some runs stand, a sentence without times: it is announced when it changes.

    Args:
        runs: those of a page.
        waits: whether one of them waits for a lock.
    """
    is_active = any(run.is_active for run in runs)
    if len(runs) == 1:
        if waits:
            return gettext("It waits for a lock.")
        said = str(look_of_run(runs[0].state).word)
        if is_active:
            return gettext("It is %(state)s.") % {"state": said}
        return gettext("It has ended: %(state)s.") % {"state": said}
    counts = Counter(Run.State(run.state) for run in runs)
    said = ", ".join(
        f"{wording.number(counts[state])} {look.word}" for state, look in _STATES.items() if counts[state]
    )
    if not is_active:
        return gettext("All have ended: %(states)s.") % {"states": said}
    if waits:
        return gettext("%(states)s; one waits for a lock.") % {"states": said}
    return gettext("%(states)s.") % {"states": said}
