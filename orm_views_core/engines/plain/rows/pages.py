"""Pages of rows, and single cells."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
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
from .dialects import Dialect, dialect_of
from .errors import unavailable
from .kinds import KindColumn, with_kinds
from .reading import reading

#: How many bytes of a cell leave the database for a page.
SHORT = 2048
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
    shown, rows = query.shown, list[Sequence[Cell]]()
    if query.conditions is not None:
        rows = fetch_cells(cursor, query, shown, [SHORT] * len(shown), limit + 1, offset)
    places = [shown.index(column) if column not in query.masked else None for column in query.columns]
    cells = tuple(tuple(None if place is None else row[place] for place in places) for row in rows[:limit])
    return RowPage(described(query), cells, len(rows) > limit, query.masked, None)


def fetch_cell(cursor: CursorWrapper, query: Query, column: str, offset: int, expected: str) -> Cell:
    """Return a value as far as LONGEST_CELL goes.

    Raises:
        RowsChangedError: when the value in this place is another one.
        RowsUnavailableError: when there is no such column.
    """
    require_open(query.view, query.columns, query.masked, [column], says("none of them is shown"))
    rows = fetch_cells(cursor, query, [column, column], [SHORT, LONGEST_CELL], 1, offset)
    if not rows or digest(rows[0][0]) != expected:
        raise RowsChangedError(changed(query.view))
    return rows[0][1]


def described(query: Query) -> tuple[RowColumn, ...]:
    """Return the columns of a view as pages see them."""
    return tuple(each.column for each in query.columns.values())


def fetch_cells(
    cursor: CursorWrapper,
    query: Query,
    columns: Sequence[str],
    limits: Sequence[int],
    limit: int,
    offset: int,
) -> list[Sequence[Cell]]:
    """Return the cells of some columns, with as much text as fits into their limits, in bytes."""
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
    return [
        [_as_cell(cell, most) for cell, most in zip(row, limits, strict=False)] for row in cursor.fetchall()
    ]


def _as_cell(selected: bytes | None, limit: int) -> Cell:
    """Return the cell of a length, a colon and a beginning. A character that was cut is left out."""
    if selected is None:
        return Cell(None)
    length, _, beginning = bytes(selected).partition(b":")
    is_cut = len(beginning) > limit
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    text = decode(beginning[:limit], not is_cut)
    # SQLite counts the characters before the first NUL, so there may be more than that.
    return Cell(text, max(int(length), len(text) + is_cut))
