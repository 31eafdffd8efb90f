"""Why rows of a view cannot be read, and what to do."""

from __future__ import annotations

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.plain.rows import errors as plain
from orm_views_core.engines.postgresql.rows import errors as postgresql
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName


def unavailable(
    name: ViewName, error: DatabaseError, connection: BaseDatabaseWrapper
) -> RowsUnavailableError:
    """Return the error that says why the rows of a view could not be read for a page, and what to do."""
    if engine := plain_engine_of(connection):
        return plain.unavailable(engine, name, error)
    return postgresql.unavailable(name, error, connection)
