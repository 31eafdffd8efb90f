"""Writing runs from core's signals, so that commands, code and pages have one history.

Importing this module connects the receivers. A sync or a refresh goes on when its run cannot be written.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any

from django.db import Error as DriverError
from django.db import IntegrityError, models
from django.db.models.functions import Coalesce
from django.dispatch import receiver
from django.utils import timezone

from orm_views_admin.datetimes import to_field
from orm_views_admin.models import Run, Target
from orm_views_admin.plan_words import summarise
from orm_views_core import signals
from orm_views_core.engines.postgresql.locking.sessions import Backend, find_backends, own_backend
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh.results import Outcome, RefreshResult, RefreshStart
from orm_views_core.sentences import NOTHING, Sentence, says
from orm_views_core.spelling import spelling_on
from orm_views_core.sync import SyncResult

from .backends import has_sessions
from .changes import record_when_committed
from .reconciliation import reconcile
from .retention import prune_now_and_then
from .sync_progress import failed_steps, finished_steps
from .work import Work
from .writing import error_fields, recorded, recorded_start, storable

#: Fields that a run has from a ``RefreshResult``.
_HOW = ("concurrently", "why_not")
_MEASURES = ("seconds", "waited", "rows_before", "rows_after", "rows_exact", "size_before", "size_after")


@receiver(signals.view_refresh_started)
@recorded_start
def refresh_started(*, database: str, request: uuid.UUID, start: RefreshStart, **_: Any) -> None:
    """Record the backend of a refresh. After a lock time-out the next try may have another backend."""
    backend = find_backends(database, [start.pid]).get(start.pid)
    how = {"concurrently": start.concurrently, "why_not": start.why_not, "waiting_for": ""}
    _begin(Work(request, Target(database, *start.name)), backend, pid=start.pid, **how)


@receiver(signals.view_refresh_waiting)
@recorded
def refresh_waiting(*, start: RefreshStart, waiting_for: str, **_: Any) -> None:
    """Record what a refresh waits for."""
    work = Work(start.request, Target(start.database, *start.name))
    work.runs.filter(state__in=Run.ACTIVE).update(waiting_for=storable(waiting_for))


@receiver([signals.view_refreshed, signals.view_refresh_failed])
@recorded
def refresh_ended(*, database: str, request: uuid.UUID, result: RefreshResult, **_: Any) -> None:
    """Record the result of a refresh, also of one that was skipped."""
    facts = {name: getattr(result, name) for name in (*_HOW, *_MEASURES)}
    if result.outcome is Outcome.SKIPPED:
        facts |= {"concurrently": None, "seconds": None}
    facts |= error_fields(result.error or "") | {"summary": _summary(result)}
    # Any other outcome is also the name of a state.
    state = Run.State.SUCCEEDED if result.outcome is Outcome.REFRESHED else Run.State(result.outcome.value)
    _finish(Work(request, Target(database, *result.name)), state, **facts)


@receiver(signals.views_sync_started)
@recorded_start
def sync_started(*, database: str, request: uuid.UUID, **_: Any) -> None:
    """Record the backend of a sync, which is that of this thread's own connection; none without sessions."""
    backend = own_backend(database) if has_sessions(database) else None
    _begin(Work(request, Target(database)), backend, pid=backend.pid if backend else None)


@receiver(signals.views_synced)
def synced(*, database: str, request: uuid.UUID, result: SyncResult, **_: Any) -> None:
    """Record the result of a sync that was committed, and what it changed."""
    work = Work(request, Target(database))
    _synced(work, result)
    record_when_committed(work, result)


@recorded
def _synced(work: Work, result: SyncResult) -> None:
    facts = {"steps": finished_steps(result.steps), "summary": summarise(result.plan.counts)}
    _finish(work, Run.State.SUCCEEDED, seconds=result.seconds, **facts)


@receiver(signals.views_sync_failed)
def sync_failed(
    *,
    database: str,
    request: uuid.UUID,
    error: BaseException,
    seconds: float,
    committed: SyncResult | None = None,
    **_: Any,
) -> None:
    """Record the error of a sync that was rolled back, and what was committed before."""
    work = Work(request, Target(database))
    _failed(work, error, seconds)
    if committed is not None:
        record_when_committed(work, committed)


@recorded
def _failed(work: Work, error: BaseException, seconds: float) -> None:
    facts = error_fields(error)
    # The message of an error in the code, such as a KeyError, does not explain it.
    if not isinstance(error, (OrmViewsError, DriverError)):
        facts["error"] = storable(f"{type(error).__name__}: {error}".removesuffix(": "))
    run = work.runs.first()
    is_atomic = spelling_on(work.target.database).abilities.atomic
    steps = failed_steps(run.steps, is_atomic=is_atomic) if run else []
    _finish(work, Run.State.FAILED, seconds=seconds, steps=steps, **facts)


def _summary(result: RefreshResult) -> Sentence:
    if not result.joined or result.started is None:
        return NOTHING
    moment = timezone.localtime(result.started, timezone.get_default_timezone())
    return says(
        "Coalesced with a refresh that was already running. The rows are those of %(time)s.",
        time=moment.isoformat(" ", "seconds"),
    )


def _begin(work: Work, backend: Backend | None, **facts: Any) -> None:
    """Mark the run of some work as running. It is created when the work has none."""
    # The clock of the view's database: this time is compared with the time in the view's sync state.
    now = to_field(backend.now) if backend else timezone.now()
    started = backend.started if backend else None
    facts |= {"state": Run.State.RUNNING, "backend_start": started and to_field(started)}
    first_start = Coalesce("started_at", models.Value(now, models.DateTimeField()))
    if work.runs.filter(state__in=Run.ACTIVE).update(started_at=first_start, **facts) or work.has_run:
        return
    prune_now_and_then()
    run = work.new_run(started_at=now, **facts)
    try:
        run.insert()
    except IntegrityError:
        # A target has only one active run. When the other run goes on, this one is written when it ends.
        reconcile(Run.objects.filter(**work.target._asdict(), state__in=Run.ACTIVE))
        with suppress(IntegrityError):
            run.insert()


def _finish(work: Work, state: Run.State, **facts: Any) -> None:
    """Write how some work ended.

    A failed run that somebody has cancelled becomes a cancelled run. A run that was marked as lost gets its
    result after all. A run in any other final state stays as it is.
    """
    now = timezone.now()
    # A run that was marked as lost has an error that was not one.
    facts = {"error": "", "error_summary": "", **facts, "finished_at": now, "waiting_for": ""}
    unsettled = work.runs.filter(state__in=(*Run.ACTIVE, Run.State.LOST))
    if state == Run.State.FAILED:
        unsettled.exclude(cancelled_by="").update(state=Run.State.CANCELLED, **facts)
    if unsettled.update(state=state, **facts) or work.has_run:
        return
    taken = (facts.get("seconds") or 0.0) + (facts.get("waited") or 0.0)
    began = now - dt.timedelta(seconds=taken)
    started = None if state == Run.State.SKIPPED else began
    work.new_run(state=state, queued_at=began, started_at=started, **facts).insert()
