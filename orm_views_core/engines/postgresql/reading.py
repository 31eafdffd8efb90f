"""Transactions in which rows of views are read, with time-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.names import ViewName

from .untrusted import require_readable

# Sets the time-outs of a transaction and returns the ones that it had.
_LIMIT = """
SELECT pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('lock_timeout'),
       pg_catalog.set_config('statement_timeout', %s, true), pg_catalog.set_config('lock_timeout', %s, true),
       CASE WHEN %s THEN pg_catalog.set_config('transaction_read_only', 'on', true) END
"""
_RESTORE = """
SELECT pg_catalog.set_config('statement_timeout', %s, true), pg_catalog.set_config('lock_timeout', %s, true)
"""

#: The views that a block around is reading, and that therefore are locked and may be read.
_BEING_READ: ContextVar[frozenset[tuple[str, ViewName]]] = ContextVar("_BEING_READ", default=frozenset())


@contextmanager
def reading(
    connection: BaseDatabaseWrapper, seconds: float, *views: ViewName, home: str | None = None
) -> Iterator[CursorWrapper]:
    """Give a cursor in a transaction that is read-only and is rolled back at the end.

    Args:
        connection: the database.
        seconds: the limit of each statement. A wait for a lock is also limited by LOCK_TIMEOUT, because
            otherwise a view that is being refreshed would use up all of this time.
        views: the view that a page reads in the block, and those that it reads with it.
        home: the alias that the views are declared for; None if it is that of ``connection``. A router may
            have them read from a replica.

    Raises:
        RowsUnavailableError: when the first view is not in the database, or one of them may not be read.
        DatabaseError: when one of them is locked.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _limit(cursor, seconds, read_only=True)
        with _requiring(cursor, home or connection.alias, views):
            yield cursor
        # This also restores the settings where the block is a savepoint of a longer transaction.
        transaction.set_rollback(True, using=connection.alias)


@contextmanager
def limiting(
    connection: BaseDatabaseWrapper, seconds: float, *views: ViewName, home: str | None = None
) -> Iterator[None]:
    """Limit the statements of a block and their waits for locks, like :func:`reading`, and commit the block.

    It is committed because it may contain statements of other code. A transaction around the block gets its
    settings back.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        timeouts = _limit(cursor, seconds, read_only=False)
        with _requiring(cursor, home or connection.alias, views):
            yield
        cursor.execute(_RESTORE, timeouts)


@contextmanager
def _requiring(cursor: CursorWrapper, home: str, views: Sequence[ViewName]) -> Iterator[None]:
    """Make sure that views may be read, once for a block and the blocks inside it."""
    alias, before = cursor.db.alias, _BEING_READ.get()
    new = [view for view in views if (alias, view) not in before]
    if new:
        require_readable(cursor, home, *new)
    token = _BEING_READ.set(before.union((alias, view) for view in new))
    try:
        yield
    finally:
        _BEING_READ.reset(token)


def _limit(cursor: CursorWrapper, seconds: float, *, read_only: bool) -> list[str]:
    """Limit the statements of a transaction; return its former ``statement_timeout`` and ``lock_timeout``."""
    limits = (seconds, min(seconds, get_settings().LOCK_TIMEOUT))
    cursor.execute(_LIMIT, [*(f"{round(limit * 1000)}ms" for limit in limits), read_only])
    statement_timeout, lock_timeout, *_ = cursor.fetchone()
    return [statement_timeout, lock_timeout]
