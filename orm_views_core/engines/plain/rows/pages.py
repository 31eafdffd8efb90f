"""Pages of rows, and single cells."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import Conditions, changed, require_open, sorted_by
from orm_views_core.database.rows import Cell, Condition, RowColumn, RowPage, digest
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.time_limits import page_limit
from orm_views_core.exceptions import RowsChangedError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says

from .conditions import as_filter
from .dialects import IS_NUMBER, Dialect, dialect_of
from .errors import unavailable
from .kinds import Kind, KindColumn, with_kinds
from .reading import reading

#: How many bytes of a cell leave the database for a page.
SHORT = 2048
#: What a dialect selects of the cells of a row.
Selected = Sequence[bytes | None]
#: How many bytes of a single cell leave it: 16 MiB.
LONGEST_CELL = 16 * 1024 * 1024
_ROWS = "SELECT {cells} FROM {view}{where}{order} LIMIT %s OFFSET %s"


class Query(NamedTuple):
    """Which rows of a view are read, and in which order.

    Attributes:
        place: the name of the view in the database, for a statement with parameters.
        order_by: columns; a ``-`` in front means descending.
        conditions: None if no rows are to be read.
        masked: the columns whose values stay in the database.
    """

    view: ViewName
    place: str
    dialect: Dialect
    columns: dict[str, KindColumn]
    order_by: Sequence[str]
    conditions: Sequence[Condition] | None
    masked: frozenset[str]

    @property
    def shown(self) -> list[str]:
        """The columns that a page shows."""
        return [column for column in self.columns if column not in self.masked]

    @property
    def order(self) -> str:
        """ORDER BY with all other columns behind the sort keys, so that each row is on one page."""
        keys = [sorted_by(self.columns, key) for key in self.order_by]
        used = [column for column, _ in keys]
        terms = [self.dialect.quote(column) + (" DESC" if descends else "") for column, descends in keys]
        terms += [self.dialect.quote(column) for column in self.shown if column not in used]
        return f" ORDER BY {', '.join(terms)}" if keys else ""


@contextmanager
def querying(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    name: ViewName,
    order_by: Sequence[str],
    conditions: Conditions,
    mask: Callable[[], Collection[str]],
) -> Iterator[tuple[CursorWrapper, Query]]:
    """Give a cursor with which a view may be read, and what to read.

    Args:
        connection: the database.
        engine: its engine.
        name: the view.
        order_by: columns; a ``-`` in front means descending.
        conditions: what the rows have to fulfil, or what returns that.
        mask: returns the columns whose values stay in the database.

    Raises:
        MaskedColumnError: when the rows are to be sorted or filtered by a masked column.
        RowsUnavailableError: when they cannot be read, or not in time.
    """
    dialect, limit = dialect_of(engine), page_limit()
    masked = frozenset(mask())
    try:
        with reading(connection, engine, limit.seconds, name) as cursor:
            found = engine.read_columns(connection, [name]).get(name, ())
            columns = with_kinds(found, orders_any=dialect.orders_any)
            described = [each.column for each in columns.values()]
            chosen = conditions(described) if callable(conditions) else conditions
            place = engine.spelling.place(name).replace("%", "%%")
            query = Query(name, place, dialect, columns, order_by, chosen, masked)
            used = [each.column for each in chosen or ()] + [sorted_by(columns, key)[0] for key in order_by]
            require_open(name, columns, masked, used, says("rows are neither sorted nor filtered by them"))
            yield cursor, query
    except DatabaseError as error:
        raise unavailable(engine, name, error, limit) from error


def fetch_page(cursor: CursorWrapper, query: Query, limit: int, offset: int) -> RowPage:
    """Return a page of rows."""
    shown, rows = query.shown, list[Selected]()
    if query.conditions is not None:
        rows = _select(cursor, query, shown, [SHORT] * len(shown), limit + 1, offset)
    numbers = {
        column
        for place, column in enumerate(shown)
        if query.columns[column].kind is Kind.ANY and _are_numbers(row[place] for row in rows)
    }
    columns = tuple(
        replace(each, category="N") if each.name in numbers else each for each in described(query)
    )
    cells = []
    for row in rows[:limit]:
        found = dict(zip(shown, row, strict=False))
        cells.append(tuple(_as_cell(found[name], SHORT) if name in found else None for name in query.columns))
    return RowPage(columns, tuple(cells), len(rows) > limit, query.masked, None)


def _are_numbers(values: Iterable[bytes | None]) -> bool:
    """Return whether all values of a page are numbers that are there."""
    there = [bytes(each).partition(b":")[0] for each in values if each is not None]
    return bool(there) and all(each.endswith(IS_NUMBER.encode()) for each in there)


def fetch_cell(cursor: CursorWrapper, query: Query, column: str, offset: int, expected: str) -> Cell:
    """Return a value as far as LONGEST_CELL goes.

    Raises:
        RowsChangedError: when the value in this place is another one.
        RowsUnavailableError: when there is no such column.
    """
    require_open(query.view, query.columns, query.masked, [column], says("none of them is shown"))
    rows = _select(cursor, query, [column, column], [SHORT, LONGEST_CELL], 1, offset)
    if not rows or digest(_as_cell(rows[0][0], SHORT)) != expected:
        raise RowsChangedError(changed(query.view))
    return _as_cell(rows[0][1], LONGEST_CELL)


def described(query: Query) -> tuple[RowColumn, ...]:
    """Return the columns of a view as pages see them."""
    return tuple(each.column for each in query.columns.values())


def _select(
    cursor: CursorWrapper,
    query: Query,
    columns: Sequence[str],
    limits: Sequence[int],
    limit: int,
    offset: int,
) -> list[Selected]:
    """Return what a dialect selects of some columns. The limits are in bytes of text."""
    write, zone = query.dialect, cursor.db.timezone
    filters = [as_filter(write, query.columns[each.column], each, zone) for each in query.conditions or ()]
    cells = [
        write.cell(write.quote(column), query.columns[column].kind, most)
        for column, most in zip(columns, limits, strict=True)
    ]
    sql = _ROWS.format(
        cells=", ".join(cells) or "NULL",
        view=query.place,
        where=f" WHERE {' AND '.join(f'({each.sql})' for each in filters)}" if filters else "",
        order=query.order,
    )
    cursor.execute(sql, [*(param for each in filters for param in each.params), limit, offset])
    rows: list[Selected] = cursor.fetchall()
    return rows


def _as_cell(selected: bytes | None, limit: int) -> Cell:
    """Return the cell of a length, a colon and a beginning. A character that was cut is left out."""
    if selected is None:
        return Cell(None)
    length, _, beginning = bytes(selected).partition(b":")
    is_cut = len(beginning) > limit
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    text = decode(beginning[:limit], not is_cut)
    # SQLite counts the characters before the first NUL, so there may be more than that.
    return Cell(text, max(int(length.rstrip(IS_NUMBER.encode())), len(text) + is_cut))
