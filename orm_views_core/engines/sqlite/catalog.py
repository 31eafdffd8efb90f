"""Reads the views of SQLite: their texts, what each one reads, and which of them are broken."""

from __future__ import annotations

import sqlite3
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Catalog, Column, InstalledView, Session
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.base import PlainCatalog
from orm_views_core.names import ViewKind, ViewName, quote_identifier
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says, says_in
from orm_views_core.spelling.flat import flat_name
from orm_views_core.sql.references import unqualified_relations
from orm_views_core.sql.rules import SQLITE_RULES

from .texts import ViewText, split_text

#: The schema of everything that is no view of ours, as SQLite calls it.
MAIN = "main"
_RELATIONS = "SELECT type, name, sql FROM main.sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"


class _Row(NamedTuple):
    """A table or a view of ``sqlite_master``."""

    is_view: bool
    flat: str
    text: ViewText


class Look(NamedTuple):
    """What SQLite tells of a view when it plans to read it.

    Attributes:
        reads: the names of the tables and views that it reads itself.
        error: why it cannot be read; "" when it can.
    """

    reads: frozenset[str] = frozenset()
    error: str = ""


def read_catalog(connection: BaseDatabaseWrapper, definitions: Definitions) -> PlainCatalog:
    """Read all views, and the tables with names of registered views. Views are planned, and never run."""
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS)
        rows = [_Row(kind == "view", flat, split_text(sql or "")) for kind, flat, sql in cursor.fetchall()]
        looks = look_at(
            connection, cursor, MAIN, {row.flat: row.text.statement for row in rows if row.is_view}
        )
    names = _names_of(rows, definitions)
    read_by: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    reads: dict[str, frozenset[ViewName]] = {}
    for flat, look in looks.items():
        reads[flat] = frozenset(names.get(each, ViewName(MAIN, each)) for each in look.reads)
        for name in reads[flat]:
            read_by[name].add(names[flat])
    relations = {
        names[row.flat]: _installed(row, names[row.flat], reads.get(row.flat, frozenset()), read_by)
        for row in rows
        if row.is_view or names[row.flat].schema != MAIN
    }
    broken = {names[flat]: _broken(look.error) for flat, look in looks.items() if look.error}
    session = Session(role="", creates_schemas=True)
    schemas = frozenset(definitions.schemas)
    return PlainCatalog(Catalog(relations, schemas=schemas, session=session), broken)


def _names_of(rows: Collection[_Row], definitions: Definitions) -> dict[str, ViewName]:
    """Return the names of views and tables: those of registered views, and those that our comments tell."""
    registered = {flat_name(name).lower(): name for name in definitions.names}
    names = {}
    for row in rows:
        told = row.text.name if row.text.name and flat_name(row.text.name) == row.flat else None
        names[row.flat] = registered.get(row.flat.lower()) or told or ViewName(MAIN, row.flat)
    return names


def _installed(
    row: _Row, name: ViewName, reads: frozenset[ViewName], read_by: Mapping[ViewName, set[ViewName]]
) -> InstalledView:
    kind = says_in("in a database", "view") if row.is_view else says_in("in a database", "table")
    return InstalledView(
        oid=0,
        name=name,
        kind=ViewKind.VIEW if row.is_view else None,
        relation=kind,
        owner="",
        rule=row.text.rule,
        definition=row.text.statement,
        state=row.text.state if row.is_view else None,
        reads=reads,
        read_by=frozenset(read_by.get(name, ())),
    )


def _broken(error: str) -> Quoting:
    return Quoting(
        says("It cannot be read: SQLite says: %(error)s.", error=error),
        says("It cannot be read: SQLite refuses it."),
    )


def look_at(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, schema: str, texts: Mapping[str, str]
) -> dict[str, Look]:
    """Have SQLite plan to read some views. It tells the authorizer what each view reads.

    EXPLAIN compiles the statement and does not run it. A SELECT with LIMIT 0 would compute what the view groups.
    https://www.sqlite.org/c3ref/set_authorizer.html

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
            with _authorizing(connection, reads):
                cursor.execute(sql)
        except DatabaseError as refused:
            error = str(refused)
        looks[flat] = Look(reads.all(text), error)
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
            elif by is None and not column and table != self.flat:
                self._without_column.add(table)
        return sqlite3.SQLITE_OK

    def all(self, text: str) -> frozenset[str]:
        """Return them. Who reads a table without its columns, as ``count(*)`` does, only the text tells."""
        unknown = self._without_column - self._known
        if unknown:
            named = {name.lower() for name in unqualified_relations(text, SQLITE_RULES)}
            unknown = {table for table in unknown if table.lower() in named}
        return frozenset(self._known | unknown)


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
