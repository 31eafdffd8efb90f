"""One refresh of a view at a time, on however many machines; who works on what, and ending it.

A refresh holds a transaction-level advisory lock on its view's oid. It ends with its transaction, so nothing
is left behind by whoever dies, and a pooler may hand the backend on. In ``pg_locks`` its ``classid`` is
``REFRESH_LOCK`` and its ``objid`` the view's oid.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.names import ViewName

from .fetch import moment
from .locks import SYNC_LOCK

#: The first key of the advisory lock that a refresh holds: "ormr" in ASCII. The second one is the view's oid.
REFRESH_LOCK = int.from_bytes(b"ormr", "big")

_TAKE = "SELECT pg_catalog.{}(%s, %s)"

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


def try_refresh_lock(connection: BaseDatabaseWrapper, oid: int) -> bool:
    """Take a view's lock to the end of the transaction, if nobody has it."""
    return _take(connection, "pg_try_advisory_xact_lock", oid)


def wait_for_refresh_lock(connection: BaseDatabaseWrapper, oid: int) -> None:
    """Take a view's lock to the end of the transaction, however long another refresh takes.

    LOCK_WAIT does not count here: a refresh may take hours, and nobody queues behind those who wait. Call it
    before :func:`~orm_views_core.engines.postgresql.locks.limit_lock_waits`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    _take(connection, "pg_advisory_xact_lock", oid)


def _take(connection: BaseDatabaseWrapper, function: str, oid: int) -> bool:
    with connection.cursor() as cursor:
        # An oid has 32 bits without a sign, and the key has one.
        cursor.execute(_TAKE.format(function), [REFRESH_LOCK, oid - (1 << 32) if oid >= 1 << 31 else oid])
        return bool(cursor.fetchone()[0])


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
