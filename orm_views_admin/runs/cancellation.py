"""Cancelling a run."""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import from_field
from orm_views_admin.files.request import number_of
from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.cancellation import cancel_work
from orm_views_core.engines.postgresql.rows import cancel_export

from .audit_log import log
from .reconciliation import reconcile

#: Seconds in which the backend of a run is looked for, and between two looks.
_LOOK_FOR, _PAUSE = 1.0, 0.05
_CANCELLED = {
    Run.Kind.REFRESH: lambda: _("Cancelled a refresh."),
    Run.Kind.SYNC: lambda: _("Cancelled a sync."),
    Run.Kind.EXPORT: lambda: _("Cancelled an export."),
}


def cancel(run: Run, by: Any) -> bool:
    """Cancel a run. A queued run is not begun, and the work of a running one is rolled back.

    Args:
        run: the run.
        by: the user who cancels it, or a name.

    Returns:
        whether the run was cancelled, or its backend was told to stop. False when the run has ended, or when
        no backend works on it.

    Raises:
        DatabaseUnavailableError: when its database does not answer.
        DatabaseError: when our role may not cancel the work of the backend's role.
    """
    who = by.get_username() if hasattr(by, "get_username") else str(by)
    same = Run.objects.filter(pk=run.pk)
    cancelled = {"state": Run.State.CANCELLED, "cancelled_by": who, "finished_at": timezone.now()}
    is_told = bool(same.filter(state=Run.State.QUEUED).update(**cancelled))
    if not is_told and same.filter(state=Run.State.RUNNING).update(cancelled_by=who):
        try:
            is_told = _cancel_work(run)
        except BaseException:  # the run goes on
            same.update(cancelled_by="")
            raise
        if not is_told:  # a run that has ended by itself was not cancelled
            same.exclude(state__in=(*Run.ACTIVE, Run.State.CANCELLED)).update(cancelled_by="")
    if is_told and hasattr(by, "get_username"):
        log(by, run, _CANCELLED[Run.Kind(run.kind)]())
    run.refresh_from_db()
    return is_told


def _cancel_work(run: Run) -> bool:
    """Cancel what the backend of a run does. The backend may not be known yet."""
    deadline = time.monotonic() + _LOOK_FOR
    run.refresh_from_db()
    while run.is_active and time.monotonic() < deadline:
        if run.kind == Run.Kind.EXPORT:
            # What has no statement now sees that it was cancelled when it writes its progress.
            if cancel_export(run.database, number_of(run)):
                return True
            time.sleep(_PAUSE)
            run.refresh_from_db()
            continue
        started = run.backend_start and from_field(run.backend_start)
        if run.pid is not None and cancel_work(run.database, run.pid, started, run.view_name):
            return True
        time.sleep(_PAUSE)
        run.refresh_from_db()
    reconcile([run])
    return run.state == Run.State.CANCELLED
