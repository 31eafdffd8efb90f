"""Reads the views of SQLite: their texts, what each one reads, and which of them are broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, InstalledView, Session
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.base import PlainCatalog
from orm_views_core.engines.refusals import unreadable
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import says_in
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.sqlite import SQLITE

from .looks import MAIN, look_at
from .texts import ViewText, folded, split_text

#: The schema of everything that is no view of ours: no view of a class is without one.
NOT_OURS = ""
_RELATIONS = (
    "SELECT type, name, tbl_name, sql FROM main.sqlite_master "
    "WHERE type IN ('table', 'view', 'trigger') ORDER BY rowid"
)


@dataclass(frozen=True)
class SQLiteView(InstalledView):
    """A view or a table of a file.

    Attributes:
        triggers: the statements that created its triggers. DROP VIEW drops them too.
    """

    triggers: tuple[str, ...] = ()


class _Row(NamedTuple):
    """A table or a view of ``sqlite_master``."""

    is_view: bool
    flat: str
    text: ViewText
    triggers: tuple[str, ...] = ()


def read_catalog(connection: BaseDatabaseWrapper, definitions: Definitions) -> PlainCatalog:
    """Read all views, and the tables with names of registered views. Views are planned, and never run."""
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS)
        rows = _rows(cursor.fetchall())
        looks = look_at(
            connection, cursor, MAIN, {row.flat: row.text.statement for row in rows if row.is_view}
        )
    names = _names_of(rows, definitions)
    known = {folded(flat): name for flat, name in names.items()}
    read_by: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    reads: dict[str, frozenset[ViewName]] = {}
    for flat, look in looks.items():
        reads[flat] = frozenset(known.get(folded(each), ViewName(NOT_OURS, each)) for each in look.reads)
        for name in reads[flat]:
            read_by[name].add(names[flat])
    relations = {
        names[row.flat]: _installed(row, names[row.flat], reads.get(row.flat, frozenset()), read_by)
        for row in rows
        if row.is_view or names[row.flat].schema != NOT_OURS
    }
    broken = {names[flat]: unreadable(SQLITE.title, look.error) for flat, look in looks.items() if look.error}
    session = Session(role="", creates_schemas=True)
    schemas = frozenset(definitions.schemas)
    return PlainCatalog(Catalog(relations, schemas=schemas, session=session), broken)


def _rows(found: Collection[tuple[str, str, str, str]]) -> list[_Row]:
    triggers: defaultdict[str, list[str]] = defaultdict(list)
    for kind, _, table, sql in found:
        if kind == "trigger":
            triggers[folded(table)].append(sql)
    return [
        _Row(
            kind == "view",
            flat,
            split_text(sql, flat) if kind == "view" else ViewText(sql),
            tuple(triggers.get(folded(flat), ())),
        )
        for kind, flat, _, sql in found
        if kind != "trigger"
    ]


def _names_of(rows: Collection[_Row], definitions: Definitions) -> dict[str, ViewName]:
    """Return the names of views and tables: those of registered views, and those that our comments tell."""
    registered = {folded(flat_name(name)): name for name in definitions.names}
    return {
        row.flat: registered.get(folded(row.flat)) or row.text.name or ViewName(NOT_OURS, row.flat)
        for row in rows
    }


def _installed(
    row: _Row, name: ViewName, reads: frozenset[ViewName], read_by: Mapping[ViewName, set[ViewName]]
) -> SQLiteView:
    kind = says_in("in a database", "view") if row.is_view else says_in("in a database", "table")
    return SQLiteView(
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
        triggers=row.triggers,
    )
