"""The advisory locks that let one refresh of a view, and one sync of a database, run at a time.

They are locks of the transaction, so they end with it even when its client dies, and a pooler may give the
backend to another client afterwards. They work across machines. In ``pg_locks`` the lock of a refresh has
``REFRESH_LOCK`` as its ``classid`` and the view's oid as its ``objid``.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.backends.base.base import BaseDatabaseWrapper

#: The first key of the lock that a refresh holds: "ormr" in ASCII. The second key is the view's oid.
REFRESH_LOCK = int.from_bytes(b"ormr", "big")

#: The key of the lock that a sync holds: "ormviews" in ASCII. Each database has its own such lock.
SYNC_LOCK = int.from_bytes(b"ormviews", "big")


def try_refresh_lock(connection: BaseDatabaseWrapper, oid: int) -> bool:
    """Take the refresh lock of a view until the end of the transaction, unless another session holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s, %s)", _refresh_keys(oid))
        return bool(cursor.fetchone()[0])


def wait_for_refresh_lock(connection: BaseDatabaseWrapper, oid: int) -> None:
    """Take the refresh lock of a view until the end of the transaction, after any wait.

    LOCK_WAIT does not apply: another refresh may take hours, and no reader queues behind this wait. Call this
    before :func:`~orm_views_core.engines.postgresql.locks.limit_lock_waits`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', '0', true)")
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", _refresh_keys(oid))


def _refresh_keys(oid: int) -> tuple[int, int]:
    """Return the two keys of a view's lock. An oid has 32 bits without a sign, a key has 32 bits with one."""
    return REFRESH_LOCK, oid - (1 << 32) if oid >= 1 << 31 else oid


def take_sync_lock(connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None = None) -> None:
    """Take the sync lock of the database until the end of the transaction, after any wait.

    Call this before :func:`~orm_views_core.engines.postgresql.locks.limit_lock_waits`, whose time-out applies
    to advisory locks too: a second deploy has to wait for the first.

    Args:
        connection: the database.
        on_wait: called with what is waited for, when another sync holds the lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s)", [SYNC_LOCK])
        if cursor.fetchone()[0]:
            return
        if on_wait:
            on_wait("another sync of this database is running")
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [SYNC_LOCK])
