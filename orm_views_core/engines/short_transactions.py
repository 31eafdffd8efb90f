"""Short transactions beside a sync or a refresh, in which its run is written.

SQLite has one writer at a time. There, such a transaction begins with the lock of a writer, and waits for it.

DATABASES or the role may set a stricter level than READ COMMITTED. Two processes that write runs at the same
time would then fail with a serialization failure, although each writes rows of its own.
https://www.postgresql.org/docs/current/transaction-iso.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error as DriverError
from django.db import connections, transaction

from orm_views_core.engines.postgresql.errors.diagnostics import DEADLOCK, SERIALIZATION_FAILURE, sqlstate

T = TypeVar("T")

#: Seconds before each further try, at most.
_PAUSES = (0.02, 0.1, 0.5)


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
        stage = _Stage.BEGIN
        try:
            with _transaction(connection):
                stage = _Stage.WORK
                result = work()
                stage = _Stage.COMMIT
            return result
        except DriverError as error:
            pause = next(pauses, None)
            if pause is None or not _is_conflict(connection, error, stage):
                raise
        time.sleep(random.uniform(0, pause))  # noqa: S311 - guards nothing


@contextmanager
def _transaction(connection: BaseDatabaseWrapper) -> Iterator[None]:
    can = _abilities_of(connection)
    with beginning_to_write(connection) if can.one_writer else nullcontext():
        block = transaction.atomic(using=connection.alias)
        block.__enter__()
    with _entered(block):
        if can.staging:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield
