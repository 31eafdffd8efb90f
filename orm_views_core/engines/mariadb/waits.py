"""Statements that wait for locks: short waits, one after the other. Nobody queues behind one for long.

Who creates, replaces or drops a view waits for those that use it, and for ALTER TABLE beneath it. All that
begin to use the view meanwhile queue behind.
https://mariadb.com/kb/en/metadata-locking/
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence, listed, number, says

from .errors import NO_LOCK, number_of, said

_PAUSE = 0.2  # seconds: long enough for the queue of readers to drain
_TURN = 1  # seconds of one wait for another sync; Ctrl-C is heard between two


@contextmanager
def short_waits(cursor: CursorWrapper) -> Iterator[None]:
    """Limit each wait in a block to LOCK_TIMEOUT, rounded up: MariaDB counts whole seconds."""
    cursor.execute("SELECT @@SESSION.lock_wait_timeout")
    (before,) = cursor.fetchone()
    cursor.execute(f"SET SESSION lock_wait_timeout = {max(1, math.ceil(get_settings().LOCK_TIMEOUT))}")
    try:
        yield
    finally:
        restore(cursor, "lock_wait_timeout", before)


def restore(cursor: CursorWrapper, variable: str, value: object) -> None:
    """Set a variable of the session to what it was. A connection that was lost has no session."""
    try:
        cursor.execute(f"SET SESSION {variable} = {value}")
    except DatabaseError:
        cursor.db.close_if_unusable_or_obsolete()


def send(connection: BaseDatabaseWrapper, cursor: CursorWrapper, sql: str) -> None:
    """Send a statement again and again until it gets its locks, for at most LOCK_WAIT.

    Raises:
        LockNotAvailableError: it did not get them.
        DatabaseError: it was refused.
    """
    limit, began = get_settings().LOCK_WAIT, time.monotonic()
    while True:
        try:
            cursor.execute(sql)
            return
        except DatabaseError as error:
            if number_of(error) not in NO_LOCK:
                raise
            if time.monotonic() - began >= limit:
                raise _no_lock(connection, sql, limit, error) from error
        time.sleep(_PAUSE)


def _no_lock(
    connection: BaseDatabaseWrapper, sql: str, limit: float, error: DatabaseError
) -> LockNotAvailableError:
    what = says(
        "Database %(database)r: %(statement)s did not get its locks within %(seconds)s s "
        "(ORM_VIEWS['LOCK_WAIT']). A transaction that has used the view, or an ALTER TABLE, has to end first",
        database=connection.alias,
        statement=sql.partition(" AS\n")[0].partition("\n")[0],
        seconds=number(limit),
    )
    return LockNotAvailableError(
        Quoting(says("%(what)s: %(said)s.", what=what, said=said(error)), says("%(what)s.", what=what))
    )


def wait_for_turn(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    lock: str,
    on_wait: Callable[[Sentence], None] | None,
) -> None:
    """Take the lock that syncs of a database take, after other syncs. It ends with the connection.

    https://mariadb.com/kb/en/get_lock/

    Args:
        connection: the database.
        cursor: of the connection.
        lock: its name.
        on_wait: called with whom it waits for, whenever that changes.

    Raises:
        LockNotAvailableError: when SYNC_WAIT is over; it names who holds the lock.
    """
    limit, began = get_settings().SYNC_WAIT, time.monotonic()
    seconds, announced = 0, 0
    while not _took(cursor, lock, seconds):
        cursor.execute("SELECT IS_USED_LOCK(%s)", [lock])
        holder = cursor.fetchone()[0]
        if on_wait and holder and holder != announced:
            waits = says("another sync of this database is running")
            on_wait(listed([waits, says("connection %(id)s", id=holder)], ": "))
        announced, seconds = holder, _TURN
        if holder and limit and time.monotonic() - began >= limit:
            raise LockNotAvailableError(
                says(
                    "Database %(database)r: connection %(id)s held the sync lock for longer than "
                    "%(seconds)s s (ORM_VIEWS['SYNC_WAIT']). Nothing was changed. SHOW PROCESSLIST tells "
                    "whose connection that is.",
                    database=connection.alias,
                    id=holder,
                    seconds=number(limit),
                )
            )


def _took(cursor: CursorWrapper, lock: str, seconds: int) -> bool:
    cursor.execute("SELECT GET_LOCK(%s, %s)", [lock, seconds])
    return bool(cursor.fetchone()[0] == 1)
