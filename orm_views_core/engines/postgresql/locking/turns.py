"""Waiting for one's turn to sync a database or to refresh a view.

Others may hold the lock for hours, or on purpose: everybody may take an advisory lock. So the wait says whom
it waits for. It consists of short waits. psycopg2 does not hear Ctrl-C while PostgreSQL waits. A long wait
would also keep its snapshot, and VACUUM removes nothing that a snapshot can see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.postgresql.errors.diagnostics import LOCK_NOT_AVAILABLE, sqlstate
from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.sentences import Sentence, listed, number, says

from .advisory_locks import (
    SYNC_LOCK,
    lock_refresh,
    lock_sync,
    try_refresh_lock,
    try_sync_lock,
)
from .sessions import Running, running

_TURN = 1.0  # seconds of one wait; whoever waits is in PostgreSQL's queue for nearly all of the time


def take_sync_lock(
    connection: BaseDatabaseWrapper, on_wait: Callable[[Sentence], None] | None = None
) -> None:
    """Take the sync lock of the database until the end of the transaction, after other syncs.

    Args:
        connection: the database.
        on_wait: called with whom it waits for, whenever that changes.

    Raises:
        LockNotAvailableError: when SYNC_WAIT is over; it names who holds the lock.
    """
    if try_sync_lock(connection):
        return
    limit, began = get_settings().SYNC_WAIT, time.monotonic()
    announced: Sequence[Running] | None = None
    while True:
        holders = [one for one in running(connection) if one.name is None and not one.waits]
        if on_wait and holders != announced:
            waits = says("another sync of this database is running")
            on_wait(listed([waits, _named(holders)], ": ") if holders else waits)
        announced = holders
        left = limit - (time.monotonic() - began) if limit else _TURN
        if left <= 0:
            raise _not_our_turn(connection, limit, holders)
        if _wait(connection, lock_sync, min(left, _TURN)):
            return


def wait_for_refresh_lock(
    connection: BaseDatabaseWrapper, oid: int, pause: Callable[[float], None] = time.sleep
) -> None:
    """Take the refresh lock of a view until the end of the transaction, after any wait.

    Nothing limits the wait: another refresh may take hours, and no reader queues behind it.

    Args:
        connection: the database.
        oid: the view.
        pause: is called between two waits; may raise an exception to end the refresh.
    """
    while not try_refresh_lock(connection, oid):
        if _wait(connection, lambda connection: lock_refresh(connection, oid), _TURN):
            return
        pause(0)


def _wait(
    connection: BaseDatabaseWrapper, lock: Callable[[BaseDatabaseWrapper], None], seconds: float
) -> bool:
    """Wait for a lock for some seconds; return whether it was had.

    Time-outs that the role, the database or the session has set must not end the wait. ``lock_timeout`` is
    replaced. ``statement_timeout`` stays, because it is meant for the statements that follow too; the wait is
    shorter.
    """
    try:
        with transaction.atomic(using=connection.alias):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT setting::pg_catalog.int4 FROM pg_catalog.pg_settings "
                    "WHERE name OPERATOR(pg_catalog.=) 'statement_timeout'"
                )
                limit = cursor.fetchone()[0] / 2 or float("inf")
                milliseconds = max(1, int(min(seconds * 1000, limit)))
                cursor.execute(
                    "SELECT pg_catalog.set_config('lock_timeout', %s, true)", [f"{milliseconds}ms"]
                )
            lock(connection)
            return True
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise
        return False


def _named(sessions: Sequence[Running]) -> Sentence:
    return listed(session.sentence for session in sessions)


def _not_our_turn(
    connection: BaseDatabaseWrapper, limit: float, holders: Sequence[Running]
) -> LockNotAvailableError:
    parts = [
        says(
            "Database %(database)r: the sync lock could not be had within %(seconds)s s "
            "(ORM_VIEWS['SYNC_WAIT']). Nothing was changed.",
            database=connection.alias,
            seconds=number(limit),
        )
    ]
    if holders:
        parts.append(says("It is held by %(sessions)s.", sessions=_named(holders)))
    parts.append(
        says(
            "If that is another sync, wait for it to end. If it is not, somebody has taken the advisory lock "
            "%(lock)s: end that session with pg_terminate_backend(), and sync again.",
            lock=SYNC_LOCK,
        )
    )
    return LockNotAvailableError(listed(parts, " "))
