"""Translated words, icons and colours for runs: subject, state, origin, changes and steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.models import Run, RunStep, StepState, ViewChange
from orm_views_admin.plan_words import describe_step, summarise
from orm_views_core.plan.steps import Action
from orm_views_core.sentences import translate

from . import wording
from .charts import Mark, Point
from .exports import words as export_wording
from .wording import Look

_PLAY = "M3.5 1.5 14 8 3.5 14.5z"
_SQUARE = "M2.5 2.5h11v11h-11z"
_SKIP = "M2 2.5 8.5 8 2 13.5zm6.5 0L15 8l-6.5 5.5z"
_TWO = "M6 3a5 5 0 1 0 0 10A5 5 0 0 0 6 3m4 0a5 5 0 1 1 0 10 7 7 0 0 0 0-10"


@dataclass(frozen=True)
class RunLook(Look):
    """How the state of a run is shown; ``mark`` is its mark in charts."""

    mark: Mark = Mark.OPEN


_STATES = {
    Run.State.QUEUED: RunLook(Run.State.QUEUED.label, "info", wording.CLOCK),
    Run.State.RUNNING: RunLook(Run.State.RUNNING.label, "info", _PLAY),
    Run.State.SUCCEEDED: RunLook(Run.State.SUCCEEDED.label, "success", wording.CHECK, Mark.DONE),
    Run.State.JOINED: RunLook(Run.State.JOINED.label, "success", _TWO, Mark.JOINED),
    Run.State.FAILED: RunLook(Run.State.FAILED.label, "error", wording.CROSS, Mark.FAILED),
    Run.State.SKIPPED: RunLook(Run.State.SKIPPED.label, "warning", _SKIP, Mark.STOPPED),
    Run.State.CANCELLED: RunLook(Run.State.CANCELLED.label, "warning", _SQUARE, Mark.STOPPED),
    Run.State.LOST: RunLook(Run.State.LOST.label, "error", wording.QUESTION, Mark.FAILED),
}

#: What a state means, a sentence. The words of the other states say it.
_EXPLANATIONS = {
    Run.State.QUEUED: _("It waits for its turn."),
    Run.State.JOINED: _(
        "It was coalesced with a refresh that was already running; its result is the result of this run."
    ),
    Run.State.SKIPPED: _("A view that it reads could not be refreshed."),
    Run.State.LOST: _(
        "Its process or its connection ended before the result was recorded, so the result is unknown."
    ),
}

#: From where a run was started.
WHERE = {
    Run.Origin.ADMIN: _("in the admin"),
    Run.Origin.COMMAND: _("with a command"),
    Run.Origin.TASK: _("by a task"),
    Run.Origin.CODE: _("by code of the project"),
}

LEGEND = {
    Mark.DONE: _("succeeded"),
    Mark.JOINED: _("joined"),
    Mark.FAILED: _("failed or lost"),
    Mark.STOPPED: _("cancelled or skipped"),
}

#: Shorter waits, in seconds, are not shown.
_SHORTEST_WAIT = 0.1

_ACTIONS = {action.value: action for action in Action}

#: The signs of the steps of a sync.
STEP_SIGNS = {
    StepState.PENDING: "○",
    StepState.RUNNING: "▸",
    StepState.BUILT: "◐",
    StepState.DONE: "✓",
    StepState.FAILED: "✕",
    StepState.UNDONE: "↶",
}


class Change(NamedTuple):
    """A quantity after and before a run, in words; "" if it is unknown, or if the earlier one is the same."""

    after: str
    before: str

    def __str__(self) -> str:
        if not (self.before and self.after):
            return self.before or self.after
        return gettext("%(before)s → %(after)s") % {"before": self.before, "after": self.after}


def look_of_run(state: str) -> RunLook:
    """Return the word, colour, icon and mark of a run's state."""
    return _STATES[Run.State(state)]


def explanation(state: str) -> str:
    """Return what a run's state means, a sentence; "" if its word says it."""
    return str(_EXPLANATIONS.get(Run.State(state), ""))


def subject(run: Run) -> str:
    """Return the name of the view that a run refreshes, or of the database that it syncs."""
    return str(run.view_name) if run.name else gettext("database “%(alias)s”") % {"alias": run.database}


def title(run: Run) -> str:
    """Return what a run does, with its subject: “Refresh of views.loans”."""
    return _title(run) % {"subject": run.view_name, "alias": run.database}


def heading(run: Run) -> SafeString:
    """Return the title of a run as HTML, in which names are isolated."""
    return wording.with_names(_title(run), subject=run.view_name, alias=run.database)


def _title(run: Run) -> str:
    if not run.name:
        return gettext("Sync of database “%(alias)s”")
    return (
        gettext("Export of %(subject)s") if run.kind == Run.Kind.EXPORT else gettext("Refresh of %(subject)s")
    )


