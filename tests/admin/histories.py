"""Runs of the past, written as the recorder writes them, and accesses to rows."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.runs.accesses import record
from orm_views_core.database.rows import Condition, Operator
from orm_views_core.names import ViewName

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
        kind=fields.pop("kind", None) or (Run.Kind.REFRESH if name else Run.Kind.SYNC),
        database=fields.pop("database", "default"),
        schema="views" if name else "",
        name=name,
        queued_at=queued,
        **fields,
    )


def path_of(run: Run, page: str = "") -> str:
    """Return the address of the page of a run's request."""
    return f"/admin/orm-views/runs/{run.request}/{page}"


def make_access(
    *conditions: Condition, who: str = "ann", days: float = 0, name: str = "loans", **fields: Any
) -> RowAccess:
    """Write that somebody read rows of a view some days ago."""
    user = get_user_model()(username=who)
    address = ViewAddress("default", ViewName("views", name))
    record(user, address, fields.pop("kind", RowAccess.Kind.PREVIEW), conditions=conditions, **fields)
    access = RowAccess.objects.latest("pk")
    access.at = timezone.now() - dt.timedelta(days=days)
    access.save()
    return access


def equals(value: str, column: str = "customer_id") -> Condition:
    """Return the condition that a column has a value."""
    return Condition(column, Operator.EQUALS, (value,))
