"""One refresh of a view at a time, on however many machines; who works on what, and ending it.

A refresh holds a transaction-level advisory lock on its view's oid. It ends with its transaction, so nothing
is left behind by whoever dies, and a pooler may hand the backend on. In ``pg_locks`` its ``classid`` is
``REFRESH_LOCK`` and its ``objid`` the view's oid.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper

#: The first key of the advisory lock that a refresh holds: "ormr" in ASCII. The second one is the view's oid.
REFRESH_LOCK = int.from_bytes(b"ormr", "big")

_TAKE = "SELECT pg_catalog.{}(%s, %s)"


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


#: The key of the advisory lock that a sync holds: "ormviews" in ASCII. Each database has its own.
SYNC_LOCK = int.from_bytes(b"ormviews", "big")


def take_sync_lock(connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None = None) -> None:
    """Wait until no other sync of this database runs; the lock ends with the transaction.

    Call it before :func:`limit_lock_waits`, whose time-out holds for advisory locks too: a second deploy
    waits its turn.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SYNC_LOCK])
        if cursor.fetchone()[0]:
            return
        if on_wait:
            on_wait("another sync of this database is running")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
