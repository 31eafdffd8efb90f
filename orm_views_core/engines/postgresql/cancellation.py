"""Ending a refresh or a sync by cancelling its statement or terminating its backend.

https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.names import ViewName

from .catalog.fetch import forget_statistics
from .catalog.search_path import catalog_cursor
from .errors.diagnostics import INSUFFICIENT_PRIVILEGE, sqlstate
from .locking.sessions import LOCKS, RUNNING, find_backends, running
from .roles import for_other_roles

# A session that no longer holds or awaits the lock has finished, and a pooler may have given its backend to
# another client.
_CANCEL = f"""
SELECT COALESCE(bool_or(pg_catalog.pg_cancel_backend(found.pid)), false)
FROM ({RUNNING}) AS found
WHERE found.pid = %(pid)s
"""

_SIGNAL = """
SELECT COALESCE(bool_or(pg_catalog.{function}(a.pid)), false)
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = %(pid)s
  AND (%(started)s::float8 IS NULL OR abs(extract(epoch FROM a.backend_start) - %(started)s::float8) < 0.001)
"""

_PATIENCE = 0.5  # seconds for a cancelled statement to end
_PAUSE = 0.02  # seconds


def cancel(database: str, pid: int) -> bool:
    """Cancel the statement of a backend that refreshes or syncs. That work fails, and is rolled back.

    A backend that has no statement, because it pauses between two tries to get a lock, goes on. Then call
    this again.

    Args:
        database: the alias.
        pid: the backend, of a ``RefreshStart`` or a ``Running``.

    Returns:
        whether the backend was signalled; False when it no longer refreshes or syncs.

    Raises:
        django.db.DatabaseError: when none of our roles is that of the backend, or may signal it.

    Example:
        >>> from orm_views_core.refresh_locks import cancel
        >>> cancel("default", pid=1)  # which refreshes nothing
        False
    """
    connection = get_connection(database)
    with catalog_cursor(connection):
        return send(connection, _CANCEL, {**LOCKS, "pid": pid})


def cancel_work(database: str, pid: int, started: dt.datetime | None, name: ViewName | None) -> bool:
    """End the refresh or the sync of a backend. It fails, and is rolled back.

    Its statement is cancelled. A backend without a statement, because it pauses between two tries to get a
    lock, is terminated. Both take no longer than a second.

    Args:
        database: the alias.
        pid: the backend.
        started: when that backend was started, so that another one with the same pid is not hit; None when
            that is not known.
        name: the view that it refreshes; None when it syncs. A backend that no longer does so is left alone.

    Returns:
        whether the backend was signalled; False when it no longer works on this.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
        DatabaseError: when none of our roles is that of the backend, or may signal it.
    """
    connection = get_connection(database)
    if not _is_at(connection, pid, name) or not _signal(connection, "pg_cancel_backend", pid, started):
        return False
    deadline = time.monotonic() + _PATIENCE
    while _is_at(connection, pid, name):
        if time.monotonic() >= deadline:
            backend = find_backends(database, [pid]).get(pid)
            if backend is None or not backend.is_that_of(started):
                return True
            idle = (backend.state or "").startswith("idle in transaction")
            function = "pg_terminate_backend" if idle else "pg_cancel_backend"
            return _signal(connection, function, pid, started)
        time.sleep(_PAUSE)
    return True


def _is_at(connection: BaseDatabaseWrapper, pid: int, name: ViewName | None) -> bool:
    return any(session.pid == pid and session.name == name for session in running(connection))


def _signal(connection: BaseDatabaseWrapper, function: str, pid: int, started: dt.datetime | None) -> bool:
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)
        params = {"pid": pid, "started": started and started.timestamp()}
        return send(connection, _SIGNAL.format(function=function), params)


def send(connection: BaseDatabaseWrapper, query: str, params: Mapping[str, Any]) -> bool:
    """Signal a backend as our role or, if that may not see or signal it, as another role of this session."""

    def signal() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            return bool(cursor.fetchone()[0])

    refusal = None
    try:
        with transaction.atomic(using=connection.alias):
            if signal():
                return True
    except DatabaseError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        refusal = error
    if for_other_roles(connection, signal, otherwise=False):
        return True
    if refusal is not None:
        raise refusal
    return False