def where(run: Run | ViewChange) -> str:
    """Return from where a run, or the sync of a change, was started, words that go on after a name."""
    return str(WHERE[Run.Origin(run.origin)])


def requested(run: Run) -> SafeString:
    """Return who requested a run, from where and when, a sentence."""
    facts: dict[str, object] = {
        "where": escape(where(run)),
        "when": wording.moment(run.queued_at),
    }
    if run.who:
        return wording.with_names(gettext("Requested by %(who)s, %(where)s, %(when)s."), who=run.who, **facts)
    return wording.with_names(gettext("Requested %(where)s, %(when)s."), **facts)


def state_title(runs: Sequence[Run]) -> str:
    """Return the states of the runs of a page for the title of the document: “Ended: succeeded”."""
    states = [look_of_run(run.state).word for run in runs]
    words = wording.listed(dict.fromkeys(map(str, states)))
    if any(run.is_active for run in runs):
        return capfirst(words)
    return gettext("Ended: %(states)s") % {"states": words}


def how(run: Run) -> str:
    """Return whether readers wait during a refresh; "" for a sync and before the start."""
    if run.kind != Run.Kind.REFRESH or run.concurrently is None or run.started_at is None:
        return ""
    return gettext("concurrently") if run.concurrently else gettext("readers wait")


def rows(run: Run) -> Change:
    """Return the number of rows after and before a run; of an export, how many are written."""
    if run.kind == Run.Kind.EXPORT:
        return Change(export_wording.rows(run), "")
    after = "" if run.rows_after is None else wording.number(run.rows_after)
    before = "" if run.rows_before is None else wording.number(run.rows_before)
    return Change(f"~ {after}" if after and not run.rows_exact else after, "" if before == after else before)


def size(run: Run) -> Change:
    """Return the size after and before a run."""
    after, before = wording.size(run.size_after), wording.size(run.size_before)
    return Change(after, "" if before == after else before)


def queue_seconds(run: Run) -> float | None:
    """Return how many seconds a run waited in the queue; None before it has started."""
    return None if run.started_at is None else max(0.0, (run.started_at - run.queued_at).total_seconds())


def step(stored: RunStep, shown: Callable[[str], str] = str) -> str:
    """Return what a step does, in the language of the reader: “create views.loans”.

    Args:
        stored: the step.
        shown: returns a text as the reader may read it. A view whose name it does not return has none.
    """
    action = _action(stored)
    if action is None:
        return shown(stored["text"])
    target = stored["target"]
    return describe_step(action, target if shown(target) == target else str(wording.UNSEEN))


def summary(run: Run) -> str:
    """Return the summary of a run. That of a sync is told from its steps, in the language of the reader."""
    if run.kind == Run.Kind.EXPORT:
        return export_wording.summary(run)
    actions = [_action(stored) for stored in run.steps]
    if not actions or None in actions:
        return translate(run.said("summary"))
    return summarise({action: count for action in Action if (count := actions.count(action))})


def _action(stored: RunStep) -> Action | None:
    """Return the action of a step; None if another release has stored it, which may know others."""
    return _ACTIONS.get(stored.get("action", "")) if "target" in stored else None


def point(seconds: float | None, state: str, title: str = "") -> Point:
    """Return a run as a point of a chart."""
    return Point(seconds, look_of_run(state).mark, title)


def wait(seconds: float | None) -> str:
    """Return how long a run has waited; "" if it is unknown or shorter than a tenth of a second."""
    return wording.duration(seconds) if seconds is not None and seconds >= _SHORTEST_WAIT else ""


def standing(runs: Sequence[Run], *, waits: bool = False) -> str:
    """Return the states of the runs of a page, a sentence.

    It contains no times: screen readers announce it whenever it changes.

    Args:
        runs: the runs of the page.
        waits: whether one of them waits for a lock.
    """
    is_active = any(run.is_active for run in runs)
    if len(runs) == 1:
        if waits:
            return gettext("It waits for a lock.")
        if is_active:
            is_queued = runs[0].state == Run.State.QUEUED
            return gettext("It is queued.") if is_queued else gettext("It is running.")
        return gettext("It has ended: %(state)s.") % {"state": look_of_run(runs[0].state).word}
    counts = Counter(Run.State(run.state) for run in runs)
    found = (wording.counted(counts[state], look.word) for state, look in _STATES.items() if counts[state])
    states = {"states": wording.listed(found)}
    if not is_active:
        return gettext("All have ended: %(states)s.") % states
    if waits:
        return gettext("%(states)s; one waits for a lock.") % states
    return gettext("%(states)s.") % states
