"""Writing runs from core's signals, so that command lines and pages have one history.

Nothing here may stop a sync or a refresh: where a run cannot be written, because its table is not there yet
or its database does not answer, that is logged once and the work goes on.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.db import Error as DriverError
from django.db import IntegrityError, models, router, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import to_field
from orm_views_admin.models import Run
from orm_views_admin.origins import Key, find_origin
from orm_views_core import signals
from orm_views_core.engines.postgresql.sessions import Backend, find_backends, own_backend
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh.results import Outcome, RefreshResult, RefreshStart
from orm_views_core.sync import SyncResult

from .reconciliation import reconcile
from .retention import prune_now_and_then
from .storable import storable
from .sync_steps import failed_steps, finished_steps, summarise

logger = logging.getLogger("orm_views_admin")

_STATES = {
    Outcome.REFRESHED: Run.State.SUCCEEDED,
    Outcome.JOINED: Run.State.JOINED,
    Outcome.FAILED: Run.State.FAILED,
    Outcome.SKIPPED: Run.State.SKIPPED,
}
_has_failed = False


def connect() -> None:
    """Begin to record whatever is synced and refreshed in this process."""
    for signal, receiver in (
        (signals.views_sync_started, sync_started),
        (signals.views_synced, synced),
        (signals.views_sync_failed, sync_failed),
        (signals.view_refresh_started, refresh_started),
        (signals.view_refresh_waiting, refresh_waiting),
        (signals.view_refreshed, refresh_ended),
        (signals.view_refresh_failed, refresh_ended),
    ):
        signal.connect(receiver, dispatch_uid=f"orm_views_admin.{receiver.__name__}")


def recorded(write: Callable[..., None]) -> Callable[..., None]:
    """Make a function that writes all or nothing, and logs what keeps it from writing."""

    @functools.wraps(write)
    def guarded(*args: Any, **kwargs: Any) -> None:
        global _has_failed
        try:
            with transaction.atomic(using=router.db_for_write(Run)):
                write(*args, **kwargs)
        except (DriverError, OrmViewsError):
            if not _has_failed:
                logger.warning(
                    "Runs cannot be recorded; what is synced and refreshed is not in the history. "
                    "Has migrate been run?",
                    exc_info=True,
                )
            _has_failed = True
        else:
            _has_failed = False

    return guarded


@recorded
def refresh_started(*, database: str, request: uuid.UUID, start: RefreshStart, **_: Any) -> None:
    """A refresh is at work in a backend; after a lock could not be had, perhaps in another one."""
    backend = find_backends(database, [start.pid]).get(start.pid)
    facts = _at_work(backend, start.pid)
    facts |= {"concurrently": start.concurrently, "why_not": start.why_not, "waiting_for": ""}
    key = _key_of(start)
    if not _continue(key, request, facts):
        _create(key, request, Run.Kind.REFRESH, facts)


@recorded
def refresh_waiting(
    *, database: str, request: uuid.UUID, start: RefreshStart, waiting_for: str, **_: Any
) -> None:
    """A refresh waits for something else than before."""
    _find(_key_of(start), request).filter(state__in=Run.ACTIVE).update(waiting_for=waiting_for)


@recorded
def refresh_ended(*, request: uuid.UUID, result: RefreshResult, **_: Any) -> None:
    """A refresh is done, or will not be done."""
    facts: dict[str, Any] = {
        "concurrently": result.concurrently,
        "why_not": result.why_not,
        "seconds": result.seconds,
        "waited": result.waited,
        "rows_before": result.rows_before,
        "rows_after": result.rows_after,
        "rows_exact": result.rows_exact,
        "size_before": result.size_before,
        "size_after": result.size_after,
        "error": storable(str(result.error or "")),
        "summary": _summary(result),
    }
    if result.outcome is Outcome.SKIPPED:
        facts |= {"concurrently": None, "seconds": None}
    _finish(_key_of(result), request, Run.Kind.REFRESH, _STATES[result.outcome], facts)


@recorded
def sync_started(*, database: str, request: uuid.UUID, **_: Any) -> None:
    """A sync begins. It is done on this thread's own connection, so its backend is known."""
    backend = own_backend(database)
    facts = _at_work(backend, backend.pid)
    key = (database, "", "")
    if not _continue(key, request, facts):
        _create(key, request, Run.Kind.SYNC, facts)


@recorded
def synced(*, database: str, request: uuid.UUID, result: SyncResult, **_: Any) -> None:
    """A sync is committed."""
    facts = {
        "seconds": result.seconds,
        "steps": finished_steps(result.steps),
        "summary": summarise(result.plan),
    }
    _finish((database, "", ""), request, Run.Kind.SYNC, Run.State.SUCCEEDED, facts)


