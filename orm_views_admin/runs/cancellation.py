"""Ending a run that somebody does not want any more."""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import from_field
from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.cancellation import cancel_work

from .audit_log import log
from .reconciliation import reconcile

#: How long to look for the backend of what is to be cancelled, in seconds, and how often.
_LOOK_FOR, _PAUSE = 1.0, 0.05


def cancel(run: Run, by: Any) -> bool:
    """End a run: what is in the queue is not begun, and what is at work is rolled back.

    Args:
        run: the run.
        by: the user who wants that, or any other name for whoever it is.

    Returns:
        whether it was cancelled, or its backend was told to stop; False when it is over, or nobody is found
        who works on it.

    Raises:
        DatabaseUnavailableError: when its database does not answer.
        DatabaseError: when we may not cancel what its role does.
    """
    who = by.get_username() if hasattr(by, "get_username") else str(by)
    mine = Run.objects.filter(pk=run.pk)
    now = timezone.now()
    is_told = bool(
        mine.filter(state=Run.State.QUEUED).update(
            state=Run.State.CANCELLED, cancelled_by=who, finished_at=now
        )
    )
    if not is_told and mine.filter(state=Run.State.RUNNING).update(cancelled_by=who):
        try:
            is_told = _cancel_work(run)
        except BaseException:  # it goes on
            mine.update(cancelled_by="")
            raise
        if not is_told:  # what has ended by itself was cancelled by nobody
            mine.exclude(state__in=(*Run.ACTIVE, Run.State.CANCELLED)).update(cancelled_by="")
    if is_told and hasattr(by, "get_username"):
        log(by, run, _("Cancelled a sync.") if run.kind == Run.Kind.SYNC else _("Cancelled a refresh."))
    run.refresh_from_db()
    return is_told


def _cancel_work(run: Run) -> bool:
    """Have what a run is at cancelled; it may not have begun in its backend yet."""
    deadline = time.monotonic() + _LOOK_FOR
    while True:
        run.refresh_from_db()
        if not run.is_active:
            return run.state == Run.State.CANCELLED
        pid, started = run.pid, run.backend_start
        if (
            pid is not None
            and started is not None
            and cancel_work(run.database, pid, from_field(started), run.view_name)
        ):
            return True
        if time.monotonic() >= deadline:
            reconcile([run])
            return run.state == Run.State.CANCELLED
        time.sleep(_PAUSE)
