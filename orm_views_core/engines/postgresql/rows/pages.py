"""Pages of rows, and single cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.rows import Cell, Condition, RowColumn, digest
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.exceptions import MaskedColumnError, RowsChangedError, RowsUnavailableError
from orm_views_core.names import ViewName

from .cells import LONGEST_CELL, SHORT, as_cell, beginning, in_statement, whole_text
from .columns import TypedColumn, read_typed_columns
from .conditions import Filter, as_filter, find_bad_value
from .errors import unavailable
from .quick import find_quick_columns, read_indexed_columns

# The rows are chosen first, so that no text is made of a row that is passed over. OFFSET 0 keeps the planner
# from writing the expression of a text in each place where the text is used, which would make it as often.
_ROWS = """
SELECT {cells} FROM (
    SELECT {texts} FROM (
        SELECT {columns} FROM {view}{where}{order} LIMIT %s OFFSET %s
    ) AS chosen OFFSET 0
) AS written
"""


#: Conditions, or what returns them once the columns are known; None for no rows.
Conditions = Sequence[Condition] | Callable[[Sequence[RowColumn]], Sequence[Condition] | None]


@dataclass(frozen=True)
class RowPage:
    """Some rows of a view.

    Attributes:
        columns: all columns of the view.
        rows: the cells of each row, in the order of ``columns``.
        has_more: whether more rows follow; how many is not counted.
        masked: the names of the columns whose values were not read. In the rows they are None.
        quick: the names of the columns for which an index finds the rows that have a value, if they were
            asked for.
    """

    columns: tuple[RowColumn, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    has_more: bool
    masked: frozenset[str] = frozenset()
    quick: frozenset[str] = frozenset()


class _Query(NamedTuple):
    """Which rows of a view are read, and in which order.

    Attributes:
        order_by: columns; a ``-`` in front means descending.
        conditions: None if no rows are to be read.
        indexed: the columns for which there may be an index, if they were asked for.
    """

    view: ViewName
    columns: Mapping[str, TypedColumn]
    order_by: Sequence[str]
    conditions: Sequence[Condition] | None
    indexed: frozenset[str]

    def sorted_by(self, key: str) -> tuple[str, bool]:
        """Return the column of a sort key, and whether it is descending. A name may have a hyphen too."""
        if key in self.columns:
            return key, False
        return key.removeprefix("-"), key.startswith("-")


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
    with _reading(database, name, order_by, conditions, mask, find_quick=find_quick) as found:
        cursor, query, masked = found
        shown = [column for column in query.columns if column not in masked]
        rows = []
        if query.conditions is not None:
            rows = _fetch(cursor, query, shown, [SHORT] * len(shown), limit + 1, offset)
        quick = find_quick_columns(cursor, name, query.columns, query.indexed)
    places = [shown.index(column) if column not in masked else None for column in query.columns]
    cells = tuple(
        tuple(None if place is None else as_cell(row[place]) for place in places) for row in rows[:limit]
    )
    columns = tuple(typed.column for typed in query.columns.values())
    return RowPage(columns, cells, len(rows) > limit, masked, quick)


def read_cell(
    database: str,
    name: ViewName,
    column: str,
    *,
    offset: int,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    expected: str,
    mask: Callable[[], Collection[str]] = tuple,
) -> Cell:
    """Read a value that :func:`read_rows` has cut; of one longer than LONGEST_CELL, its beginning.

    Args:
        column: the name of the column.
        offset: how many rows are before it.
        expected: the digest of the cell as :func:`read_rows` has read it.

    Raises:
        RowsChangedError: when the value in this place is another one.
        RowsUnavailableError: as in :func:`read_rows`, and when there is no such column.
    """
    with _reading(database, name, order_by, conditions, mask) as (cursor, query, masked):
        _require_open(query, [column], masked, "none of them is shown")
        rows = _fetch(cursor, query, [column, column], [SHORT, LONGEST_CELL], 1, offset)
    if not rows or digest(as_cell(rows[0][0])) != expected:
        raise RowsChangedError(
            f"The rows of {name} have changed since the page was shown. Open the page again, then the value."
        )
    return as_cell(rows[0][1])


@contextmanager
def _reading(
    database: str,
    name: ViewName,
    order_by: Sequence[str],
    conditions: Conditions,
    mask: Callable[[], Collection[str]],
    *,
    find_quick: bool = False,
) -> Iterator[tuple[CursorWrapper, _Query, frozenset[str]]]:
    """Give a cursor in a transaction in which a view is locked, what to read, and the masked columns."""
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT, name) as cursor:
            with catalog_path(cursor) as catalog:
                columns = read_typed_columns(catalog, name)
                indexed = read_indexed_columns(catalog, name) if find_quick else frozenset()
            masked = frozenset(mask())
            described = [typed.column for typed in columns.values()]
            chosen = conditions(described) if callable(conditions) else conditions
            query = _Query(name, columns, order_by, chosen, indexed)
            used = [each.column for each in chosen or ()] + [query.sorted_by(key)[0] for key in order_by]
            _require_open(query, used, masked, "rows are neither sorted nor filtered by them")
            yield cursor, query, masked
    except DatabaseError as error:
        raise unavailable(name, error, connection) from error


def _require_open(query: _Query, used: Sequence[str], masked: Collection[str], why_not: str) -> None:
    """Make sure that columns exist and are not masked."""
    for column in used:
        if column not in query.columns:
            known = ", ".join(sorted(query.columns))
            raise RowsUnavailableError(f"{query.view} has no column {column!r}; it has {known}.")
        if column in masked:
            raise MaskedColumnError(f"The values of {column!r} are masked, so {why_not}.")


def _fetch(
    cursor: CursorWrapper,
    query: _Query,
    columns: Sequence[str],
    limits: Sequence[int],
    limit: int,
    offset: int,
) -> list[tuple[Any, ...]]:
    """Return the texts of some columns as far as they fit into their limits, in bytes, with their lengths."""
    filters = [as_filter(query.columns[each.column], each) for each in query.conditions or ()]
    sql = _select(query, columns, limits, filters)
    params: list[str | int] = [*(param for each in filters for param in each.params), limit, offset]
    try:
        with transaction.atomic(using=cursor.db.alias) if filters else nullcontext():
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    except DatabaseError as error:
        typed = [(query.columns[each.column], each) for each in query.conditions or ()]
        if bad := find_bad_value(cursor, typed):
            raise bad from error
        raise
    return rows


def _select(query: _Query, columns: Sequence[str], limits: Sequence[int], filters: Sequence[Filter]) -> str:
    needed = list(dict.fromkeys(columns))
    places = {column: f"text_{number}" for number, column in enumerate(needed)}
    texts = [f"{whole_text(in_statement(column))} AS {places[column]}" for column in needed]
    cells = [beginning(places[column], limit) for column, limit in zip(columns, limits, strict=True)]
    where = f" WHERE {' AND '.join(f'({each.sql})' for each in filters)}" if filters else ""
    keys = [_sort_key(query, key) for key in query.order_by]
    return _ROWS.format(
        # The drivers return no rows of a SELECT without columns.
        cells=", ".join(cells) or "NULL",
        texts=", ".join(texts),
        columns=", ".join(map(in_statement, needed)),
        view=query.view.quoted.replace("%", "%%"),
        where=where,
        order=f" ORDER BY {', '.join(keys)}" if keys else "",
    )


def _sort_key(query: _Query, key: str) -> str:
    """Return the SQL of a sort key: a column, or its text if its type has no order."""
    column, is_descending = query.sorted_by(key)
    name = in_statement(column)
    sorted_by = name if query.columns[column].comparison else whole_text(name)
    return sorted_by + (" DESC" if is_descending else "")
