"""Reading rows with a cursor of the server, so that the memory used does not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from django.db.backends.utils import CursorWrapper

from .cells import in_statement, whole_text
from .copying import inlined
from .query import Query

#: The texts of a row; None for NULL.
TextRow: TypeAlias = tuple[str | None, ...]

# The cursor ends with the transaction. It is declared in SQL: a driver's own names are not the same for both.
_DECLARE = "DECLARE orm_views_export NO SCROLL CURSOR FOR {query}"
_FETCH = "FETCH FORWARD {rows} FROM orm_views_export"
_CLOSE = "CLOSE orm_views_export"

#: How many characters a batch should have, and how many rows it has at first and at most.
_SIZE, _FIRST, _MOST = 1024 * 1024, 1, 500


def text_cells(query: Query, expressions: Mapping[str, str]) -> str:
    """Return the statement of the texts of rows; ``{chosen}`` stands in it for the one that chooses them.

    Args:
        query: what is read.
        expressions: the SQL of other values for some columns, by name; ``{column}`` is the column.
    """
    texts = []
    for name in query.shown:
        column = in_statement(name)
        if other := expressions.get(name):
            texts.append(whole_text(other.format(column=column)))
        else:
            texts.append(column if query.columns[name].is_text else whole_text(column))
    # LIMIT keeps the planner from writing a column in each place where its text has it.
    return f"SELECT {braced(', '.join(texts))} FROM ({{chosen}}) AS chosen"


def braced(sql: str) -> str:
    """Return SQL in which braces stand for themselves."""
    return sql.replace("{", "{{").replace("}", "}}")


def fetch_rows(
    cursor: CursorWrapper, sql: str, params: Sequence[Any], before_each: Callable[[], None]
) -> Iterator[list[TextRow]]:
    """Yield the rows of a query in batches, each of about a megabyte of text or of a single row.

    Args:
        cursor: in a transaction.
        sql: the query.
        params: its parameters.
        before_each: is called before each statement.
    """
    before_each()
    # A server that gets the parameters by themselves refuses them in DECLARE.
    cursor.execute(inlined(cursor, _DECLARE.format(query=sql), params))
    rows = _FIRST
    while True:
        before_each()
        cursor.execute(_FETCH.format(rows=rows))
        batch: list[TextRow] = cursor.fetchall()
        if not batch:
            break
        yield batch
        size = sum(len(text) for row in batch for text in row if text)
        rows = max(1, min(_MOST, _SIZE * len(batch) // max(1, size), rows * 8))
    cursor.execute(_CLOSE)
