"""What SQLite tells of a view when it plans to read it: what the view reads, and why it cannot be read.

EXPLAIN compiles a statement and does not run it. A SELECT with LIMIT 0 would compute what the view groups.
https://www.sqlite.org/c3ref/set_authorizer.html
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Column
from orm_views_core.names import quote_identifier
from orm_views_core.sql.references import unqualified_relations
from orm_views_core.sql.rules import SQLITE_RULES

from .texts import folded

#: SQLite's names for the file, and for what belongs to one connection.
MAIN, TEMP = "main", "temp"


class Look(NamedTuple):
    """What SQLite tells of a view when it plans to read it.

    Attributes:
        reads: the names of the tables and views that it reads itself.
        error: why it cannot be read; "" when it can.
    """

    reads: frozenset[str] = frozenset()
    error: str = ""


def look_at(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, schema: str, texts: Mapping[str, str]
) -> dict[str, Look]:
    """Have SQLite plan to read some views. It tells the authorizer what each view reads.

    Args:
        connection: the database.
        cursor: a cursor of it.
        schema: SQLite's name for where the views are.
        texts: the statements that create the views, by their names.
    """
    looks = {}
    for flat, text in texts.items():
        reads = _Reads(flat)
        sql = f"EXPLAIN SELECT * FROM {schema}.{quote_identifier(flat)}"
        error = ""
        try:
            with names_in_double_quotes(connection), _authorizing(connection, reads):
                cursor.execute(sql)
        except DatabaseError as refused:
            error = str(refused) or type(refused).__name__
        looks[flat] = Look(reads.all(text, is_known=not error), error)
    return looks


class _Reads:
    """The tables and views that a view reads itself.

    Attributes:
        flat: the name of the view.
    """

    def __init__(self, flat: str) -> None:
        self.flat = flat
        self._known: set[str] = set()
        self._without_column: set[str] = set()

    def authorize(
        self, action: int, table: str | None, column: str | None, schema: str | None, by: str | None
    ) -> int:
        """Note what is read, and allow everything. ``by`` is the view whose SELECT reads the table."""
        if action == sqlite3.SQLITE_READ and table:
            if by == self.flat:
                self._known.add(table)
            elif by is not None:  # a view that it may read, of which ``count(*)`` names no column
                self._without_column.add(by)
            elif not column and table != self.flat:
                self._without_column.add(table)
        return sqlite3.SQLITE_OK

    def all(self, text: str, *, is_known: bool) -> frozenset[str]:
        """Return them. Who reads a table without its columns, as ``count(*)`` does, only the text tells.

        Args:
            text: the statement that creates the view.
            is_known: whether SQLite has told everything. Otherwise it has stopped at an error.
        """
        unknown = self._without_column - self._known
        if unknown or not is_known:
            named = {folded(name): name for name in unqualified_relations(text, SQLITE_RULES)}
            known = {folded(name) for name in self._known}
            found = {table for table in unknown if folded(table) in named}
            if not is_known:
                found |= {name for each, name in named.items() if each not in known}
            return frozenset(self._known | found)
        return frozenset(self._known)


@contextmanager
def _authorizing(connection: BaseDatabaseWrapper, reads: _Reads) -> Iterator[None]:
    """Note what a view reads, while a statement is compiled that reads the view."""
    of_driver: Any = connection.connection
    of_driver.set_authorizer(reads.authorize)
    try:
        yield
    finally:
        # Before Python 3.11, None is taken for a function and forbids everything.
        of_driver.set_authorizer(None if sys.version_info >= (3, 11) else _allow)


@contextmanager
def names_in_double_quotes(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have SQLite take nothing in double quotes for a string, where Python can: from 3.12 on.

    https://www.sqlite.org/quirks.html#dblquote
    """
    of_driver: Any = connection.connection
    if not hasattr(of_driver, "setconfig"):
        yield
        return
    options = [getattr(sqlite3, f"SQLITE_DBCONFIG_DQS_{kind}") for kind in ("DDL", "DML")]
    before = [of_driver.getconfig(option) for option in options]
    for option in options:
        of_driver.setconfig(option, False)
    try:
        yield
    finally:
        for option, was in zip(options, before, strict=True):
            of_driver.setconfig(option, was)


def _allow(*asked: object) -> int:
    return sqlite3.SQLITE_OK


def read_columns(cursor: CursorWrapper, schema: str, flat: str) -> tuple[Column, ...]:
    """Return the columns of a view with their declared types; () when it cannot be read.

    The type of what is computed is "".
    """
    try:
        cursor.execute(f"PRAGMA {schema}.table_xinfo({quote_identifier(flat)})")
        return tuple(Column(name, type_) for _, name, type_, *_ in cursor.fetchall())
    except DatabaseError:
        return ()
