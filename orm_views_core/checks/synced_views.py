"""Reads the catalogs for the checks: the views that a sync has left as their classes still declare them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Column
from orm_views_core.database.sync_state import split_comment
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.fetch import array, asked, fetch
from orm_views_core.engines.postgresql.catalog.introspection import canonical_names, read_columns
from orm_views_core.engines.postgresql.catalog.types import read_named_types
from orm_views_core.names import ViewKind, ViewName, declared
from orm_views_core.sql.types import NamedType

_VIEWS = """
SELECT n.nspname, c.relname, c.oid, c.relispopulated, c.reltuples,
       pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
  AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# The columns of the unique indexes.
_UNIQUE = """
SELECT i.indrelid, ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[:i.indnkeyatts - 1]))
FROM pg_catalog.pg_index i
WHERE i.indrelid = ANY(%(oids)s::oid[])
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
"""

# pg_relation_is_updatable() opens the view. It would wait for an ACCESS EXCLUSIVE lock of another session, so
# views with such a lock are left out.
_WRITABLE = """
SELECT c.oid, pg_catalog.pg_relation_is_updatable(c.oid, true)
FROM pg_catalog.pg_class c
WHERE c.oid = ANY(%(oids)s::oid[]) AND c.oid NOT IN (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
"""

#: The bits of ``pg_relation_is_updatable()``: two to the power of PostgreSQL's number of the command.
_COMMANDS = {"INSERT": 1 << 3, "UPDATE": 1 << 2, "DELETE": 1 << 4}


@dataclass(frozen=True)
class SyncedView:
    """An installed view that its class has not changed since the last sync, and what PostgreSQL knows of it.

    Attributes:
        populated: whether it can be read.
        rows: the planner's estimate; None unless it is a materialised view that was analysed.
        unique: sets of columns that a unique index keeps unique, NULLs aside.
        refused: the commands that PostgreSQL refuses on an ``updatable`` view; empty for any other view, and
            for one that another session locks.
        named_types: the domains and enums among the types of columns and fields.
    """

    definition: ViewDefinition
    columns: tuple[Column, ...]
    populated: bool
    rows: int | None
    unique: tuple[frozenset[str], ...]
    refused: tuple[str, ...]
    named_types: Mapping[str, NamedType] = field(default_factory=dict)

    @property
    def view(self) -> Any:
        """The class. It is a model if the view is readable."""
        return self.definition.view

    @property
    def fields(self) -> list[Any]:
        """The fields of a readable view that read a column."""
        return _fields(self.definition)

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in their order."""
        return [column.name for column in self.columns]


class _Row(NamedTuple):
    """A row of _VIEWS."""

    schema: str
    name: str
    oid: int
    populated: bool
    rows: float
    comment: str


def read_synced_views(
    connection: BaseDatabaseWrapper, definitions: Collection[ViewDefinition]
) -> list[SyncedView]:
    """Read the views whose classes have not changed since the last sync.

    The next sync will change the columns of all other views. The number of queries does not depend on the
    number of views.
    """
    by_name = {definition.name: definition for definition in definitions}
    if not by_name:
        return []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor, canonical_names(cursor):
        rows = [_Row(*row) for row in fetch(cursor, _VIEWS, asked(list(by_name)))]
        found = [(by_name[ViewName(row.schema, row.name)], row) for row in rows]
        found = [(definition, row) for definition, row in found if _is_synced(definition, row)]
        oids = [row.oid for _, row in found]
        columns = read_columns(cursor, oids)
        texts = {column.type for several in columns.values() for column in several}
        texts |= {field.db_type(connection) or "" for definition, _ in found for field in _fields(definition)}
        named = read_named_types(cursor, texts - {""})
        unique: defaultdict[int, list[frozenset[str]]] = defaultdict(list)
        for oid, names in fetch(cursor, _UNIQUE, {"oids": array(oids)}):
            unique[oid].append(frozenset(names))
        refused = _read_refused(cursor, [row.oid for definition, row in found if _is_updatable(definition)])
    return [
        SyncedView(
            definition=definition,
            columns=tuple(columns.get(row.oid, ())),
            populated=row.populated,
            rows=int(row.rows) if definition.kind is ViewKind.MATERIALISED_VIEW and row.rows >= 0 else None,
            unique=tuple(unique[row.oid]),
            refused=refused.get(row.oid, ()),
            named_types=named,
        )
        for definition, row in found
    ]


def _is_synced(definition: ViewDefinition, row: _Row) -> bool:
    state = split_comment(row.comment)[1]
    return state is not None and state.code == definition.fingerprint


def _is_updatable(definition: ViewDefinition) -> bool:
    return definition.view is not None and bool(declared(definition.view, "updatable", False))


def _fields(definition: ViewDefinition) -> list[Any]:
    view: Any = definition.view
    return list(view._meta.local_concrete_fields) if definition.is_readable else []


def _read_refused(cursor: CursorWrapper, oids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the commands that PostgreSQL refuses on some views, by oid."""
    if not oids:
        return {}
    rows = fetch(cursor, _WRITABLE, {"oids": array(oids)})
    return {oid: tuple(word for word, bit in _COMMANDS.items() if not bits & bit) for oid, bits in rows}