@recorded
def sync_failed(*, database: str, request: uuid.UUID, error: BaseException, seconds: float, **_: Any) -> None:
    """A sync is rolled back."""
    key = (database, "", "")
    said = str(error) if isinstance(error, (OrmViewsError, DriverError)) else _class_and_message(error)
    run = _find(key, request).first()
    facts = {"seconds": seconds, "error": said, "steps": failed_steps(run.steps) if run else []}
    _finish(key, request, Run.Kind.SYNC, Run.State.FAILED, facts)


def _class_and_message(error: BaseException) -> str:
    return storable(f"{type(error).__name__}: {error}".removesuffix(": "))


def _key_of(what: RefreshStart | RefreshResult) -> Key:
    return what.database, what.name.schema, what.name.name


def _summary(result: RefreshResult) -> str:
    if not result.joined or result.started is None:
        return ""
    moment = timezone.localtime(result.started, timezone.get_default_timezone())
    return _("Another refresh of it was joined: the rows are those of %(time)s.") % {
        "time": moment.isoformat(" ", "seconds")
    }


def _at_work(backend: Backend | None, pid: int) -> dict[str, Any]:
    # By the clock of the view's database: it is compared later with the time in the view's sync state.
    now = to_field(backend.now) if backend else timezone.now()
    return {
        "state": Run.State.RUNNING,
        "started_at": Coalesce("started_at", models.Value(now, models.DateTimeField())),
        "pid": pid,
        "backend_start": to_field(backend.started) if backend else None,
    }


def _find(key: Key, request: uuid.UUID) -> models.QuerySet[Run]:
    """Return the row of what is done: the one that was created for it, or else by core's request."""
    origin = find_origin()
    if key in origin.runs:
        return Run.objects.filter(pk=origin.runs[key], claimed_at=origin.claimed_at)
    database, schema, name = key
    return Run.objects.filter(request=request, database=database, schema=schema, name=name)


def _continue(key: Key, request: uuid.UUID, facts: dict[str, Any]) -> bool:
    """Say that a row is being worked on; return whether there is one, active and ours still or not."""
    rows = _find(key, request)
    return bool(rows.filter(state__in=Run.ACTIVE).update(**facts)) or _is_there(rows, key)


def _is_there(rows: models.QuerySet[Run], key: Key) -> bool:
    """Say whether no other row is to be written: there is one, or somebody else has taken it over."""
    return key in find_origin().runs or rows.exists()


def _create(key: Key, request: uuid.UUID, kind: str, facts: dict[str, Any]) -> None:
    """Write the row of something that somebody else than staff has started.

    Where a run of that view is active already, only one of the two can be; the other is written when it ends.
    """
    prune_now_and_then()
    for is_last in (False, True):
        try:
            with transaction.atomic(using=router.db_for_write(Run)):
                run = _new(key, request, kind)
                run.save(force_insert=True)
            Run.objects.filter(pk=run.pk).update(**facts)
            return
        except IntegrityError:
            if not is_last:
                database, schema, name = key
                others = Run.objects.filter(database=database, schema=schema, name=name, kind=kind)
                reconcile(list(others.filter(state__in=Run.ACTIVE)))


def _new(key: Key, request: uuid.UUID, kind: str) -> Run:
    origin = find_origin()
    database, schema, name = key
    return Run(
        request=request,
        kind=kind,
        database=database,
        schema=schema,
        name=name,
        origin=origin.origin,
        user=origin.user,
        who=origin.who,
        state=Run.State.RUNNING,
    )


def _finish(key: Key, request: uuid.UUID, kind: str, state: str, facts: dict[str, Any]) -> None:
    """Write how it ended. What was cancelled says so, and what was taken for lost was not."""
    now = timezone.now()
    facts = {**facts, "finished_at": now, "waiting_for": ""}
    rows = _find(key, request)
    became: Any = state
    if state == Run.State.FAILED:
        became = models.Case(
            models.When(cancelled_by="", then=models.Value(state)),
            default=models.Value(Run.State.CANCELLED),
        )
    unsettled = rows.filter(state__in=(*Run.ACTIVE, Run.State.LOST))
    if unsettled.update(state=became, **facts) or _is_there(rows, key):
        return
    run = _new(key, request, kind)
    for name, value in facts.items():
        setattr(run, name, value)
    run.state = state
    taken = (facts.get("seconds") or 0.0) + (facts.get("waited") or 0.0)
    run.queued_at = now - dt.timedelta(seconds=taken)
    run.started_at = None if state == Run.State.SKIPPED else run.queued_at
    run.save(force_insert=True)
