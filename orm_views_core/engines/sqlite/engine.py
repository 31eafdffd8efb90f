"""SQLite as an engine of views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.base import ExecuteWrapper, PlainCatalog, Record
from orm_views_core.engines.refusals import reading_database, refused
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.sqlite import SQLITE

from .aside import STEP_ASIDE
from .catalog import SQLiteView, read_catalog
from .dry_run import try_views
from .errors import is_refused, step_failed
from .functions import add_functions
from .limits import ending_in, not_writing
from .looks import MAIN, read_columns
from .texts import ViewText, create_statement, with_state
from .turns import take_turn


class SQLiteEngine:
    """A sync is one transaction. It writes the texts of views, which SQLite compiles when they are read."""

    spelling = SQLITE
    blocks = says("whoever writes to the database, until the sync commits; readers, while it commits")
    #: Lets views step aside for an ALTER TABLE that SQLite would refuse.
    around_statements: ExecuteWrapper | None = STEP_ASIDE

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

    @contextmanager
    def planning(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Give a transaction: it reads one state of the file."""
        with reading_database(connection), transaction.atomic(using=connection.alias):
            yield

    def turn(
        self, connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None
    ) -> AbstractContextManager[None]:
        """Return a transaction that no other one can write beside. SQLite does not tell whom it waits for."""
        return take_turn(connection)

    def create_view(self, definition: ViewDefinition, replaces: InstalledView | None) -> tuple[str, ...]:
        """Return the statements. SQLite has no CREATE OR REPLACE, and drops a view with its triggers."""
        if replaces is None:
            return (create_statement(definition),)
        triggers = replaces.triggers if isinstance(replaces, SQLiteView) else ()
        return (*self.drop_view(replaces), create_statement(definition), *triggers)

    def drop_view(self, view: InstalledView) -> tuple[str, ...]:
        """Return the statement that drops a view. A temporary one may have the same name."""
        return (f"DROP VIEW {MAIN}.{SQLITE.place(view.name)}",)

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
        """Send the statements. The one that creates the view gets the sync state as a comment.

        Raises:
            ViewSQLError: when SQLite refuses the SQL of the view.
            SyncFailedError: when it refuses something else.
        """
        sent, created = list(statements), ""
        if record is not None:
            # A text cannot be changed where it is.
            sent = sent or list(self.create_view(record.definition, record.installed))
            statement = create_statement(record.definition)
            state = replace(record.state, installed=ViewText(statement).fingerprint)
            created = with_state(statement, name, state)
            sent[sent.index(statement)] = created
        with connection.cursor() as cursor:
            for sql in sent:
                try:
                    cursor.execute(sql)
                except DatabaseError as error:
                    if record is None:
                        raise step_failed(name, error) from error
                    if sql == created and is_refused(cursor, sql):
                        raise refused(SQLITE.title, record.definition, str(error)) from error
                    raise step_failed(record.definition.where, error) from error

    @contextmanager
    def reading(
        self, connection: BaseDatabaseWrapper, seconds: float, *, writes: bool = False
    ) -> Iterator[CursorWrapper]:
        """Give a cursor whose statements are interrupted in time."""
        with connection.cursor() as cursor:
            add_functions(connection)
            block = nullcontext() if writes else not_writing(cursor)
            with block, ending_in(connection, seconds):
                yield cursor

    def untrusted(self, cursor: CursorWrapper, names: Collection[ViewName]) -> Mapping[ViewName, Sentence]:
        """Return nothing: whoever can write the file can write anything."""
        return {}

    def said(self, error: DatabaseError) -> str:
        """Return what SQLite said."""
        return str(error)


ENGINE = SQLiteEngine()
