"""Blocks in which rows of views are read within limits of time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.plain.rows import reading as plain
from orm_views_core.engines.postgresql import reading as postgresql
from orm_views_core.names import ViewName


def reading(
    connection: BaseDatabaseWrapper, seconds: float, *views: ViewName, home: str | None = None
) -> AbstractContextManager[CursorWrapper]:
    """Return a block with a cursor that cannot write, and whose statements end in time.

    Args:
        connection: the database.
        seconds: the limit.
        views: the view that a page reads in the block, and those that it reads with it.
        home: the alias that the views are declared for; None if it is that of ``connection``.

    Raises:
        RowsUnavailableError: when the first view is not in the database, or one of them may not be read.
        DatabaseError: when one of them is locked, or a statement takes too long.
    """
    if engine := plain_engine_of(connection):
        return plain.reading(connection, engine, seconds, *views, home=home)
    return postgresql.reading(connection, seconds, *views, home=home)


@contextmanager
def limiting(
    connection: BaseDatabaseWrapper, seconds: float, *views: ViewName, home: str | None = None
) -> Iterator[None]:
    """Limit the statements of a block like :func:`reading`. It may write: it has statements of other code."""
    if engine := plain_engine_of(connection):
        with plain.reading(connection, engine, seconds, *views, home=home, writes=True):
            yield
    else:
        with postgresql.limiting(connection, seconds, *views, home=home):
            yield
