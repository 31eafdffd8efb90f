"""Runs of the past, written as the recorder writes them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from orm_views_admin.models import Run

STEPS = [
    {"text": "create views.ages", "state": "done", "seconds": 0.25},
    {"text": "rebuild views.summary", "state": "running", "seconds": None},
    {"text": "swap", "state": "pending", "seconds": None},
]


def make_run(name: str = "ages", *, ago: float = 60, **fields: Any) -> Run:
    """Write a run that was queued some seconds ago; a sync when the name is empty.

    A running run has no backend. It counts as lost when it is older than a minute.
    """
    queued = timezone.now() - dt.timedelta(seconds=ago)
    state = fields.setdefault("state", Run.State.SUCCEEDED)
    if state != Run.State.QUEUED:
        fields.setdefault("started_at", queued)
    if state not in Run.ACTIVE:
        fields.setdefault("seconds", 1.5)
        fields.setdefault("finished_at", queued + dt.timedelta(seconds=fields["seconds"] or 0))
    return Run.objects.create(
        request=fields.pop("request", None) or uuid.uuid4(),
        kind=Run.Kind.REFRESH if name else Run.Kind.SYNC,
        database=fields.pop("database", "default"),
        schema="views" if name else "",
        name=name,
        queued_at=queued,
        **fields,
    )


def path_of(run: Run, page: str = "") -> str:
    """Return the address of the page of a run's request."""
    return f"/admin/orm-views/runs/{run.request}/{page}"
