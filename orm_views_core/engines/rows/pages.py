"""Pages of rows, and single cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from orm_views_core.database.asked import Conditions
from orm_views_core.database.rows import Cell, RowColumn, RowPage
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.plain.rows import pages as plain
from orm_views_core.engines.postgresql.rows import pages as postgresql
from orm_views_core.names import ViewName


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
            called with the columns of the view. If it returns None, no rows are read.
        mask: returns the columns whose values stay in the database.
        find_quick: whether to find the columns for which an index finds rows, where the engine tells.

    Raises:
        BadConditionError: when a column cannot be compared in this way, or a value is none of its type.
        MaskedColumnError: when the rows are to be sorted or filtered by a masked column.
        RowsUnavailableError: when the view does not exist, takes too long, or may not be read.
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        with plain.querying(connection, engine, name, order_by, conditions, mask) as (cursor, query):
            return plain.fetch_page(cursor, query, limit, offset)
    return postgresql.read_rows(
        database,
        name,
        limit=limit,
        offset=offset,
        order_by=order_by,
        conditions=conditions,
        mask=mask,
        find_quick=find_quick,
    )


def read_columns(
    database: str,
    name: ViewName,
    *,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    mask: Callable[[], Collection[str]] = tuple,
) -> tuple[RowColumn, ...]:
    """Return the columns of a view whose rows could be read so. It raises as :func:`read_rows` does."""
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        with plain.querying(connection, engine, name, order_by, conditions, mask) as (_cursor, query):
            return plain.described(query)
    return postgresql.read_columns(database, name, order_by=order_by, conditions=conditions, mask=mask)


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
    """Read a value that :func:`read_rows` has cut; of one longer than 16 MiB, its beginning.

    Args:
        database: the alias.
        name: the view.
        column: the name of the column.
        offset: how many rows are before it, on all pages.
        page_limit: how many rows a page has, at most.
        order_by: columns; a ``-`` in front means descending.
        conditions: what the rows have to fulfil.
        expected: the digest of the cell as :func:`read_rows` has read it.
        mask: returns the columns whose values stay in the database.

    Raises:
        RowsChangedError: when the value in this place is another one.
        RowsUnavailableError: as in :func:`read_rows`, and when there is no such column.
    """
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        with plain.querying(connection, engine, name, order_by, conditions, mask) as (cursor, query):
            return plain.fetch_cell(cursor, query, column, offset, expected)
    return postgresql.read_cell(
        database,
        name,
        column,
        offset=offset,
        page_limit=page_limit,
        order_by=order_by,
        conditions=conditions,
        expected=expected,
        mask=mask,
    )
