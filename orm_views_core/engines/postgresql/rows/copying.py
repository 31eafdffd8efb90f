"""COPY … TO STDOUT with both drivers.

COPY takes no parameters, so the driver writes them into the statement. Both drivers know of the session
whether backslashes are escapes, and which encoding it has.
https://www.postgresql.org/docs/current/sql-copy.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.db.backends.utils import CursorWrapper

#: What is written in quotes.
_QUOTED = re.compile('[",\r\n]')
_COPY = "COPY ({query}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"


def inlined(cursor: CursorWrapper, sql: str, params: Sequence[Any]) -> str:
    """Return a statement with its parameters written into it."""
    if hasattr(cursor, "mogrify"):
        statement = cursor.mogrify(sql, params)
        # Django sets the encoding of the session.
        return statement.decode() if isinstance(statement, bytes) else str(statement)
    # A cursor of psycopg 3 that leaves parameters to the server has no way to write them out itself.
    return str(cursor.db.Database.ClientCursor(cursor.connection).mogrify(sql, params))


def copy_rows(
    cursor: CursorWrapper, sql: str, params: Sequence[Any], write: Callable[[bytes], object]
) -> None:
    """Have PostgreSQL write the rows of a query as CSV.

    Args:
        cursor: in a transaction.
        sql: the query.
        params: its parameters.
        write: is called with each row.
    """
    statement = inlined(cursor, _COPY.format(query=sql), params)
    try:
        with cursor.db.wrap_database_errors:
            if hasattr(cursor, "copy_expert"):
                cursor.copy_expert(statement, _Sink(write))
                return
            with cursor.copy(statement) as copy:
                for row in copy:
                    write(bytes(row))
    except BaseException:
        # Otherwise all rows would come before the connection is free again.
        with suppress(Exception):
            cursor.connection.cancel()
        raise


def can_copy(cursor: CursorWrapper) -> bool:
    """Return whether the driver has COPY. psycopg2 has not where it waits for others, as with gevent."""
    if not hasattr(cursor, "copy_expert"):
        return True
    return cursor.db.Database.extensions.get_wait_callback() is None


def csv_line(cells: Sequence[str | None]) -> bytes:
    """Return a line of CSV as COPY writes it."""
    if len(cells) == 1 and cells[0] == "\\.":
        return b'"\\."\n'
    return (",".join(map(_csv_cell, cells)) + "\n").encode()


def _csv_cell(text: str | None) -> str:
    if text and not _QUOTED.search(text):
        return text
    return "" if text is None else '"' + text.replace('"', '""') + '"'


class _Sink:
    """A file that hands on what is written into it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
