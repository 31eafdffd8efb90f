"""Reading rows within limits: in a transaction that cannot write, with a limit on the time of statements.

https://mariadb.com/kb/en/start-transaction/
https://mariadb.com/kb/en/aborting-statements/
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from weakref import WeakSet

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.plain.untried import in_transaction
from orm_views_core.engines.time_limits import TooSlowError

from .errors import TOO_SLOW, number_of
from .server import is_mariadb
from .waits import restore

#: The connections with such a transaction. Django does not know of it.
_reading: WeakSet[BaseDatabaseWrapper] = WeakSet()


class _Limit(NamedTuple):
    """The variable that limits the time of a statement, and how many of its units a second has."""

    variable: str
    per_second: int

    def value(self, seconds: float, before: float) -> str:
        """Return some seconds in its units, or what it was if that is shorter. 0 is no limit."""
        units = max(seconds * self.per_second, 0.001)
        value = min(units, float(before)) if before else units
        return f"{value:.6f}" if self.per_second == 1 else f"{max(value, 1):.0f}"


@contextmanager
def limited(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[CursorWrapper]:
    """Give a cursor whose statements end after some seconds.

    Raises:
        TooSlowError: in place of the error that such an end is.
    """
    limit = _Limit("max_statement_time", 1) if is_mariadb(connection) else _Limit("max_execution_time", 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@SESSION.{limit.variable}")
        (before,) = cursor.fetchone()
        cursor.execute(f"SET SESSION {limit.variable} = {limit.value(seconds, before)}")
        try:
            yield cursor
        except DatabaseError as error:
            if number_of(error) in TOO_SLOW:
                raise TooSlowError(*error.args) from error
            raise
        finally:
            restore(cursor, limit.variable, before)


@contextmanager
def not_writing(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Refuse to write in a block, unless there is a transaction of the caller: it cannot change its mind."""
    if connection in _reading or in_transaction(connection):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("START TRANSACTION READ ONLY")
        _reading.add(connection)
        try:
            yield
        finally:
            _reading.discard(connection)
            try:
                cursor.execute("ROLLBACK")
            except DatabaseError:  # a connection that was lost has no transaction
                connection.close_if_unusable_or_obsolete()
