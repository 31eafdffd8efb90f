"""SQLite as an engine of views."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.base import PlainCatalog, Record
from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import number, says
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.sqlite import SQLITE

from .catalog import MAIN, read_catalog, read_columns
from .dry_run import try_views
from .texts import create_statement, split_text, with_state

#: SQLite runs so many instructions between two looks at the clock.
_INSTRUCTIONS = 10_000


class SQLiteEngine:
    """A sync is one transaction. It writes the texts of views, and SQLite compiles them when they are read."""

    spelling = SQLITE
    blocks = says("whoever writes to the database, until the sync commits; readers, while it commits")

    def read_catalog(
        self, connection: BaseDatabaseWrapper, definitions: Definitions, roles: Collection[str] = ()
    ) -> PlainCatalog:
        """Read all views. There are no roles."""
        return read_catalog(connection, definitions)

    def read_columns(
        self, connection: BaseDatabaseWrapper, names: Collection[ViewName]
    ) -> Mapping[ViewName, tuple[Column, ...]]:
        """Return the columns of some views, with the declared types of the columns that they show."""
        with connection.cursor() as cursor:
            found = {name: read_columns(cursor, MAIN, flat_name(name)) for name in names}
        return {name: columns for name, columns in found.items() if columns}

    def try_views(
        self, connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
    ) -> DryRun:
        """Try views as temporary ones."""
        return try_views(connection, definitions, catalog)

    def planning(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a transaction: it reads one state of the file."""
        return transaction.atomic(using=connection.alias)

    @contextmanager
    def turn(self, connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None) -> Iterator[None]:
        """Begin a transaction that no other one can write beside. In one of the caller, it is a savepoint."""
        connection.ensure_connection()
        if connection.in_atomic_block:
            with transaction.atomic(using=connection.alias):
                yield
            return
        own: Any = connection
        mode, own.transaction_mode = own.transaction_mode, "IMMEDIATE"
        try:
            block = transaction.atomic(using=connection.alias)
            with _waiting(connection):
                block.__enter__()
        finally:
            own.transaction_mode = mode
        with _entered(block):
            yield

    def create_view(self, definition: ViewDefinition, replaces: InstalledView | None) -> tuple[str, ...]:
        """Return the statements; SQLite has no CREATE OR REPLACE."""
        drop = (self.drop_view(replaces),) if replaces else ()
        return (*drop, create_statement(definition))

    def drop_view(self, view: InstalledView) -> str:
        """Return the statement that drops a view."""
        return f"DROP VIEW {SQLITE.place(view.name)}"

    def grant(self, name: ViewName, grant: Collection[str], revoke: Collection[str]) -> Sequence[str]:
        """Return nothing: there are no roles."""
        return ()

    def carry_out(
        self,
        connection: BaseDatabaseWrapper,
        name: ViewName,
        statements: Sequence[str],
        record: Record | None,
    ) -> None:
        """Send the statements. The last one gets the sync state as a comment."""
        sent = list(statements)
        if record is not None:
            # A text cannot be changed where it is.
            sent = sent or list(self.create_view(record.definition, record.installed))
            state = replace(record.state, installed=split_text(sent[-1]).fingerprint)
            sent[-1] = with_state(sent[-1], name, state)
        with connection.cursor() as cursor:
            for sql in sent:
                cursor.execute(sql)

    @contextmanager
    def reading(self, connection: BaseDatabaseWrapper, seconds: float) -> Iterator[CursorWrapper]:
        """Give a cursor of a connection that does not write in the block. A statement is interrupted in time."""
        deadline = time.monotonic() + seconds
        of_driver: Any
        with connection.cursor() as cursor:
            of_driver = connection.connection
            cursor.execute("PRAGMA query_only")
            (was,) = cursor.fetchone()
            cursor.execute("PRAGMA query_only = ON")
            of_driver.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)
            try:
                yield cursor
            finally:
                of_driver.set_progress_handler(None, 0)
                cursor.execute(f"PRAGMA query_only = {int(was)}")

    def said(self, error: DatabaseError) -> str:
        """Return what SQLite said."""
        return str(error)


@contextmanager
def _entered(block: Any) -> Iterator[None]:
    """Leave a block that was entered before, with the error if there is one."""
    try:
        yield
    except BaseException as error:
        if not block.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        block.__exit__(None, None, None)


@contextmanager
def _waiting(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Wait for the lock that BEGIN IMMEDIATE takes as long as LOCK_WAIT. Nothing else is sent in the block.

    Raises:
        LockNotAvailableError: when the file cannot be written by then.
    """
    seconds = get_settings().LOCK_WAIT
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (was,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    except OperationalError as error:
        what = says(
            "Database %(database)r: SQLite did not begin to write within %(seconds)s s (LOCK_WAIT). Nothing "
            "was changed. Another process may be writing to the file, or it may be read-only",
            database=connection.alias,
            seconds=number(seconds),
        )
        raise LockNotAvailableError(
            Quoting(says("%(what)s: %(said)s.", what=what, said=str(error)), says("%(what)s.", what=what))
        ) from error
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(was)}")


ENGINE = SQLiteEngine()
