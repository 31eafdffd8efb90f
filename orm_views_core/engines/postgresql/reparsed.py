"""Tells whether two of PostgreSQL's own texts, of a view or of an index, mean the same.

A dump has PostgreSQL's text of a view, and restoring it parses that text. What PostgreSQL writes of the
result may be another text: of ``status IN ('a', 'b')`` on a varchar, and of a BETWEEN before an AND. So each
text is parsed and written again until it stays. Two texts that become the same mean the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.relations import InstalledIndex, InstalledView
from orm_views_core.database.staging import PREFIX
from orm_views_core.names import ViewName

from . import ddl
from .batches import send
from .catalog.fetch import array, fetch
from .catalog.search_path import CatalogCursor
from .catalog.trust import read_untrusted_types
from .errors.refusals import is_refusal_of_one

#: How many texts are parsed together. What is made of them is rolled back, and their locks with it.
_BATCH = 250
#: After how many rounds a text counts as settled. Two or three are the rule.
_ROUNDS = 10

_WRITTEN = """
SELECT c.relname, CASE c.relkind WHEN 'v' THEN pg_catalog.pg_get_viewdef(c.oid)
                                 ELSE pg_catalog.pg_get_indexdef(c.oid) END
FROM pg_catalog.pg_class c
WHERE c.relkind IN ('v', 'i') AND c.relname = ANY(%(names)s::name[])
"""


class Tried(NamedTuple):
    """A view in a staging schema: where it is, and PostgreSQL's text of it there."""

    at: ViewName
    text: str


class _Text(NamedTuple):
    """A text of PostgreSQL: a view's SELECT, or an index from USING on.

    Attributes:
        on: the relation that an index is created on; None for a SELECT.
        unique: whether an index is unique.
    """

    sql: str
    on: ViewName | None = None
    unique: bool = False

    def create(self, schema: str, name: str) -> str:
        if self.on is None:
            return f"CREATE VIEW {schema}.{name} AS {self.sql}"
        return f"CREATE {'UNIQUE ' if self.unique else ''}INDEX {name} ON {self.on.quoted} USING {self.sql}"

    def written(self, text: str) -> _Text:
        return self._replace(sql=_bare(text) if self.on is None else text.partition(" USING ")[2])


def with_installed_texts(
    connection: BaseDatabaseWrapper,
    cursor: CatalogCursor,
    views: Mapping[ViewName, ExpectedView],
    tried: Mapping[ViewName, Tried],
    installed: Mapping[ViewName, InstalledView],
    unstaged: Callable[[str], str],
) -> dict[ViewName, ExpectedView]:
    """Return views with the texts of the installed ones, where these mean the same.

    Texts of views of others are not parsed, nor those that depend on a type of others: parsing a constant may
    run a function of its type.

    Args:
        connection: the database, in the transaction of the dry run.
        cursor: a cursor of the connection.
        views: the views that PostgreSQL would make.
        tried: those of them that classes declare, where they were tried.
        installed: the views that exist already.
        unstaged: puts the real schemas' names into a text.

    Returns:
        those of ``tried`` that differ from the installed ones in a text.
    """
    found = {name: view for name, view in installed.items() if name in tried and view.is_trusted}
    found = {name: view for name, view in found.items() if view.definition and _differs(views[name], view)}
    untrusted = read_untrusted_types(connection, [view.oid for view in found.values()])
    pairs = [(views[name], tried[name], view) for name, view in found.items() if view.oid not in untrusted]
    texts = {_Text(_bare(text)) for _, at, view in pairs for text in (at.text, view.definition or "")}
    texts |= {_index(i, at) for view, at, old in pairs for i in _unmatched(view, old)}
    texts |= {_index(i, at) for view, at, old in pairs if _unmatched(view, old) for i in old.indexes}
    settled = _settle(connection, cursor, texts)
    result = {}
    for view, at, old in pairs:
        text = old.definition or ""
        if unstaged(settled[_Text(_bare(at.text))].sql) == settled[_Text(_bare(text))].sql:
            view = replace(view, definition=text)
        twins = {settled[_index(i, at)]: i.tail for i in old.indexes if _unmatched(view, old)}
        tails = {i.name: twins.get(settled[_index(i, at)], i.tail) for i in _unmatched(view, old)}
        indexes = tuple(replace(i, tail=tails.get(i.name, i.tail)) for i in view.indexes)
        result[view.name] = replace(view, indexes=indexes)
    return result


def _differs(view: ExpectedView, old: InstalledView) -> bool:
    return view.definition != old.definition or bool(_unmatched(view, old))


def _unmatched(view: ExpectedView, old: InstalledView) -> list[InstalledIndex]:
    """Return the indexes that an installed view has not, by their texts."""
    texts = {(index.unique, index.tail) for index in old.indexes}
    return [index for index in view.indexes if (index.unique, index.tail) not in texts]


def _index(index: InstalledIndex, tried: Tried) -> _Text:
    return _Text(index.tail, tried.at, index.unique)


def _bare(text: str) -> str:
    """Return a SELECT without the semicolon that PostgreSQL writes after it."""
    return text.rstrip().removesuffix(";")


def _settle(
    connection: BaseDatabaseWrapper, cursor: CatalogCursor, texts: Collection[_Text]
) -> dict[_Text, _Text]:
    """Return what each text becomes. One that PostgreSQL refuses stays as it is."""
    settled = {text: text for text in texts}
    pending = dict(settled)
    for _ in range(_ROUNDS):
        now = list(set(pending.values()))
        written: dict[_Text, _Text] = {}
        for start in range(0, len(now), _BATCH):
            written |= _parse(connection, cursor, now[start : start + _BATCH])
        pending = {text: written[was] for text, was in pending.items() if written.get(was, was) != was}
        settled |= pending
    return settled


def _parse(
    connection: BaseDatabaseWrapper, cursor: CatalogCursor, texts: Sequence[_Text]
) -> dict[_Text, _Text]:
    """Parse texts, and return what PostgreSQL writes of each; those that it refuses are left out."""
    schema = f"{PREFIX}_{secrets.token_hex(8)}"
    names = {f"{schema}_{i}": text for i, text in enumerate(texts)}
    creates = [text.create(schema, name) for name, text in names.items()]
    try:
        with transaction.atomic(using=connection.alias):
            send(cursor, [ddl.create_schema(schema), *creates])
            written = fetch(cursor, _WRITTEN, {"names": array(names)})
            transaction.set_rollback(True, using=connection.alias)
    except DatabaseError as error:
        if not is_refusal_of_one(error):
            raise
        if len(texts) == 1:
            return {}
        half = len(texts) // 2
        return _parse(connection, cursor, texts[:half]) | _parse(connection, cursor, texts[half:])
    return {names[name]: names[name].written(text) for name, text in written}
