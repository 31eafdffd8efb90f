"""What SQLite refuses, as errors that name the view, the file, the line and what to do.

The words of SQLite are quoted. They decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.exceptions import LockNotAvailableError, SyncFailedError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence, number, says


def is_refused(cursor: CursorWrapper, sql: str) -> bool:
    """Return whether SQLite refuses to compile a statement that has failed: then it is the statement's fault.

    Before Python 3.11, errors have no codes.
    """
    try:
        cursor.execute(f"EXPLAIN {sql}")
    except DatabaseError:
        return True
    return False


def step_failed(name: ViewName | Sentence, error: DatabaseError) -> SyncFailedError:
    """Return the error to raise when SQLite refuses a statement that no class declares.

    Args:
        name: the view, or the place of its class.
        error: what Django raised.
    """
    what = says("%(view)s could not be changed", view=name)
    return SyncFailedError(
        Quoting(
            says("%(what)s. SQLite says: %(said)s. Nothing was changed.", what=what, said=str(error)),
            says("%(what)s. Nothing was changed.", what=what),
        )
    )


def no_lock(connection: BaseDatabaseWrapper, seconds: float, error: DatabaseError) -> LockNotAvailableError:
    """Return the error to raise when SQLite does not begin to write, or does not commit.

    Args:
        connection: the database.
        seconds: how long SQLite tried.
        error: what Django raised.
    """
    what = says(
        "Database %(database)r: SQLite could not write to it within %(seconds)s s (LOCK_WAIT). Nothing "
        "was changed. Another process may be reading or writing the file, or it may be read-only",
        database=connection.alias,
        seconds=number(seconds),
    )
    return LockNotAvailableError(
        Quoting(says("%(what)s: %(said)s.", what=what, said=str(error)), says("%(what)s.", what=what))
    )


@contextmanager
def syncing(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Name the database where SQLite refuses what is no fault of a view.

    Raises:
        SyncFailedError: when SQLite refuses a statement.
    """
    try:
        yield
    except DatabaseError as error:
        what = says("Database %(database)r could not be synced", database=connection.alias)
        raise SyncFailedError(
            Quoting(
                says("%(what)s. SQLite says: %(said)s. Nothing was changed.", what=what, said=str(error)),
                says("%(what)s. Nothing was changed.", what=what),
            )
        ) from error
