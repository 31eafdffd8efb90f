"""Short transactions beside a sync or a refresh, in which its run is written.

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
        try:
            with transaction.atomic(using=alias):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                return work()
        except DriverError as error:
            pause = next(pauses, None)
            if pause is None or sqlstate(error) not in {SERIALIZATION_FAILURE, DEADLOCK}:
                raise
        time.sleep(random.uniform(0, pause))  # noqa: S311 - guards nothing
