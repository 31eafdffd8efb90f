"""Short transactions beside a sync or a refresh, in which its run is written.

DATABASES or the role may set a stricter level than READ COMMITTED. Two processes that write runs at the same
time would then fail with a serialization failure, although each writes rows of its own.
https://www.postgresql.org/docs/current/transaction-iso.html

SQLite has one writer at a time. There, such a transaction begins with the lock of a writer, and waits for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from django.db import Error as DriverError
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.errors.diagnostics import DEADLOCK, SERIALIZATION_FAILURE, sqlstate
from orm_views_core.engines.sqlite.writing import beginning_to_write
from orm_views_core.spelling import Abilities, spelling_of

T = TypeVar("T")

#: Seconds before each further try, at most.
_PAUSES = (0.02, 0.1, 0.5)
#: ER_LOCK_DEADLOCK. https://mariadb.com/kb/en/mariadb-error-codes/
_MARIADB_DEADLOCK = 1213


def in_short_transaction(alias: str, work: Callable[[], T]) -> T:
    """Call a function in a transaction at READ COMMITTED, and again after a conflict with another session.

    In a transaction of the caller it is called once, in a savepoint.

    Args:
        alias: the database.
        work: reads and writes there. When it is called again, nothing of the first call is left.

    Raises:
        DatabaseError: the last conflict when the tries have ended, and any other error of ``work``.
    """
    connection = connections[alias]
    if connection.in_atomic_block:
        with transaction.atomic(using=alias):
            return work()
    pauses = iter(_PAUSES)
    while True:
        is_at_work = False
        try:
            with _transaction(connection):
                is_at_work = True
                result = work()
                is_at_work = False
            return result
        except DriverError as error:
            pause = next(pauses, None)
            if pause is None or not _is_conflict(connection, error, is_at_work=is_at_work):
                raise
        time.sleep(random.uniform(0, pause))  # noqa: S311 - guards nothing


@contextmanager
def _transaction(connection: BaseDatabaseWrapper) -> Iterator[None]:
    can = _abilities_of(connection)
    beginning = beginning_to_write(connection) if can.one_writer else nullcontext()
    with beginning, transaction.atomic(using=connection.alias):
        if can.staging:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield


def _is_conflict(connection: BaseDatabaseWrapper, error: DriverError, *, is_at_work: bool) -> bool:
    """Return whether another session was in the way.

    An engine with one writer lets nobody be in the way at work. It refuses to begin, and to commit.
    """
    if _abilities_of(connection).one_writer:
        return not is_at_work
    if sqlstate(error) in {SERIALIZATION_FAILURE, DEADLOCK}:
        return True
    return error.args[:1] == (_MARIADB_DEADLOCK,)


def _abilities_of(connection: BaseDatabaseWrapper) -> Abilities:
    spelling = spelling_of(connection)
    return spelling.abilities if spelling else Abilities()
