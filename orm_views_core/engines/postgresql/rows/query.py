"""Which rows of a view are read, and in which order: what pages of rows and exports have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.database import asked
from orm_views_core.database.asked import Conditions
from orm_views_core.database.rows import Condition
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.engines.time_limits import TimeLimit, page_limit
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says

from .cells import in_statement, whole_text
from .columns import TypedColumn, read_typed_columns
from .conditions import Filter, as_filter
from .errors import unavailable
from .order import tie_breakers
from .quick import read_indexed_columns

# The rows of a page are chosen with all columns that it shows, because PostgreSQL may choose others, or put
# them in another order, for other columns or another LIMIT.
_CHOSEN = "SELECT {columns} FROM {view}{where}{order} LIMIT %s OFFSET %s"


class Query(NamedTuple):
    """Which rows of a view are read, and in which order.

    Attributes:
        order_by: columns; a ``-`` in front means descending.
        conditions: None if no rows are to be read.
        indexed: the columns for which there may be an index, if they were asked for.
        masked: the columns whose values stay in the database.
        is_stored: whether it is a materialised view.
        counts_bytes: whether the database counts bytes as characters.
    """

    view: ViewName
    columns: Mapping[str, TypedColumn]
    order_by: Sequence[str]
    conditions: Sequence[Condition] | None
    indexed: frozenset[str]
    masked: frozenset[str]
    is_stored: bool
    counts_bytes: bool

    @property
    def shown(self) -> list[str]:
        """The columns that a page shows."""
        return [column for column in self.columns if column not in self.masked]

    def sorted_by(self, key: str) -> tuple[str, bool]:
        """Return the column of a sort key, and whether it is descending. A name may have a hyphen too."""
        return asked.sorted_by(self.columns, key)

    @property
    def filters(self) -> list[Filter]:
        """The conditions as SQL."""
        return [as_filter(self.columns[each.column], each) for each in self.conditions or ()]

    @property
    def typed_conditions(self) -> list[tuple[TypedColumn, Condition]]:
        """The conditions, each with its column."""
        return [(self.columns[each.column], each) for each in self.conditions or ()]


@contextmanager
def querying(
    database: str,
    name: ViewName,
    order_by: Sequence[str],
    conditions: Conditions,
    mask: Callable[[], Collection[str]],
    *,
    find_quick: bool = False,
    limit: TimeLimit | None = None,
) -> Iterator[tuple[CursorWrapper, Query]]:
    """Give a cursor in a transaction in which a view is locked, and what to read.

    Args:
        limit: how long each statement may take; None for that of a page.
    """
    connection, limit = get_connection(database), limit or page_limit()
    try:
        with reading(connection, limit.seconds, name) as cursor:
            with catalog_path(cursor) as catalog:
                columns, is_stored, counts_bytes = read_typed_columns(catalog, name)
                indexed = read_indexed_columns(catalog, name) if find_quick else frozenset()
            masked = frozenset(mask())
            described = [typed.column for typed in columns.values()]
            chosen = conditions(described) if callable(conditions) else conditions
            query = Query(name, columns, order_by, chosen, indexed, masked, is_stored, counts_bytes)
            used = [each.column for each in chosen or ()] + [query.sorted_by(key)[0] for key in order_by]
            require_open(query, used, says("rows are neither sorted nor filtered by them"))
            yield cursor, query
    except DatabaseError as error:
        raise unavailable(name, error, connection, limit) from error


def require_open(query: Query, used: Sequence[str], why_not: Sentence) -> None:
    """Make sure that columns exist and are not masked."""
    asked.require_open(query.view, query.columns, query.masked, used, why_not)


def choose(query: Query, filters: Sequence[Filter], keys: Sequence[str]) -> str:
    """Return the statement that chooses rows. Its last parameters are LIMIT and OFFSET."""
    where = f" WHERE {' AND '.join(f'({each.sql})' for each in filters)}" if filters else ""
    return _CHOSEN.format(
        columns=", ".join(map(in_statement, query.shown)),
        view=query.view.quoted.replace("%", "%%"),
        where=where,
        order=f" ORDER BY {', '.join(keys)}" if keys else "",
    )


def sort_keys(query: Query) -> list[str]:
    """Return the SQL of the sort keys: of each the column, or its text if its type has no order."""
    keys = []
    for key in query.order_by:
        column, is_descending = query.sorted_by(key)
        name = in_statement(column)
        sorted_by = name if query.columns[column].comparison else whole_text(name)
        keys.append(sorted_by + (" DESC" if is_descending else ""))
    return keys


def tie_breakers_of(query: Query) -> list[list[str]]:
    """Return what may be sorted by after the sort keys, as SQL, best first."""
    used = [query.sorted_by(key)[0] for key in query.order_by]
    return tie_breakers(query.columns, used, query.masked, is_stored=query.is_stored)
