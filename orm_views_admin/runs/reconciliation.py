"""Runs that nobody ends: whose process was killed, whose backend is gone, that nobody took from the queue.

Of a run that is at work its backend's pid is known, and when that began. As long as that backend has the lock
of its refresh or sync the run is running, whatever has become of the process. In the first minute it may not
have it yet; then whatever it does is taken for that run's.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import DatabaseError, models
from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import from_field, to_field
from orm_views_admin.models import Run
from orm_views_core.database.sync_state import SyncState
from orm_views_core.engines.postgresql.blocking import find_blockers
from orm_views_core.engines.postgresql.sessions import Backend, find_backends
from orm_views_core.exceptions import DatabaseUnavailableError, OrmViewsError, UnsupportedDatabaseError
from orm_views_core.names import ViewName
from orm_views_core.refresh.freshness import in_words
from orm_views_core.refresh_locks import Running, find_running
from orm_views_core.status import read_sync_states

from .executors import get_executor

#: A backend may be idle for so many seconds between two tries, or while what it did is recorded.
_IDLE = 10.0
#: The sync state keeps milliseconds.
_ROUNDING = dt.timedelta(milliseconds=1)
#: Who has taken a request from the queue says within this time which backend works on it.
_SILENCE = dt.timedelta(seconds=60)
_MOMENT = 0.3  # seconds


def reconcile(runs: Iterable[Run] | None = None) -> None:
    """Settle the active runs that nobody works on any more.

    A run is settled as succeeded if the view's sync state says so, as cancelled if that was asked for, and
    else as lost. One whose database does not answer stays as it is.

    Args:
        runs: those to look at; all that are active when None.
    """
    active = Run.objects.filter(state__in=Run.ACTIVE)
    found = [run for run in (active if runs is None else runs) if run.is_active]
    at_work: defaultdict[str, list[Run]] = defaultdict(list)
    for run in found:
        if run.state == Run.State.RUNNING:
            at_work[run.database].append(run)
    for database, those in at_work.items():
        _settle_those_at_work(database, those)
    for run in found:
        if run.state == Run.State.QUEUED:
            _settle_queued(run)


def holders(run: Run) -> str:
    """Say whom a run waits for: who holds the lock, with what, and for how long; "" when it does not wait.

    A refresh does not queue for long: readers would queue behind it. In the pauses between its tries it waits
    for those that it has told of when it gave up the last time.
    """
    if run.state != Run.State.RUNNING or run.pid is None:
        return ""
    try:
        backend = find_backends(run.database, [run.pid]).get(run.pid)
        if backend is None or not _is_its(backend, run):
            return ""
        blockers = find_blockers(run.database, run.pid)
    except (OrmViewsError, DatabaseError):  # the database's own page says why; nothing is known of this run
        return ""
    if blockers:
        names = "; ".join(map(str, blockers))
        return _("waiting for a lock held by %(names)s") % {"names": names}
    if run.waiting_for and (backend.state or "").startswith("idle"):
        return _("waiting: %(what)s") % {"what": run.waiting_for}
    return ""


def _settle_those_at_work(database: str, runs: Sequence[Run]) -> None:
    try:
        backends = find_backends(database, [run.pid for run in runs if run.pid is not None])
        busy = find_running(database)
        gone = [run for run in runs if not _is_at_work(run, backends, busy)]
        if any(run.pid in backends for run in gone):
            # Between two tries to get a lock it has none, for a moment.
            time.sleep(_MOMENT)
            busy = find_running(database)
            gone = [run for run in gone if not _has_lock(run, busy)]
        names = [name for run in gone if (name := run.view_name)]
        states = read_sync_states(database, names) if names else {}
    except (DatabaseUnavailableError, DatabaseError):
        return
    except UnsupportedDatabaseError as error:
        for run in runs:
            _settle(run, state=Run.State.LOST, error=str(error))
        return
    for run in gone:
        _settle(run, **_what_became(run, states))


def _is_at_work(run: Run, backends: Mapping[int, Backend], busy: Sequence[Running]) -> bool:
    if run.pid is None:
        since = run.started_at or run.claimed_at or run.queued_at
        return timezone.now() - since < _SILENCE or any(other.name == run.view_name for other in busy)
    backend = backends.get(run.pid)
    if backend is None or not _is_its(backend, run):
        return False
    if _has_lock(run, busy):
        return True
    if run.started_at and backend.now - from_field(run.started_at) > _SILENCE:
        return False  # whatever it does is somebody else's: it has the backend from a pool, or from us
    return backend.state != "idle" or (backend.seconds or 0.0) < _IDLE


def _has_lock(run: Run, busy: Sequence[Running]) -> bool:
    return any(other.pid == run.pid and other.name == run.view_name for other in busy)


def _is_its(backend: Backend, run: Run) -> bool:
    return run.backend_start is None or backend.began(from_field(run.backend_start))


def _what_became(run: Run, states: Mapping[ViewName, SyncState]) -> dict[str, Any]:
    name = run.view_name
    state = states.get(name) if name else None
    earliest = from_field(run.started_at) - _ROUNDING if run.started_at else None
    if (
        state
        and state.refreshed
        and earliest
        and state.refreshed >= earliest
        and not _is_others(run, state.refreshed)
    ):
        finished = state.refreshed + dt.timedelta(seconds=state.seconds or 0.0)
        return {"state": Run.State.SUCCEEDED, "seconds": state.seconds, "finished_at": to_field(finished)}
    if run.cancelled_by:
        return {"state": Run.State.CANCELLED}
    return {
        "state": Run.State.LOST,
        "error": _("The process or the backend that worked on it is gone, and has not said how it ended."),
    }


def _is_others(run: Run, refreshed: dt.datetime) -> bool:
    """Say whether the rows are those of another run, of that view or of a sync."""
    moment = to_field(refreshed)
    others = Run.objects.filter(database=run.database, state=Run.State.SUCCEEDED).exclude(pk=run.pk)
    its = models.Q(schema=run.schema, name=run.name) | models.Q(kind=Run.Kind.SYNC)
    return others.filter(
        its, started_at__lte=moment + _ROUNDING, finished_at__gte=moment - _ROUNDING
    ).exists()


def _settle_queued(run: Run) -> None:
    now = timezone.now()
    if run.claimed_at is None:
        patience = get_executor().patience
        if now - run.queued_at > patience:
            error = _("Nobody took it from the queue within %(time)s.") % {"time": in_words(patience)}
            _settle(run, state=Run.State.LOST, error=error)
        return
    others = list(Run.objects.filter(request=run.request).exclude(pk=run.pk))
    if any(other.state == Run.State.RUNNING for other in others):
        return
    signs = [run.claimed_at, *(other.finished_at for other in others if other.finished_at)]
    if now - max(signs) > _SILENCE:
        # Whoever had taken it died before its turn came: it is in the queue again, from now on.
        Run.objects.filter(pk=run.pk, state=Run.State.QUEUED, claimed_at=run.claimed_at).update(
            claimed_at=None, queued_at=now
        )
        run.claimed_at, run.queued_at = None, now


def _settle(run: Run, **facts: Any) -> None:
    """Write how a run ended, if nobody has meanwhile."""
    facts = {"finished_at": timezone.now(), "waiting_for": "", **facts}
    # A pid that has changed is another try, which is at work.
    unchanged = Run.objects.filter(pk=run.pk, state=run.state, pid=run.pid, claimed_at=run.claimed_at)
    if unchanged.update(**facts):
        for name, value in facts.items():
            setattr(run, name, value)
    else:
        run.refresh_from_db()
