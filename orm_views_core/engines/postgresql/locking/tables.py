"""Locks on tables that migrations change."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName

# Children change with their table. A foreign key that ends takes triggers from the table that it refers to.
# Only tables that we may lock: PostgreSQL refuses the rest when a migration changes them.
_TABLES = """
WITH RECURSIVE named AS MATERIALIZED (
    SELECT c.oid, a.mode
    FROM unnest(%(schemas)s::text[], %(names)s::text[], %(modes)s::text[]) AS a(schema, name, mode)
    JOIN pg_catalog.pg_namespace n ON n.nspname = a.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = a.name AND c.relkind IN ('r', 'p')
), tree AS (
    SELECT oid, mode FROM named
    UNION
    SELECT i.inhrelid, t.mode FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
), concerned(oid, is_exclusive) AS (
    SELECT oid, mode <> 'shared' FROM tree
    UNION ALL
    SELECT k.confrelid, true
    FROM tree t JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.conrelid = t.oid
    WHERE t.mode = 'losing'
)
SELECT c.oid, n.nspname, c.relname, bool_or(concerned.is_exclusive)
FROM concerned
JOIN pg_catalog.pg_class c ON c.oid = concerned.oid AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY c.oid, n.nspname, c.relname
ORDER BY c.oid
"""


# The lock of a view is that of ALTER … SET SCHEMA, which needs CREATE on the schema.
_WRITABLE = """
SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname = ANY(%(schemas)s::text[]) AND pg_catalog.has_schema_privilege(oid, 'CREATE')
"""


class LockedTable(NamedTuple):
    """A table to lock: against readers too, or against writers only."""

    oid: int
    name: ViewName
    is_exclusive: bool


def read_tables(
    connection: BaseDatabaseWrapper,
    *,
    exclusive: Collection[ViewName],
    shared: Collection[ViewName],
    losing: Collection[ViewName],
) -> list[LockedTable]:
    """Return the tables to lock for migrations, as far as they exist.

    Args:
        connection: the database.
        exclusive: the tables that are altered.
        shared: the tables that get an index, or that a new foreign key refers to.
        losing: the tables that lose columns or constraints, or are dropped.
    """
    modes = {"exclusive": exclusive, "shared": shared, "losing": losing}
    asked = [(name, mode) for mode, names in modes.items() for name in names]
    if not asked:
        return []
    with catalog_cursor(connection) as cursor:
        params = {
            "schemas": array(name.schema for name, _ in asked),
            "names": array(name.name for name, _ in asked),
            "modes": array(mode for _, mode in asked),
        }
        rows = fetch(cursor, _TABLES, params)
    return [LockedTable(oid, ViewName(schema, name), is_all) for oid, schema, name, is_all in rows]


def read_writable(connection: BaseDatabaseWrapper, schemas: Collection[str]) -> set[str]:
    """Return those of some schemas in which our role may create objects. Temporary ones are left out."""
    with catalog_cursor(connection) as cursor:
        found = fetch(cursor, _WRITABLE, {"schemas": array(schemas)})
    return {schema for (schema,) in found if not schema.startswith("pg_temp_")}


def lock_tables(tables: Collection[LockedTable]) -> list[str]:
    """Return the statements that lock tables. ONLY, because their children are among them."""
    return [
        f"LOCK TABLE ONLY {t.name.quoted} IN {'ACCESS' if t.is_exclusive else 'SHARE ROW'} EXCLUSIVE MODE"
        for t in tables
    ]
