"""Tries views on MariaDB: creates them under other names, reads back what is stored, and drops them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.plain.untried import not_writable, refuse_in_transaction
from orm_views_core.engines.refusals import refused
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.mariadb import quoted

from .catalog import Columns, Facts, StoredView, read_columns, read_facts, read_views, sources_of
from .errors import LONGEST_NAME, READ_ONLY, number_of, said, too_long
from .texts import create_statement, renamed
from .trials import trying, with_real_names
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
    made: dict[str, str] = {}
    tried_as: dict[ViewName, str] = {}
    real_names: dict[str, str] = {}
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
            sql = renamed(definition.sql, made, facts.database)
            try:
                trials.create(connection, cursor, create_statement(definition, sql, name))
                made[flat] = tried_as[definition.name] = name
                real_names[name] = facts.place(definition.name)
            except DatabaseError as error:
                if number_of(error) in READ_ONLY:
                    raise not_writable(connection, said(error)) from error
                words = with_real_names(said(error), ChainMap({name: flat}, real_names))
                errors[definition.name] = refused(connection.display_name, definition, words)
        created = {*trials.names}
        stored = {view.flat: view for view in read_views(cursor, facts) if view.flat in created}
        read = {*stored, *(name for view in stored.values() for name in view.reads)}
        columns = read_columns(cursor, facts, sorted(read))
        tried = _Tried(
            real_names,
            {name: quoted(flat)[1:-1] for name, flat in real_names.items()},
            {with_real_names(name, real_names): found for name, found in columns.items()},
            _names(facts, definitions, catalog),
            facts.database,
        )
        views = {
            definition.name: tried.expected(definition, stored[tried_as[definition.name]])
            for definition in definitions
            if definition.name in tried_as
        }
        there = {each.name: facts.place(each.name) for each in definitions if each.name in catalog.relations}
        installed = read_columns(cursor, facts, list(there.values()))
    return DryRun(views, {name: installed.get(flat, ()) for name, flat in there.items()}, errors)


def _names(facts: Facts, definitions: Sequence[ViewDefinition], catalog: Catalog) -> Mapping[str, ViewName]:
    """Return the names of views by those in the database."""
    others = {name.name: name for name in catalog.relations if name.schema == facts.database}
    ours = {facts.place(name): name for name in catalog.relations if name.schema != facts.database}
    return {**others, **ours, **{facts.place(each.name): each.name for each in definitions}}


@dataclass(frozen=True)
class _Tried:
    """Views that were created under other names.

    Attributes:
        real_names: the names that they will have, by those under which they were created.
        in_sql: the same as they are between backticks.
        columns: the columns of the views, and of what they read, by these names.
        names: the names of views by those in the database.
        database: the name of the database.
    """

    real_names: Mapping[str, str]
    in_sql: Mapping[str, str]
    columns: Columns
    names: Mapping[str, ViewName]
    database: str

    def expected(self, definition: ViewDefinition, view: StoredView) -> ExpectedView:
        """Return a view as it will be stored."""
        reads = {with_real_names(name, self.real_names) for name in view.reads}
        columns = self.columns.get(with_real_names(view.flat, self.real_names), ())
        return ExpectedView(
            name=definition.name,
            definition=with_real_names(view.statement or "", self.in_sql),
            columns=tuple(
                Column(with_real_names(column.name, self.real_names), column.type) for column in columns
            ),
            options=view.options,
            reads=frozenset(self.names.get(flat) or ViewName(self.database, flat) for flat in reads),
            sources=sources_of(reads, self.columns) if definition.has_star else None,
        )
