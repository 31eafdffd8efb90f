"""Rows and counts of views for pages, whatever the engine is.

Those of PostgreSQL are read by ``engines.postgresql.rows``, and all others by ``engines.plain.rows``.
"""

from orm_views_core.database.rows import RowCount, RowPage, operators_for

from .blocks import limiting, reading
from .counts import count_queryset, count_rows, estimate_rows, judge_views
from .errors import unavailable
from .pages import read_cell, read_columns, read_rows

__all__ = [
    "RowCount",
    "RowPage",
    "count_queryset",
    "count_rows",
    "estimate_rows",
    "judge_views",
    "limiting",
    "operators_for",
    "read_cell",
    "read_columns",
    "read_rows",
    "reading",
    "unavailable",
]
