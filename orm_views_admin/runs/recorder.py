"""Writing runs from core's signals, so that commands, code and pages have one history.

Importing this module connects the receivers. A sync or a refresh goes on when its run cannot be written.
"""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any, NamedTuple

from django.db import Error as DriverError
from django.db import IntegrityError, models
from django.db.models.functions import Coalesce
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import to_field
from orm_views_admin.models import Run, Target
from orm_views_admin.origins import Origin, find_origin
from orm_views_admin.plan_words import summarise
from orm_views_core import signals
from orm_views_core.engines.postgresql.sessions import Backend, find_backends, own_backend
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh.results import Outcome, RefreshResult, RefreshStart
from orm_views_core.sync import SyncResult

from .reconciliation import reconcile
from .retention import prune_now_and_then
from .sync_progress import failed_steps, finished_steps
from .writing import recorded, storable

_STATES = {
    Outcome.REFRESHED: Run.State.SUCCEEDED,
    Outcome.JOINED: Run.State.JOINED,
    Outcome.FAILED: Run.State.FAILED,
    Outcome.SKIPPED: Run.State.SKIPPED,
}
#: Fields that a run has from a ``RefreshResult``.
_MEASURES = ("seconds", "waited", "rows_before", "rows_after", "rows_exact", "size_before", "size_after")


class _Work(NamedTuple):
    """A refresh or a sync that core reports.

    Attributes:
        request: the id of the call of ``refresh_views()`` or ``sync_views()``.
        target: what is refreshed or synced.
        origin: who started it; it names the run when that was created before.
    """

    request: uuid.UUID
    target: Target
    origin: Origin

    @property
    def runs(self) -> models.QuerySet[Run]:
        """The run of this work, if this process may write it."""
        if (pk := self.origin.runs.get(self.target)) is not None:
            return Run.objects.filter(pk=pk, claimed_at=self.origin.claimed_at)
        return Run.objects.filter(request=self.request, **self.target._asdict())

    @property
    def has_run(self) -> bool:
        """Whether this work has a run, which another process may have taken."""
        return self.target in self.origin.runs or self.runs.exists()

    def new_run(self, **facts: Any) -> Run:
        """Return a run that is not saved."""
        return Run(
            request=self.request,
            kind=Run.Kind.REFRESH if self.target.name else Run.Kind.SYNC,
            **self.target._asdict(),
            origin=self.origin.origin,
            user=self.origin.user,
            who=self.origin.who,
            **facts,
        )


def _refresh_of(request: uuid.UUID, what: RefreshStart | RefreshResult) -> _Work:
    return _Work(request, Target(what.database, *what.name), find_origin())


def _sync_of(request: uuid.UUID, database: str) -> _Work:
    return _Work(request, Target(database), find_origin())


@receiver(signals.view_refresh_started)
@recorded
def refresh_started(*, database: str, request: uuid.UUID, start: RefreshStart, **_: Any) -> None:
    """Record the backend of a refresh. After a lock time-out the next try may have another backend."""
    backend = find_backends(database, [start.pid]).get(start.pid)
    how = {"concurrently": start.concurrently, "why_not": start.why_not, "waiting_for": ""}
    _begin(_refresh_of(request, start), backend, pid=start.pid, **how)


@receiver(signals.view_refresh_waiting)
@recorded
def refresh_waiting(*, request: uuid.UUID, start: RefreshStart, waiting_for: str, **_: Any) -> None:
    """Record what a refresh waits for."""
    runs = _refresh_of(request, start).runs
    runs.filter(state__in=Run.ACTIVE).update(waiting_for=waiting_for)


@receiver([signals.view_refreshed, signals.view_refresh_failed])
@recorded
def refresh_ended(*, request: uuid.UUID, result: RefreshResult, **_: Any) -> None:
    """Record the result of a refresh, also of one that was skipped."""
    facts = {name: getattr(result, name) for name in _MEASURES}
    facts |= {"concurrently": result.concurrently, "why_not": result.why_not}
    if result.outcome is Outcome.SKIPPED:
        facts |= {"concurrently": None, "seconds": None}
    facts |= {"error": storable(str(result.error or "")), "summary": _summary(result)}
    _finish(_refresh_of(request, result), _STATES[result.outcome], **facts)


@receiver(signals.views_sync_started)
@recorded
def sync_started(*, database: str, request: uuid.UUID, **_: Any) -> None:
    """Record the backend of a sync, which is that of this thread's own connection."""
    backend = own_backend(database)
    _begin(_sync_of(request, database), backend, pid=backend.pid)


@receiver(signals.views_synced)
@recorded
def synced(*, database: str, request: uuid.UUID, result: SyncResult, **_: Any) -> None:
    """Record the result of a sync that was committed."""
    steps, summary = finished_steps(result.steps), summarise(result.plan)
    work = _sync_of(request, database)
    _finish(work, Run.State.SUCCEEDED, seconds=result.seconds, steps=steps, summary=summary)


@receiver(signals.views_sync_failed)
@recorded
def sync_failed(*, database: str, request: uuid.UUID, error: BaseException, seconds: float, **_: Any) -> None:
    """Record the error of a sync that was rolled back."""
    work = _sync_of(request, database)
    message = str(error)
    # The message of an error in the code, such as a KeyError, does not explain it.
    if not isinstance(error, (OrmViewsError, DriverError)):
        message = f"{type(error).__name__}: {message}".removesuffix(": ")
    run = work.runs.first()
    steps = failed_steps(run.steps) if run else []
    _finish(work, Run.State.FAILED, seconds=seconds, error=storable(message), steps=steps)


def _summary(result: RefreshResult) -> str:
    if not result.joined or result.started is None:
        return ""
    moment = timezone.localtime(result.started, timezone.get_default_timezone())
    names = {"time": moment.isoformat(" ", "seconds")}
    return _("Coalesced with a refresh that was already running. The rows are those of %(time)s.") % names


def _begin(work: _Work, backend: Backend | None, **facts: Any) -> None:
    """Mark the run of some work as running. It is created when the work has none."""
    # The clock of the view's database: this time is compared with the time in the view's sync state.
    now = to_field(backend.now) if backend else timezone.now()
    facts |= {"state": Run.State.RUNNING, "backend_start": to_field(backend.started) if backend else None}
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


def _finish(work: _Work, state: Run.State, **facts: Any) -> None:
    """Write how some work ended.

    A failed run that somebody has cancelled becomes a cancelled run. A run that was marked as lost gets its
    result after all. A run in any other final state stays as it is.
    """
    now = timezone.now()
    facts |= {"finished_at": now, "waiting_for": ""}
    became: Any = state
    if state == Run.State.FAILED:
        became = models.Case(
            models.When(cancelled_by="", then=models.Value(state)),
            default=models.Value(Run.State.CANCELLED),
        )
    unsettled = work.runs.filter(state__in=(*Run.ACTIVE, Run.State.LOST))
    if unsettled.update(state=became, **facts) or work.has_run:
        return
    taken = (facts.get("seconds") or 0.0) + (facts.get("waited") or 0.0)
    began = now - dt.timedelta(seconds=taken)
    started = None if state == Run.State.SKIPPED else began
    work.new_run(state=state, queued_at=began, started_at=started, **facts).insert()
