"""Reads the catalogs for the checks: the views that a sync has left as their classes still declare them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Column, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.postgresql.catalog.fetch import array, fetch, group
from orm_views_core.engines.postgresql.catalog.introspection import read_again, read_columns
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_cursor
from orm_views_core.engines.postgresql.catalog.types import read_named_types
from orm_views_core.sql.types import NamedType
from orm_views_core.views.options import ViewOptions

# The columns that PostgreSQL keeps unique: those of unique indexes without a condition or an expression.
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
    """A view whose class has not changed since the last sync, and what PostgreSQL knows of it.

    Attributes:
        unique: sets of columns that a unique index keeps unique, NULLs aside.
        refused: the commands that PostgreSQL refuses on an ``updatable`` view; empty for any other view, and
            for one that another session locks.
        named_types: the domains and enums among the types of columns and fields.
    """

    definition: ViewDefinition
    installed: InstalledView
    columns: tuple[Column, ...]
    unique: tuple[frozenset[str], ...]
    refused: tuple[str, ...]
    named_types: Mapping[str, NamedType]

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


def read_registered_views(
    connection: BaseDatabaseWrapper, definitions: Collection[ViewDefinition]
) -> list[tuple[ViewDefinition, InstalledView]]:
    """Read the registered views that are in the database, each with its definition."""
    by_name = {definition.name: definition for definition in definitions}
    if not by_name:
        return []
    with catalog_cursor(connection) as cursor:
        found = read_again(cursor, list(by_name))
    return [(by_name[name], view) for name, view in found.items() if view.kind is not None]


def read_synced_views(
    connection: BaseDatabaseWrapper, views: Collection[tuple[ViewDefinition, InstalledView]]
) -> list[SyncedView]:
    """Read more of those views whose classes have not changed since the last sync.

    The next sync will change the columns of all other views. The number of queries does not depend on the
    number of views.
    """
    synced = [(d, view) for d, view in views if view.state and view.state.code == d.fingerprint]
    if not synced:
        return []
    with catalog_cursor(connection) as cursor:
        oids = [view.oid for _, view in synced]
        columns = read_columns(cursor, oids)
        texts = {column.type for several in columns.values() for column in several}
        texts |= {field.db_type(connection) or "" for d, _ in synced for field in _fields(d)}
        named = read_named_types(cursor, texts - {""})
        unique: dict[int, list[list[str]]] = group(fetch(cursor, _UNIQUE, {"oids": array(oids)}))
        refused = _read_refused(cursor, [view.oid for d, view in synced if _is_updatable(d)])
    return [
        SyncedView(
            definition=definition,
            installed=view,
            columns=tuple(columns.get(view.oid, ())),
            unique=tuple(map(frozenset, unique.get(view.oid, ()))),
            refused=refused.get(view.oid, ()),
            named_types=named,
        )
        for definition, view in synced
    ]


def read_plain_views(
    connection: BaseDatabaseWrapper, engine: PlainEngine, definitions: Definitions
) -> list[SyncedView]:
    """Read those views of an engine without PostgreSQL's catalogs whose classes have not changed since."""
    with engine.planning(connection):
        there = engine.read_catalog(connection, definitions).catalog.relations
        pairs = [(d, there[name]) for name, d in definitions.views.items() if name in there]
        synced = [(d, view) for d, view in pairs if view.state and view.state.code == d.fingerprint]
        columns = engine.read_columns(connection, [view.name for _, view in synced])
    return [
        SyncedView(definition, view, columns[view.name], (), (), {})
        for definition, view in synced
        if view.name in columns
    ]


def _is_updatable(definition: ViewDefinition) -> bool:
    return definition.view is not None and ViewOptions(definition.view).updatable


def _fields(definition: ViewDefinition) -> list[Any]:
    view: Any = definition.view
    return list(view._meta.local_concrete_fields) if definition.is_readable else []


def _read_refused(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the commands that PostgreSQL refuses on some views, by oid."""
    if not oids:
        return {}
    rows = fetch(cursor, _WRITABLE, {"oids": array(oids)})
    return {oid: tuple(word for word, bit in _COMMANDS.items() if not bits & bit) for oid, bits in rows}
