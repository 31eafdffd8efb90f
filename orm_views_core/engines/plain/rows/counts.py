"""How many rows views have. There are no estimates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from orm_views_core.conf import get_settings
from orm_views_core.database.rows import RowCount
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.time_limits import TooSlowError
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions

from .errors import unavailable
from .reading import reading, why_not_read

_UNKNOWN = RowCount(None, exact=False)


def judge_views(
    connection: BaseDatabaseWrapper, engine: PlainEngine, names: Collection[ViewName]
) -> dict[ViewName, Sentence]:
    """Return why a page does not read the rows of views; "" where it does."""
    with reading(connection, engine, get_settings().PREVIEW_TIMEOUT) as cursor:
        return why_not_read(cursor, connection.alias, names)


def count_rows(connection: BaseDatabaseWrapper, engine: PlainEngine, name: ViewName) -> RowCount:
    """Count the rows of a view, if that takes no longer than COUNT_TIMEOUT.

    Raises:
        RowsUnavailableError: when the view cannot be read.
    """
    try:
        with reading(connection, engine, get_settings().COUNT_TIMEOUT, name) as cursor:
            cursor.execute(f"SELECT count(*) FROM {engine.spelling.place(name)}")
            return RowCount(cursor.fetchone()[0], exact=True)
    except TooSlowError:
        return _UNKNOWN
    except DatabaseError as error:
        raise unavailable(engine, name, error) from error


def count_queryset(
    connection: BaseDatabaseWrapper, engine: PlainEngine, queryset: QuerySet[Any, Any]
) -> RowCount:
    """Count the rows of a view's queryset, if that takes no longer than COUNT_TIMEOUT.

    Raises:
        RowsUnavailableError: when the rows of the view may not be read.
        DatabaseError: when the queryset cannot be read.
    """
    name, home = name_of(queryset.model), ViewOptions(queryset.model).database
    try:
        with reading(connection, engine, get_settings().COUNT_TIMEOUT, name, home=home):
            return RowCount(queryset.count(), exact=True)
    except TooSlowError:
        return _UNKNOWN
