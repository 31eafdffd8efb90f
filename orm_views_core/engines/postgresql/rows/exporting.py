"""Reading many rows at once, of one snapshot, for a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import Conditions
from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.explain import explain
from orm_views_core.engines.time_limits import TimeLimit, too_slow
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says

from .conditions import find_bad_value
from .copying import can_copy, copy_rows, csv_line
from .csv_cells import csv_cells
from .export_locks import hold_export_lock
from .fetching import TextRow, fetch_rows, text_cells
from .order import with_total_order
from .query import Query, choose, querying, sort_keys, tie_breakers_of

# The planner chooses for all rows. For a cursor it would choose what has the first ones soon.
# Numbers have all of their digits, also where a role has set that they have fewer.
_ALL_ROWS = """
SELECT pg_catalog.set_config('cursor_tuple_fraction', '1', true),
       pg_catalog.set_config('extra_float_digits', '1', true)
"""
#: After how many rows whoever waits is told, at most.
_AT_ONCE = 256


class RowExport:
    """The rows of an export, to be read once, and what is known of them.

    Attributes:
        columns: the columns that are read, in their order.
        masked: the names of the columns whose values stay in the database.
        pid: the backend that reads.
        estimate: how many rows come, as the planner estimates.
        rows: how many rows were read so far.
        has_more: whether there are more rows than may be read. It is known at the end.
    """

    def __init__(
        self,
        cursor: CursorWrapper,
        query: Query,
        most: int,
        limit: TimeLimit,
        spent: float,
        told: Callable[[int], None],
    ) -> None:
        self._cursor, self._query, self._most, self._limit, self._told = cursor, query, most, limit, told
        self._deadline = time.monotonic() + limit.seconds - spent
        self.columns: tuple[RowColumn, ...] = tuple(query.columns[name].column for name in query.shown)
        self.masked = tuple(name for name in query.columns if name in query.masked)
        self.pid = 0
        self.rows = 0
        self.has_more = False
        self._filters = query.filters
        self._values = [param for each in self._filters for param in each.params]
        self._keys, self.estimate = self._plan()

    def write_csv(self, write: Callable[[bytes], object]) -> None:
        """Have PostgreSQL write the rows as CSV, without names, into a file.

        Text that begins a formula gets a quote in front. NULL is nothing, and an empty text is ``""``.

        Args:
            write: writes what it gets into the file.
        """
        if can_copy(self._cursor):
            cells = csv_cells(self._cursor, self._query)
            self._hurry()
            with self._counting(write) as count:
                copy_rows(self._cursor, *self._statement(cells), count)
            return
        for batch in self._fetch(csv_cells(self._cursor, self._query, as_texts=True)):
            write(b"".join(map(csv_line, batch)))

    def read(self, expressions: Mapping[str, str] | None = None) -> Iterator[list[TextRow]]:
        """Yield the rows in batches, as PostgreSQL's own texts.

        Args:
            expressions: the SQL of other values for some columns, by name; ``{column}`` is the column.
        """
        yield from self._fetch(text_cells(self._query, expressions or {}))

    def _fetch(self, cells: str) -> Iterator[list[TextRow]]:
        for batch in fetch_rows(self._cursor, *self._statement(cells), self._hurry):
            self.has_more = self.rows + len(batch) > self._most
            rows = batch[: self._most - self.rows]
            self.rows += len(rows)
            self._told(self.rows)
            if rows:
                yield rows

    @contextmanager
    def _counting(self, write: Callable[[bytes], object]) -> Iterator[Callable[[bytes], None]]:
        """Give a function that writes a row and counts it. PostgreSQL sends each row by itself."""
        rows, most, told = 0, self._most, self._told

        def count(row: bytes) -> None:
            nonlocal rows
            if rows < most:
                write(row)
                rows += 1
                if not rows % _AT_ONCE:
                    told(rows)
            else:
                self.has_more = True

        try:
            yield count
        finally:
            self.rows = rows

    def _statement(self, cells: str) -> tuple[str, list[Any]]:
        return cells.format(chosen=choose(self._query, self._filters, self._keys)), self._params

    @property
    def _params(self) -> list[Any]:
        return [*self._values, self._most + 1, 0]

    def _plan(self) -> tuple[list[str], int]:
        """Return the sort keys as SQL, and the planner's estimate of the rows."""

        def statement(keys: Sequence[str]) -> tuple[str, Sequence[Any]]:
            return choose(self._query, self._filters, keys), self._params

        cursor = self._cursor
        try:
            with transaction.atomic(using=cursor.db.alias):
                cursor.execute(_ALL_ROWS)
                keys = with_total_order(
                    cursor, sort_keys(self._query), tie_breakers_of(self._query), statement
                )
                top = explain(cursor, *statement(keys))
        except DatabaseError as error:
            if bad := find_bad_value(cursor, self._query.typed_conditions):
                raise bad from error
            raise
        return keys, min(self._most, int(top["Plan Rows"]))

    def _hurry(self) -> None:
        """Limit the next statement to the time that is left.

        Raises:
            RowsUnavailableError: when there is none.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise RowsUnavailableError(too_slow(self._query.view, self._limit))
        self._cursor.execute(
            "SELECT pg_catalog.set_config('statement_timeout', %s, true)", [f"{max(1, round(left * 1000))}ms"]
        )


@contextmanager
def exporting(
    database: str,
    name: ViewName,
    *,
    most: int,
    limit: TimeLimit,
    number: int,
    spent: float = 0.0,
    order_by: Sequence[str] = (),
    conditions: Conditions = (),
    mask: Callable[[], Collection[str]] = tuple,
    told: Callable[[int], None] = lambda rows: None,
) -> Iterator[RowExport]:
    """Give the rows of a view to a block that writes them, in a transaction that is read-only.

    The view is trusted, its rows are chosen, and columns are masked as in ``read_rows()``.

    Args:
        database: the alias.
        name: the view.
        most: how many rows are read at most.
        limit: how long that may take.
        number: what tells the export from others, of 31 bits; see :mod:`.export_locks`.
        spent: how many seconds of the limit are spent already.
        order_by: columns; a ``-`` in front means descending.
        conditions: what the rows have to fulfil, all of it.
        mask: returns the columns whose values stay in the database.
        told: is called with the number of rows so far, again and again. What it raises ends the export.

    Raises:
        BadConditionError: when a column cannot be compared in this way, or a value is none of its type.
        MaskedColumnError: when the rows are to be sorted or filtered by a masked column.
        RowsUnavailableError: when the rows cannot be read, or not in time, or when no column may be read.
    """
    with querying(database, name, order_by, conditions, mask, limit=limit) as (cursor, query):
        if not query.shown:
            why = says("all of its columns are masked") if query.columns else says("it has no columns")
            raise RowsUnavailableError(
                says("There is nothing of %(view)s to write into a file: %(why)s.", view=name, why=why)
            )
        pid = hold_export_lock(cursor, number)
        export = RowExport(cursor, query, most, limit, spent, told)
        export.pid = pid
        yield export
