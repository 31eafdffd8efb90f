"""The server processes that sessions have: whether one is still at work, who blocks it, and ending its work.

A pid is used again. Together with the time at which its backend began it is not.
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.fetch import moment
from orm_views_core.names import ViewName

from .advisory_locks import REFRESH_LOCK, SYNC_LOCK

# Whoever we may not see (pg_read_all_stats sees everybody) has no state.
_BACKENDS = """
SELECT a.pid, extract(epoch FROM a.backend_start)::float8, a.state,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8,
       extract(epoch FROM clock_timestamp())::float8
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = ANY(%(pids)s) OR (%(own)s AND a.pid = pg_catalog.pg_backend_pid())
"""


_SIGNAL = """
SELECT pg_catalog.{function}(a.pid)
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = %(pid)s AND abs(extract(epoch FROM a.backend_start) - %(started)s) < 0.001
"""

_PATIENCE = 0.5  # seconds for a cancelled statement to end
_PAUSE = 0.02


class Backend(NamedTuple):
    """A server process.

    Attributes:
        started: when it was, by the clock of its server.
        state: PostgreSQL's word for what it does; None where we may not see it.
        seconds: for how long it has been so.
        now: the time by the clock of its server.
    """

    pid: int
    started: dt.datetime
    state: str | None
    seconds: float | None
    now: dt.datetime

    def began(self, moment: dt.datetime) -> bool:
        """Whether it was started then, and is not another one with its pid."""
        return abs(self.started - moment) < dt.timedelta(milliseconds=1)


def find_backends(database: str, pids: Collection[int]) -> dict[int, Backend]:
    """Return those of some server processes that there are, by pid.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    return {backend.pid: backend for backend in _backends(database, pids)}


def own_backend(database: str) -> Backend:
    """Return the server process of this thread's own connection.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    (backend,) = _backends(database, (), own=True)
    return backend


def cancel_work(database: str, pid: int, started: dt.datetime, name: ViewName | None) -> bool:
    """End a refresh or a sync that a backend is at; it fails, and nothing of it stays.

    Its statement is cancelled. A backend that has none, because it pauses between two tries to get a lock,
    is ended. Both take no longer than a second.
    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL

    Args:
        database: the alias.
        pid: the backend.
        started: when that began, so that no other one is hit that was given its pid.
        name: the view that it refreshes; None when it syncs. Whoever is no longer at that is left alone.

    Returns:
        whether it was told to stop; False when it no longer works on it.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
        DatabaseError: when we are neither its role nor a member of ``pg_signal_backend``.
    """
    connection = get_connection(database)
    if not _is_at(connection, pid, name) or not _signal(connection, "pg_cancel_backend", pid, started):
        return False
    deadline = time.monotonic() + _PATIENCE
    while _is_at(connection, pid, name):
        if time.monotonic() >= deadline:
            state = find_backends(database, [pid]).get(pid)
            if state is None or not state.began(started):
                return True
            if (state.state or "").startswith("idle in transaction"):
                return _signal(connection, "pg_terminate_backend", pid, started)
            return _signal(connection, "pg_cancel_backend", pid, started)
        time.sleep(_PAUSE)
    return True


def _is_at(connection: BaseDatabaseWrapper, pid: int, name: ViewName | None) -> bool:
    return any(found.pid == pid and found.name == name for found in running(connection))


def _signal(connection: BaseDatabaseWrapper, function: str, pid: int, started: dt.datetime) -> bool:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _forget_what_was_seen(connection)
        cursor.execute(_SIGNAL.format(function=function), {"pid": pid, "started": started.timestamp()})
        found = cursor.fetchone()
        return bool(found and found[0])


def _backends(database: str, pids: Collection[int], *, own: bool = False) -> list[Backend]:
    connection = get_connection(database)
    with transaction.atomic(using=database), connection.cursor() as cursor:
        _forget_what_was_seen(connection)
        cursor.execute(_BACKENDS, {"pids": list(pids), "own": own})
        return [
            Backend(found, moment(started), state, seconds, moment(now))
            for found, started, state, seconds, now in cursor.fetchall()
            if started is not None  # else it is not ours to see
        ]


def _forget_what_was_seen(connection: BaseDatabaseWrapper) -> None:
    """Look anew: a transaction goes on seeing the sessions as they were when it first looked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")


_RUNNING = """
SELECT l.pid, l.granted, c.oid, n.nspname, c.relname, a.usename,
       extract(epoch FROM a.xact_start)::float8, a.application_name
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON l.objsubid = 2 AND c.oid = l.objid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND ((l.objsubid = 2 AND l.classid = %(refresh)s AND c.oid IS NOT NULL)
       OR (l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = %(sync)s))
ORDER BY l.granted DESC, a.xact_start, l.pid
"""


# Whoever no longer holds the lock is done, and a pooler may have given its backend to somebody else.
_CANCEL = f"""
SELECT pg_catalog.pg_cancel_backend(found.pid)
FROM ({_RUNNING}) AS found
WHERE found.pid = %(pid)s
"""


@dataclass(frozen=True)
class Running:
    """A session that refreshes a view or syncs, or waits for its turn to do so.

    Attributes:
        pid: its backend.
        name: the view; None when it syncs.
        waits: whether another session is at the same.
        role: whom it has connected as.
        since: when its transaction began, by the database's clock. None, as the role, where we may not see it
            (``pg_read_all_stats`` sees everybody).
        application: what it calls itself, ``application_name``.
    """

    pid: int
    name: ViewName | None
    waits: bool
    role: str | None
    since: dt.datetime | None
    application: str | None

    def __str__(self) -> str:
        since = "" if self.since is None else f", since {self.since.astimezone():%H:%M:%S}"
        return f"pid {self.pid} ({self.role or 'role unknown'}{since})"


def running(connection: BaseDatabaseWrapper) -> list[Running]:
    """Return who refreshes and syncs, those first that have begun; :func:`find_running` with a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
        cursor.execute(_RUNNING, {"refresh": REFRESH_LOCK, "sync": SYNC_LOCK})
        return [
            Running(
                pid,
                None if oid is None else ViewName(schema, name),
                not granted,
                role,
                None if since is None else moment(since),
                application,
            )
            for pid, granted, oid, schema, name, role, since, application in cursor.fetchall()
        ]


def find_running(database: str) -> list[Running]:
    """Return the sessions that refresh views of a database or sync it, from whichever machine.

    Args:
        database: the alias.

    Raises:
        DatabaseUnavailableError: when the database does not answer.
    """
    return running(get_connection(database))


def cancel(database: str, pid: int) -> bool:
    """Cancel what a backend does, if it is a refresh or a sync; it fails, and nothing of it stays.

    One that has no statement at this moment, because it pauses between two tries to get a lock, goes on: ask
    again, or have :func:`~orm_views_core.engines.postgresql.sessions.cancel_work` see to it.

    https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL

    Args:
        database: the alias.
        pid: the backend, of a ``RefreshStart`` or a ``Running``.

    Returns:
        whether it was told to stop; False when it no longer refreshes or syncs.

    Raises:
        DatabaseError: when we are neither its role nor a member of ``pg_signal_backend``.
    """
    connection = get_connection(database)
    with transaction.atomic(using=database), connection.cursor() as cursor:
        cursor.execute(_CANCEL, {"refresh": REFRESH_LOCK, "sync": SYNC_LOCK, "pid": pid})
        found = cursor.fetchone()
        return bool(found and found[0])
