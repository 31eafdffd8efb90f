"""MariaDB as an engine of views. MySQL shares it, and is untested."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.base import ExecuteWrapper, PlainCatalog, Record
from orm_views_core.engines.plain.untried import in_transaction, refuse_in_transaction
from orm_views_core.engines.refusals import reading_database
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.spelling.mariadb import MARIADB

from .accounts import grantee
from .catalog import Facts, read_catalog, read_columns, read_facts, read_views, sources_of
from .dry_run import try_views
from .errors import LONGEST_NAME, NO_GRANT, number_of, said
from .reading import limited, not_writing
from .server import is_mariadb
from .state import forget, read_states, write_state
from .texts import create_statement, fingerprint_of
from .trials import drop_left_over, read_view_names
from .untrusted import read_untrusted
from .waits import send, short_waits, wait_for_turn

_LOCK = "orm_views:"
_GRANT, _REVOKE = "GRANT ", "REVOKE "
#: With another ``sql_mode``, a GRANT to a user that there is not creates one without a password.
#: https://mariadb.com/kb/en/sql-mode/
_NO_USER = "SET STATEMENT sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER') FOR "


class MariaDBEngine:
    """Every statement that changes a view commits. So views are changed one after the other."""

    spelling = MARIADB
    blocks = says("whoever begins to use the view while the sync waits for those that use it already")
    #: MariaDB lets migrations change what views read. What breaks is found later.
    around_statements: ExecuteWrapper | None = None

    def read_catalog(
        self, connection: BaseDatabaseWrapper, definitions: Definitions, roles: Collection[str] = ()
    ) -> PlainCatalog:
        """Read all views. Nothing is changed or committed."""
        with reading_database(connection):
            return read_catalog(connection, definitions, roles)

    def read_columns(
        self, connection: BaseDatabaseWrapper, names: Collection[ViewName]
    ) -> Mapping[ViewName, tuple[Column, ...]]:
        """Return the columns of those of some views that can be read."""
        with reading_database(connection), connection.cursor() as cursor:
            facts = read_facts(cursor)
            found = read_columns(cursor, facts, [facts.place(name) for name in names])
        return {name: found[flat] for name in names if (flat := facts.place(name)) in found}

    def try_views(
        self, connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
    ) -> DryRun:
        """Try views under other names. That commits, so it is not done in a transaction of the caller."""
        return try_views(connection, definitions, catalog)

    def planning(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block that does nothing: no transaction can have the statements that try views."""
        return nullcontext()

    @contextmanager
    def turn(self, connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None) -> Iterator[None]:
        """Take the lock of syncs, and clear up what killed ones have left. There is no transaction."""
        with connection.cursor() as cursor:
            with reading_database(connection):
                lock = _lock_of(read_facts(cursor).database)
                wait_for_turn(connection, cursor, lock, on_wait)
            try:
                if not in_transaction(connection):
                    with reading_database(connection), short_waits(cursor):
                        _clear_up(connection, cursor)
                yield
            finally:
                _release(cursor, lock)

    def create_view(self, definition: ViewDefinition, replaces: InstalledView | None) -> tuple[str, ...]:
        """Return the statement: CREATE OR REPLACE keeps the grants."""
        return (create_statement(definition),)

    def drop_view(self, view: InstalledView) -> tuple[str, ...]:
        """Return the statements. MariaDB keeps the grants on a view that is dropped, for the next one."""
        state = view.state
        granted = (*state.granted, *state.granted_by_command) if state else ()
        revoked = [role for role in granted if _as_granted(role) in view.readers]
        return (*self.grant(view.name, (), revoked), f"DROP VIEW IF EXISTS {MARIADB.place(view.name)}")

    def grant(self, name: ViewName, grant: Collection[str], revoke: Collection[str]) -> Sequence[str]:
        """Return a statement for each role."""
        view = MARIADB.place(name)
        revokes = [f"{_REVOKE}SELECT ON {view} FROM {grantee(role)}" for role in revoke]
        return [*revokes, *(f"{_GRANT}SELECT ON {view} TO {grantee(role)}" for role in grant)]

    def carry_out(
        self,
        connection: BaseDatabaseWrapper,
        name: ViewName,
        statements: Sequence[str],
        record: Record | None,
    ) -> None:
        """Send the statements, each of which commits, and record the state at last.

        A sync that ends between two of them leaves a view whose state does not fit it, or none. The next one
        tries such a view, and records it if its class says the same.
        """
        refuse_in_transaction(connection)
        with connection.cursor() as cursor, short_waits(cursor):
            for sql in statements:
                try:
                    send(connection, cursor, _creating_no_user(connection, sql))
                except DatabaseError as error:
                    # A sync that was ended may have revoked it.
                    if not (sql.startswith(_REVOKE) and number_of(error) in NO_GRANT):
                        raise
            facts = read_facts(cursor)
            if record is None:
                forget(cursor, [facts.place(name)])
            else:
                write_state(cursor, facts.place(name), name, _completed(cursor, facts, record))

    @contextmanager
    def reading(
        self, connection: BaseDatabaseWrapper, seconds: float, *, writes: bool = False
    ) -> Iterator[CursorWrapper]:
        """Give a cursor that cannot write. In a transaction of the caller, only the time is limited."""
        block = nullcontext() if writes else not_writing(connection)
        with limited(connection, seconds) as cursor, block:
            yield cursor

    def untrusted(self, cursor: CursorWrapper, names: Collection[ViewName]) -> Mapping[ViewName, Sentence]:
        """Return why the rows of some views are not read: the definer of one of those beneath is foreign."""
        return read_untrusted(cursor, names)

    def said(self, error: DatabaseError) -> str:
        """Return what MariaDB said."""
        return said(error)


def _creating_no_user(connection: BaseDatabaseWrapper, sql: str) -> str:
    """Return a statement that does not create users. MySQL never does."""
    return _NO_USER + sql if is_mariadb(connection) and sql.startswith(_GRANT) else sql


def _as_granted(role: str) -> str:
    return "" if role.lower() == "public" else role


def _lock_of(database: str) -> str:
    """Return the name of the lock of syncs. Locks belong to the server, and their names are short."""
    name = _LOCK + database
    if len(name) <= LONGEST_NAME:
        return name
    return _LOCK + hashlib.sha256(database.encode()).hexdigest()[:32]


def _release(cursor: CursorWrapper, lock: str) -> None:
    """Release a lock. A connection that was lost has none."""
    try:
        cursor.execute("DO RELEASE_LOCK(%s)", [lock])
    except DatabaseError:
        cursor.db.close_if_unusable_or_obsolete()


def _clear_up(connection: BaseDatabaseWrapper, cursor: CursorWrapper) -> None:
    """Drop the views that killed processes were trying, and forget the views that are gone."""
    names = read_view_names(cursor)
    drop_left_over(connection, cursor, names)
    forget(cursor, read_states(cursor).keys() - {*names})


def _completed(cursor: CursorWrapper, facts: Facts, record: Record) -> SyncState:
    """Return a state with what the database stores of its view."""
    fingerprint, sources = "", None
    for view in read_views(cursor, facts, facts.place(record.definition.name)):
        fingerprint = fingerprint_of(view.statement) if view.statement is not None else ""
        if record.definition.has_star:
            sources = sources_of(view.reads, read_columns(cursor, facts, sorted(view.reads)))
    return replace(record.state, installed=fingerprint, sources=sources)


ENGINE = MariaDBEngine()
