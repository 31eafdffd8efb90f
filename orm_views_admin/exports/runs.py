"""A run as a record for other programs: column names contain units, and nothing is translated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from orm_views_admin.datetimes import in_utc
from orm_views_admin.disclosure import run_error_for, without_unseen
from orm_views_admin.models import Run
from orm_views_admin.ui import run_wording


def _moment(moment: dt.datetime | None) -> dt.datetime | None:
    return moment and in_utc(moment)


_FACTS: dict[str, Callable[[Run], Any]] = {
    "request": lambda run: str(run.request),
    "kind": lambda run: run.kind,
    "database": lambda run: run.database,
    "schema": lambda run: run.schema,
    "view": lambda run: run.name,
    "state": lambda run: run.state,
    "origin": lambda run: run.origin,
    "who": lambda run: run.who,
    "cancelled_by": lambda run: run.cancelled_by,
    "concurrently": lambda run: run.concurrently,
    "why_not_concurrently": lambda run: run.why_not,
    "queued_at": lambda run: _moment(run.queued_at),
    "started_at": lambda run: _moment(run.started_at),
    "finished_at": lambda run: _moment(run.finished_at),
    "queue_seconds": run_wording.queue_seconds,
    "seconds": lambda run: run.seconds,
    "waited_seconds": lambda run: run.waited,
    "rows_before": lambda run: run.rows_before,
    "rows_after": lambda run: run.rows_after,
    "rows_exact": lambda run: run.rows_exact,
    "size_before_bytes": lambda run: run.size_before,
    "size_after_bytes": lambda run: run.size_after,
    "summary": lambda run: run.summary,
}

#: The facts that are sentences, which may name views.
_TEXTS = ("why_not_concurrently", "summary")
COLUMNS = (*_FACTS, "error")


def record(run: Run, user: Any) -> list[Any]:
    """Return the values of a run in the order of ``COLUMNS``, as a user may read them; times are in UTC."""
    facts = {name: fact(run) for name, fact in _FACTS.items()}
    for name in _TEXTS:
        facts[name] = without_unseen(user, facts[name], run.database)
    return [*facts.values(), run_error_for(user, run)]
