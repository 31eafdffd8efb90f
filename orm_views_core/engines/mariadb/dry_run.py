"""Tries views on MariaDB: creates them under other names, reads back what is stored, and drops them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.plain.untried import not_writable, refuse_in_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.mariadb import quoted

from .catalog import Columns, Facts, StoredView, read_columns, read_facts, read_views, sources_of
from .errors import LONGEST_NAME, READ_ONLY, number_of, refused, said, too_long
from .texts import create_statement, renamed
from .trials import trying
from .waits import short_waits


def try_views(
    connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
) -> DryRun:
    """Create views under other names, each after those that it reads, and drop them again.

    Args:
        connection: the database.
        definitions: the views.
        catalog: what the database contains.

    Raises:
        OpenTransactionError: there is a transaction, which that would commit.
        UntriedError: the database cannot be written.
        LockNotAvailableError: a table beneath is being altered for longer than LOCK_WAIT.
    """
    if not definitions:
        return DryRun()
    refuse_in_transaction(connection)
    errors: dict[ViewName, OrmViewsError] = {}
    made: dict[ViewName, str] = {}
    with (
        connection.cursor() as cursor,
        short_waits(cursor),
        trying(connection, cursor) as trials,
    ):
        facts = read_facts(cursor)
        for definition in definitions:
            flat, name = flat_name(definition.name), trials.next_name
            if len(flat) > LONGEST_NAME:
                errors[definition.name] = too_long(definition, flat)
                continue
            sql = renamed(definition.sql, {flat_name(n): tried for n, tried in made.items()}, facts.database)
            try:
                trials.create(connection, cursor, create_statement(definition, sql, name))
                made[definition.name] = name
            except DatabaseError as error:
                if number_of(error) in READ_ONLY:
                    raise not_writable(connection, said(error)) from error
                words = _as_placed(said(error), _placed(facts, {**made, definition.name: name}))
                errors[definition.name] = refused(connection, definition, words)
        stored = {view.flat: view for view in read_views(cursor, facts) if view.flat in trials.names}
        read = {*stored, *(name for view in stored.values() for name in view.reads)}
        tried = _Tried(
            _placed(facts, made),
            read_columns(cursor, facts, sorted(read)),
            _names(facts, definitions, catalog),
            facts.database,
        )
        views = {
            definition.name: tried.expected(definition, stored[made[definition.name]])
            for definition in definitions
            if definition.name in made
        }
        there = {each.name: facts.place(each.name) for each in definitions if each.name in catalog.relations}
        installed = read_columns(cursor, facts, list(there.values()))
    return DryRun(views, {name: installed.get(flat, ()) for name, flat in there.items()}, errors)


def _names(facts: Facts, definitions: Sequence[ViewDefinition], catalog: Catalog) -> Mapping[str, ViewName]:
    """Return the names of views by those in the database."""
    others = {name.name: name for name in catalog.relations if name.schema == facts.database}
    ours = {facts.place(name): name for name in catalog.relations if name.schema != facts.database}
    return {**others, **ours, **{facts.place(each.name): each.name for each in definitions}}


def _placed(facts: Facts, made: Mapping[ViewName, str]) -> Mapping[str, str]:
    """Return under which names views are tried, by those that they will have."""
    return {facts.place(name): tried for name, tried in made.items()}


def _as_placed(words: str, placed: Mapping[str, str]) -> str:
    """Return words with the names that the views will have."""
    for flat, name in placed.items():
        words = words.replace(name, flat)
    return words


@dataclass(frozen=True)
class _Tried:
    """Views that were created under other names.

    Attributes:
        placed: the names under which they were created, by those that they will have.
        columns: the columns of the views, and of what they read.
        names: the names of views by those in the database.
        database: the name of the database.
    """

    placed: Mapping[str, str]
    columns: Columns
    names: Mapping[str, ViewName]
    database: str

    def expected(self, definition: ViewDefinition, view: StoredView) -> ExpectedView:
        """Return a view as it will be stored."""
        reads = {_as_placed(name, self.placed) for name in view.reads}
        columns = {_as_placed(name, self.placed): found for name, found in self.columns.items()}
        in_sql = {quoted(flat)[1:-1]: name for flat, name in self.placed.items()}
        return ExpectedView(
            name=definition.name,
            definition=_as_placed(view.statement or "", in_sql),
            columns=tuple(
                Column(_as_placed(column.name, self.placed), column.type)
                for column in self.columns.get(view.flat, ())
            ),
            options=view.options,
            reads=frozenset(self.names.get(flat) or ViewName(self.database, flat) for flat in reads),
            sources=sources_of(reads, columns) if definition.has_star else None,
        )
