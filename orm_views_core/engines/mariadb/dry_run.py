"""Tries views on MariaDB: creates them under other names, reads back what is stored, and drops them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.plain.transactions import refuse_in_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.spelling.flat import flat_name

from .catalog import Columns, Facts, StoredView, read_columns, read_facts, read_views, sources_of
from .errors import LONGEST_NAME, refused, said, too_long
from .texts import create_statement, renamed
from .trials import trial_names
from .waits import send, short_waits


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
        LockNotAvailableError: a table beneath is being altered for longer than LOCK_WAIT.
    """
    if not definitions:
        return DryRun()
    refuse_in_transaction(connection)
    errors: dict[ViewName, OrmViewsError] = {}
    made: dict[str, str] = {}
    with (
        connection.cursor() as cursor,
        short_waits(cursor),
        trial_names(connection, cursor, len(definitions)) as names,
    ):
        facts = read_facts(cursor)
        for definition, name in zip(definitions, names, strict=True):
            flat = flat_name(definition.name)
            if len(flat) > LONGEST_NAME:
                errors[definition.name] = too_long(definition, flat)
                continue
            try:
                sql = renamed(definition.sql, made, facts.database)
                send(connection, cursor, create_statement(definition, name, sql))
                made[flat] = name
            except DatabaseError as error:
                errors[definition.name] = refused(
                    connection, definition, _as_placed(said(error), {**made, flat: name})
                )
        stored = [view for view in read_views(connection, cursor, facts) if view.flat in names]
        read = {*names, *(name for view in stored for name in view.reads)}
        tried = _Tried(
            facts, made, read_columns(cursor, facts, sorted(read)), _names(facts, definitions, catalog)
        )
        texts = {view.flat: view for view in stored}
        views = {
            definition.name: tried.expected(definition, texts[made[flat]])
            for definition in definitions
            if (flat := flat_name(definition.name)) in made
        }
        installed = read_columns(cursor, facts, [flat_name(d.name) for d in definitions])
    return DryRun(
        views,
        {d.name: installed.get(flat_name(d.name), ()) for d in definitions if d.name in catalog.relations},
        errors,
    )


def _names(facts: Facts, definitions: Sequence[ViewDefinition], catalog: Catalog) -> Mapping[str, ViewName]:
    """Return the names of views by those in the database."""
    others = {name.name: name for name in catalog.relations if name.schema == facts.database}
    ours = {flat_name(name): name for name in catalog.relations if name.schema != facts.database}
    return {**others, **ours, **{flat_name(each.name): each.name for each in definitions}}


def _as_placed(words: str, made: Mapping[str, str]) -> str:
    """Return words or SQL with the names that the views will have. They are in backticks in SQL."""
    for flat, name in made.items():
        words = words.replace(name, flat)
    return words


@dataclass(frozen=True)
class _Tried:
    """Views that were created under other names.

    Attributes:
        facts: what is known of the connection.
        made: the names under which they were created.
        columns: the columns of the views, and of what they read.
        names: the names of views by those in the database.
    """

    facts: Facts
    made: Mapping[str, str]
    columns: Columns
    names: Mapping[str, ViewName]

    def expected(self, definition: ViewDefinition, view: StoredView) -> ExpectedView:
        """Return a view as it will be stored."""
        reads = {_as_placed(name, self.made) for name in view.reads}
        columns = {_as_placed(name, self.made): found for name, found in self.columns.items()}
        quoted = {flat.replace("`", "``"): name for flat, name in self.made.items()}
        return ExpectedView(
            name=definition.name,
            definition=_as_placed(view.statement or "", quoted),
            columns=tuple(
                Column(_as_placed(column.name, self.made), column.type)
                for column in self.columns.get(view.flat, ())
            ),
            options=view.options,
            reads=frozenset(self.names.get(flat) or ViewName(self.facts.database, flat) for flat in reads),
            sources=sources_of(reads, columns) if definition.has_star else None,
        )
