"""How many rows views have: counted, or as the planner of PostgreSQL estimates."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from orm_views_core.database.rows import RowCount
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.plain.rows import counts as plain
from orm_views_core.engines.postgresql.rows import counts as postgresql
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence


def judge_views(database: str, names: Collection[ViewName]) -> dict[ViewName, Sentence]:
    """Return why a page does not read the rows of views; "" where it does.

    Views that are not in the database are left out.
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        return plain.judge_views(connection, engine, names)
    return {name: judged.why_not for name, judged in postgresql.judge_views(database, names).items()}


def estimate_rows(database: str, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the planner's estimates of the rows of some views. Views without one are left out."""
    if plain_engine_of(open_database(database)):
        return {}
    return postgresql.estimate_rows(database, names)


def count_rows(database: str, name: ViewName) -> RowCount:
    """Count the rows of a view; when COUNT_TIMEOUT is over, return the planner's estimate if there is one.

    Raises:
        RowsUnavailableError: when the view cannot be read.
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        return plain.count_rows(connection, engine, name)
    return postgresql.count_rows(database, name)


def count_queryset(queryset: QuerySet[Any, Any]) -> RowCount:
    """Count the rows of a view's queryset, as :func:`count_rows` does.

    Raises:
        RowsUnavailableError: when the rows of the view may not be read.
        DatabaseError: when the queryset cannot be read; :func:`unavailable` turns this into a message.
    """
    connection = open_database(queryset.db)
    if engine := plain_engine_of(connection):
        return plain.count_queryset(connection, engine, queryset)
    return postgresql.count_queryset(queryset)
