"""Counts and rows of views, for pages."""

from orm_views_core.database.rows import operators_for

from .cells import LONGEST_CELL
from .counts import RowCount, count_queryset, count_rows, estimate_rows, judge_views
from .errors import unavailable
from .pages import RowPage, read_cell, read_rows

__all__ = [
    "LONGEST_CELL",
    "RowCount",
    "RowPage",
    "count_queryset",
    "count_rows",
    "estimate_rows",
    "judge_views",
    "operators_for",
    "read_cell",
    "read_rows",
    "unavailable",
]
