"""The advisory locks that let one refresh of a view, and one sync of a database, run at a time.

They are locks of the transaction, so they end with it even when its client dies, and a pooler may give the
backend to another client afterwards. They work across machines. In ``pg_locks`` the lock of a refresh has
``REFRESH_LOCK`` as its ``classid`` and the view's oid as its ``objid``.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

#: The first key of the lock that a refresh holds: "ormr" in ASCII. The second key is the view's oid.
REFRESH_LOCK = int.from_bytes(b"ormr", "big")

#: The key of the lock that a sync holds: "ormviews" in ASCII. Each database has its own such lock. It is the
#: same in all versions of this package, so that two releases never sync at once.
SYNC_LOCK = int.from_bytes(b"ormviews", "big")


def try_refresh_lock(connection: BaseDatabaseWrapper, oid: int) -> bool:
    """Take the refresh lock of a view until the end of the transaction, unless another session holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s, %s)", _refresh_keys(oid))
        return bool(cursor.fetchone()[0])


def lock_refresh(connection: BaseDatabaseWrapper, oid: int) -> None:
    """Take the refresh lock of a view until the end of the transaction; wait for as long as lock_timeout."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", _refresh_keys(oid))


def _refresh_keys(oid: int) -> tuple[int, int]:
    """Return the two keys of a view's lock. An oid has 32 bits without a sign, a key has 32 bits with one."""
    return REFRESH_LOCK, oid - (1 << 32) if oid >= 1 << 31 else oid


def try_sync_lock(connection: BaseDatabaseWrapper) -> bool:
    """Take the sync lock until the end of the transaction, unless another session holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s)", [SYNC_LOCK])
        return bool(cursor.fetchone()[0])


def lock_sync(connection: BaseDatabaseWrapper) -> None:
    """Take the sync lock until the end of the transaction; wait for as long as lock_timeout."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [SYNC_LOCK])
