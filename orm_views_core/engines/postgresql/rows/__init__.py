"""Counts and rows of views, for pages and for files."""

from orm_views_core.database.rows import RowCount, RowPage, operators_for
from orm_views_core.engines.time_limits import TimeLimit

from .cells import LONGEST_CELL
from .copying import csv_line
from .counts import count_queryset, count_rows, estimate_rows, judge_views
from .csv_cells import FORMULA
from .errors import unavailable
from .export_locks import cancel_export, find_exports
from .exporting import RowExport, exporting
from .fetching import TextRow
from .pages import read_cell, read_columns, read_rows

__all__ = [
    "FORMULA",
    "LONGEST_CELL",
    "RowCount",
    "RowExport",
    "RowPage",
    "TextRow",
    "TimeLimit",
    "cancel_export",
    "count_queryset",
    "count_rows",
    "csv_line",
    "estimate_rows",
    "exporting",
    "find_exports",
    "judge_views",
    "operators_for",
    "read_cell",
    "read_columns",
    "read_rows",
    "unavailable",
]
