"""A sync has the file for itself: ``BEGIN IMMEDIATE`` lets no other transaction write beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings

from .errors import no_lock, syncing
from .writing import beginning_to_write


@contextmanager
def take_turn(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Give a transaction that no other one can write beside. In one of the caller, it is a savepoint.

    SQLite tries to begin, and to commit beside readers, for as long as LOCK_WAIT.

    Raises:
        LockNotAvailableError: when that was not long enough, or the file is read-only.
        SyncFailedError: when SQLite refuses what is no fault of a view.
    """
    connection.ensure_connection()
    if connection.in_atomic_block:
        with syncing(connection), transaction.atomic(using=connection.alias):
            yield
        return
    seconds = get_settings().LOCK_WAIT
    block = transaction.atomic(using=connection.alias)
    with _waiting(connection, seconds), syncing(connection):
        try:
            with beginning_to_write(connection):
                block.__enter__()
        except OperationalError as error:
            raise no_lock(connection, seconds, error) from error
        try:
            yield
        except BaseException as error:
            block.__exit__(type(error), error, error.__traceback__)
            raise
        try:
            block.__exit__(None, None, None)
        except OperationalError as error:  # Django has rolled back
            raise no_lock(connection, seconds, error) from error


@contextmanager
def _waiting(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Have SQLite wait for locks for some seconds."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (before,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        if connection.connection is not None:  # the block has not closed it
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(before)}")
