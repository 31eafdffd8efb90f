"""Ending the active runs that no process ends: its process was killed, or its backend is gone.

The backend of a running run is recorded. The run is running as long as that backend holds the lock of its
refresh or sync, even when the process of the run is dead. In the first minute the backend may not hold the
lock yet; whatever it does then counts as work on the run. Databases without sessions do not tell who is at
work. There a run is lost when it takes much longer than such runs do.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import DatabaseError, models
from django.utils import timezone

from orm_views_admin.conf import queue_patience
from orm_views_admin.datetimes import from_field, to_field
from orm_views_admin.files.kept import delete_partial_file
from orm_views_admin.files.request import number_of
from orm_views_admin.models import Run
from orm_views_core.conf import get_settings
from orm_views_core.database.sync_state import SyncState
from orm_views_core.engines.postgresql.locking.sessions import Backend
from orm_views_core.engines.postgresql.rows import find_exports
from orm_views_core.exceptions import DatabaseUnavailableError, UnsupportedDatabaseError
from orm_views_core.refresh.freshness import in_words
from orm_views_core.refresh_locks import Running, find_running
from orm_views_core.sentences import says
from orm_views_core.status import read_sync_states

from .backends import backends_of, has_sessions
from .writing import error_fields

#: Seconds for which a backend may be idle: between two tries to get a lock, or while its result is recorded.
_IDLE = 10.0
#: The sync state has milliseconds.
_ROUNDING = dt.timedelta(milliseconds=1)
#: A process that has taken a run from the queue records the backend within this time.
_SILENCE = dt.timedelta(seconds=60)
#: How many times as long as the longest run a run may take where nobody tells whether it is at work.
_FACTOR = 3
#: Seconds after which a backend that pauses between two tries to get a lock holds its lock again.
_MOMENT = 0.3


def reconcile(runs: Iterable[Run] | None = None) -> None:
    """End the active runs that nothing works on any more, and update these objects.

    Such a run has succeeded when the view's sync state says so. It is cancelled when somebody has cancelled
    it, and lost otherwise. A run whose database does not answer stays as it is.

    Args:
        runs: the runs to look at; None for all active runs.
    """
    runs = list(Run.objects.filter(state__in=Run.ACTIVE) if runs is None else runs)
    running = [run for run in runs if run.state == Run.State.RUNNING]
    exports = [run for run in running if run.kind == Run.Kind.EXPORT]
    for database in dict.fromkeys(run.database for run in exports):
        _settle_exports(database, [run for run in exports if run.database == database])
    running = [run for run in running if run.kind != Run.Kind.EXPORT]
    for database in dict.fromkeys(run.database for run in running):
        settle = _settle_running if has_sessions(database) else _settle_silent
        settle(database, [run for run in running if run.database == database])
    for run in runs:
        if run.state == Run.State.QUEUED:
            _settle_queued(run)


def _settle_running(database: str, runs: Sequence[Run]) -> None:
    try:
        backends = backends_of(database, runs)
        sessions = find_running(database)
        gone = [run for run in runs if not _is_at_work(run, backends.get(run.pk), sessions)]
        if any(run.pk in backends for run in gone):
            # Between two tries to get a lock a backend holds no lock for a moment.
            time.sleep(_MOMENT)
            sessions = find_running(database)
            gone = [run for run in gone if not _has_lock(run, sessions)]
        names = [name for run in gone if (name := run.view_name)]
        states = read_sync_states(database, names) if names else {}
    except (DatabaseUnavailableError, DatabaseError):
        return
    except UnsupportedDatabaseError as error:
        for run in runs:
            _settle(run, state=Run.State.LOST, **error_fields(error))
        return
    for run in gone:
        _settle(run, **_result(run, states.get(run.view_name) if run.view_name else None))


def _settle_silent(database: str, runs: Sequence[Run]) -> None:
    """End the runs that have been silent for too long, where the database does not tell who is at work."""
    for run in runs:
        if _is_silent(run):
            _settle(run, **_result(run, None))


def _is_silent(run: Run) -> bool:
    """Return whether a running run has taken so long that its process must have died.

    It may wait for LOCK_WAIT, and for SYNC_WAIT if it has said that it waits. Then it may take three times as
    long as the longest run of its kind there. If it ends after all, it gets its result.
    """
    settings = get_settings()
    alike = Run.objects.filter(database=run.database, kind=run.kind, state=Run.State.SUCCEEDED)
    longest = alike.aggregate(longest=models.Max("seconds"))["longest"] or 0.0
    wait = settings.LOCK_WAIT + (settings.SYNC_WAIT if run.waiting_for else 0.0)
    since = run.started_at or run.claimed_at or run.queued_at
    return timezone.now() - since > _SILENCE + dt.timedelta(seconds=wait + _FACTOR * longest)


def _settle_exports(database: str, runs: Sequence[Run]) -> None:
    """End the exports whose process is gone. While an export reads rows, it holds a lock of its own."""
    try:
        found = find_exports(database)
        gone = [run for run in runs if not _is_exported(run, found)]
        if gone:
            # A file that has to be written in another way is read once more.
            time.sleep(_MOMENT)
            found = find_exports(database)
    except (DatabaseUnavailableError, DatabaseError):
        return
    except UnsupportedDatabaseError as error:
        found, gone, result = set(), list(runs), {"state": Run.State.LOST, **error_fields(error)}
    else:
        result = {}
    for run in gone:
        if number_of(run) not in found:
            _settle(run, **(result or _result(run, None)))
            if run.state in (Run.State.LOST, Run.State.CANCELLED):
                delete_partial_file(run)


def _is_exported(run: Run, numbers: Collection[int]) -> bool:
    """Return whether a session reads the rows of an export, or may not have begun."""
    if run.pid is None and timezone.now() - (run.started_at or run.claimed_at or run.queued_at) < _SILENCE:
        return True
    return number_of(run) in numbers


def _is_at_work(run: Run, backend: Backend | None, sessions: Sequence[Running]) -> bool:
    """Return whether a session works on a run.

    Args:
        run: a running run.
        backend: its backend; None when that is gone, or was not recorded yet.
        sessions: the sessions that refresh or sync.
    """
    if run.pid is None:
        since = run.started_at or run.claimed_at or run.queued_at
        return timezone.now() - since < _SILENCE or any(each.name == run.view_name for each in sessions)
    if _has_lock(run, sessions):  # everybody may see locks, also those of a backend that is hidden from us
        return True
    if backend is None:
        return False
    if run.started_at and backend.now - from_field(run.started_at) > _SILENCE:
        return False  # its work is not this run: a pooler or a persistent connection has reused the backend
    # A backend that is hidden from us has no state, and may be at work.
    return backend.state != "idle" or (backend.seconds or 0.0) < _IDLE


def _has_lock(run: Run, sessions: Sequence[Running]) -> bool:
    return any(session.pid == run.pid and session.name == run.view_name for session in sessions)


def _result(run: Run, state: SyncState | None) -> dict[str, Any]:
    """Return how a run has ended that nothing works on.

    Args:
        run: the run.
        state: the sync state of its view; None for a sync, and where the view has none.
    """
    if (
        run.started_at
        and state
        and state.refreshed
        and state.refreshed >= from_field(run.started_at) - _ROUNDING
        and not _was_refreshed_by_other_run(run, to_field(state.refreshed))
    ):
        finished = state.refreshed + dt.timedelta(seconds=state.seconds or 0.0)
        return {"state": Run.State.SUCCEEDED, "seconds": state.seconds, "finished_at": to_field(finished)}
    if run.cancelled_by:
        return {"state": Run.State.CANCELLED}
    error = says("The process or the backend of the run is gone. How the run ended was not recorded.")
    return {"state": Run.State.LOST, **error_fields(error)}


def _was_refreshed_by_other_run(run: Run, refreshed: dt.datetime) -> bool:
    """Return whether the rows of this time are those of another refresh of the view, or of a sync."""
    done = Run.objects.without_exports().filter(database=run.database, state=Run.State.SUCCEEDED)
    others = done.exclude(pk=run.pk)
    return others.filter(
        models.Q(schema=run.schema, name=run.name) | models.Q(kind=Run.Kind.SYNC),
        started_at__lte=refreshed + _ROUNDING,
        finished_at__gte=refreshed - _ROUNDING,
    ).exists()


def _settle_queued(run: Run) -> None:
    now = timezone.now()
    if run.claimed_at is None:
        patience = queue_patience()
        if now - run.queued_at > patience:
            error = says(
                "No executor took the request from the queue within %(time)s.", time=in_words(patience)
            )
            _settle(run, state=Run.State.LOST, **error_fields(error))
        return
    others = list(Run.objects.filter(request=run.request).exclude(pk=run.pk))
    if any(other.state == Run.State.RUNNING for other in others):
        return
    signs_of_life = [run.claimed_at, *(other.finished_at for other in others if other.finished_at)]
    if now - max(signs_of_life) > _SILENCE:
        # The process that took the request has died before this run began. The run is queued again as of now.
        run.as_claimed().filter(state=Run.State.QUEUED).update(claimed_at=None, queued_at=now)
        run.claimed_at, run.queued_at = None, now


def _settle(run: Run, **facts: Any) -> None:
    """Write how a run ended, unless another process has written it meanwhile."""
    # Another pid is that of another try, which is running.
    unchanged = run.as_claimed().filter(state=run.state, pid=run.pid)
    unchanged.update(**{"finished_at": timezone.now(), "waiting_for": "", **facts})
    run.refresh_from_db()
