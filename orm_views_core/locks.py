"""Waiting for locks without making anybody else wait.

A statement that waits for an exclusive lock makes every later reader of that relation queue behind it. So
each waits for at most LOCK_TIMEOUT, shorter than ``deadlock_timeout``: PostgreSQL then gives up on us, never
on a reader. The transaction is rolled back, which lets the readers through, and tried again until LOCK_WAIT.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .conf import get_settings
from .connections import naming_the_database
from .exceptions import LockNotAvailableError
from .refusal import database_refused, is_refusal, sqlstate

T = TypeVar("T")

#: The key of the advisory lock that a sync holds: "ormviews" in ASCII. Each database has its own.
SYNC_LOCK = int.from_bytes(b"ormviews", "big")

_LOCK_NOT_AVAILABLE = "55P03"
_PAUSE = 0.2  # seconds between two tries: long enough for the queue of readers to drain

_HOLDERS = """
SELECT DISTINCT a.pid, a.usename, a.state, round(extract(epoch FROM now() - a.xact_start)), left(a.query, 200)
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND a.pid <> pg_backend_pid()
  AND (c.relkind IN ('v', 'm') OR l.mode = 'AccessExclusiveLock')
  AND a.datname = current_database() AND c.relnamespace <> 'pg_catalog'::regnamespace
ORDER BY a.pid
"""


def take_sync_lock(connection: BaseDatabaseWrapper) -> None:
    """Wait until no other sync of this database runs; the lock ends with the transaction.

    Call it before :func:`limit_lock_waits`, whose time-out holds for advisory locks too: a second deploy
    waits its turn.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])


def limit_lock_waits(connection: BaseDatabaseWrapper) -> None:
    """Let no statement of this transaction wait for a lock longer than LOCK_TIMEOUT."""
    milliseconds = max(1, round(get_settings().LOCK_TIMEOUT * 1000))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"])


def in_transaction(
    connection: BaseDatabaseWrapper,
    work: Callable[[BaseDatabaseWrapper], T],
    on_wait: Callable[[str], None] | None = None,
) -> T:
    """Do some work in a transaction, all of it again when a lock cannot be had.

    Args:
        connection: the database.
        work: what to do with it; it calls :func:`limit_lock_waits` itself.
        on_wait: called before each further try with what PostgreSQL said.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the sessions in the way.
        DatabaseUnavailableError: when the connection is lost.
        SyncFailedError: when PostgreSQL refuses something that is not a view's fault.
    """
    deadline = time.monotonic() + get_settings().LOCK_WAIT
    while True:
        try:
            with transaction.atomic(using=connection.alias):
                return work(connection)
        except OperationalError as error:
            if is_refusal(error):
                raise database_refused(connection, "", error) from error
            if sqlstate(error) != _LOCK_NOT_AVAILABLE:
                with naming_the_database(connection):
                    raise
            if time.monotonic() >= deadline:
                raise LockNotAvailableError(_lock_message(connection, error)) from error
            if on_wait:
                on_wait(str(error).strip().splitlines()[0])
        except DatabaseError as error:
            raise database_refused(connection, "", error) from error
        time.sleep(_PAUSE)


def _lock_message(connection: BaseDatabaseWrapper, error: OperationalError) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS)
        holders = [
            f"pid {pid} ({user}, {state}, in its transaction for {seconds} s): {query}"
            for pid, user, state, seconds, query in cursor.fetchall()
        ]
    who = (
        "\n  ".join(["These sessions hold locks that stand in the way:", *holders])
        if holders
        else "Nobody holds it any more."
    )
    first_line = str(error).strip().splitlines()[0]
    return (
        f"Database {connection.alias!r}: a lock could not be had within {get_settings().LOCK_WAIT:g} s "
        f"(ORM_VIEWS['LOCK_WAIT']): {first_line}. Nothing was changed. {who}"
    )
