"""Pages of rows, and single cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import Conditions, changed
from orm_views_core.database.rows import Cell, RowColumn, RowPage, digest
from orm_views_core.exceptions import RowsChangedError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says

from .cells import LONGEST_CELL, SHORT, as_cell, beginning, in_statement, whole_text
from .conditions import find_bad_value
from .order import with_total_order
from .query import Query, choose, querying, require_open, sort_keys, tie_breakers_of
from .quick import find_quick_columns

# The rows are chosen first, so that no text is made of a row that is passed over. OFFSET keeps the planner
# from writing the expression of a text in each place where the text is used, which would make it as often.
_ROWS = """
WITH chosen AS MATERIALIZED ({chosen})
SELECT {cells} FROM (
    SELECT {texts} FROM chosen LIMIT %s OFFSET %s
) AS written
"""


class _Place(NamedTuple):
    """Which rows of a result are read.

    Attributes:
        limit: how many rows a page has, at most.
        offset: how many rows are before the page.
        row: the number of the only row of the page that is read; None for all, and the one that follows.
    """

    limit: int
    offset: int
    row: int | None = None

    @property
    def window(self) -> tuple[int | None, int]:
        """LIMIT and OFFSET of what is read of the page. A LIMIT of NULL is none."""
        return (None, 0) if self.row is None else (1, self.row)


def read_rows(
    database: str,
    name: ViewName,
    *,
    limit: int,
    offset: int = 0,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    mask: Callable[[], Collection[str]] = tuple,
    find_quick: bool = False,
) -> RowPage:
    """Read some rows of a view, with at most 2,048 bytes of each value.

    Args:
        database: the alias.
        name: the view.
        limit: how many rows at most.
        offset: how many rows to skip.
        order_by: columns; a ``-`` in front means descending.
        conditions: what the rows have to fulfil, all of it; or a function that returns that when it is
            called with the columns of the locked view. If it returns None, no rows are read.
        mask: returns the columns whose values stay in the database. It is called when the view is locked, so
            that it is about the view that is read.
        find_quick: whether to find the columns for which an index finds rows.

    Raises:
        BadConditionError: when a column cannot be compared in this way, or a value is none of its type.
        MaskedColumnError: when the rows are to be sorted or filtered by a masked column. Which rows come, and
            in which order, would tell its values.
        RowsUnavailableError: when the view does not exist, is not populated, takes too long, or may not be
            read by our role.
    """
    with querying(database, name, order_by, conditions, mask, find_quick=find_quick) as found:
        cursor, query = found
        shown, masked = query.shown, query.masked
        rows: list[tuple[Cell, ...]] = []
        if query.conditions is not None:
            rows = _fetch(cursor, query, shown, [SHORT] * len(shown), _Place(limit, offset))
        quick = find_quick_columns(cursor, name, query.columns, query.indexed)
    places = [shown.index(column) if column not in masked else None for column in query.columns]
    cells = tuple(tuple(None if place is None else row[place] for place in places) for row in rows[:limit])
    columns = tuple(typed.column for typed in query.columns.values())
    return RowPage(columns, cells, len(rows) > limit, masked, quick)


def read_columns(
    database: str,
    name: ViewName,
    *,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    mask: Callable[[], Collection[str]] = tuple,
) -> tuple[RowColumn, ...]:
    """Return the columns of a view whose rows could be read so. It raises as :func:`read_rows` does."""
    with querying(database, name, order_by, conditions, mask) as (_cursor, query):
        return tuple(typed.column for typed in query.columns.values())


def read_cell(
    database: str,
    name: ViewName,
    column: str,
    *,
    offset: int,
    page_limit: int,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    expected: str,
    mask: Callable[[], Collection[str]] = tuple,
) -> Cell:
    """Read a value that :func:`read_rows` has cut; of one longer than LONGEST_CELL, its beginning.

    Args:
        column: the name of the column.
        offset: how many rows are before it, on all pages.
        page_limit: how many rows a page has, at most.
        expected: the digest of the cell as :func:`read_rows` has read it.

    Raises:
        RowsChangedError: when the value in this place is another one.
        RowsUnavailableError: as in :func:`read_rows`, and when there is no such column.
    """
    with querying(database, name, order_by, conditions, mask) as (cursor, query):
        require_open(query, [column], says("none of them is shown"))
        row = offset % page_limit
        place = _Place(page_limit, offset - row, row)
        rows = _fetch(cursor, query, [column, column], [SHORT, LONGEST_CELL], place)
    if not rows or digest(rows[0][0]) != expected:
        raise RowsChangedError(changed(name))
    return rows[0][1]


def _fetch(
    cursor: CursorWrapper, query: Query, columns: Sequence[str], limits: Sequence[int], place: _Place
) -> list[tuple[Cell, ...]]:
    """Return the cells of some columns, with as much text as fits into their limits, in bytes."""
    filters = query.filters
    values = [param for each in filters for param in each.params]
    limit = place.limit + 1

    def first_page(keys: Sequence[str]) -> tuple[str, list[str | int]]:
        return choose(query, filters, keys), [*values, limit, 0]

    try:
        with transaction.atomic(using=cursor.db.alias) if filters else nullcontext():
            keys = with_total_order(cursor, sort_keys(query), tie_breakers_of(query), first_page)
            sql = _select(choose(query, filters, keys), columns, limits)
            cursor.execute(sql, [*values, limit, place.offset, *place.window])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    except DatabaseError as error:
        if bad := find_bad_value(cursor, query.typed_conditions):
            raise bad from error
        raise
    return [tuple(as_cell(text, counts_bytes=query.counts_bytes) for text in row) for row in rows]


def _select(chosen: str, columns: Sequence[str], limits: Sequence[int]) -> str:
    needed = list(dict.fromkeys(columns))
    places = {column: f"text_{number}" for number, column in enumerate(needed)}
    texts = [f"{whole_text(in_statement(column))} AS {places[column]}" for column in needed]
    cells = [beginning(places[column], limit) for column, limit in zip(columns, limits, strict=True)]
    # The drivers return no rows of a SELECT without columns.
    return _ROWS.format(chosen=chosen, cells=", ".join(cells) or "NULL", texts=", ".join(texts))
