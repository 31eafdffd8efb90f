"""Reads the relations that names stand for, with their columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch, name_arrays
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.names import ViewName

_KINDS = "c.relkind IN ('r', 'p', 'f', 'v', 'm')"
_SYSTEM = "n.nspname IN ('pg_catalog', 'information_schema')"

_NAMED = f"""
SELECT asked.number::int, found.nspname, found.relname, found.relkind::text, found.is_system,
       rn.nspname, rc.relname, found.columns
FROM unnest(%(schemas)s::text[], %(names)s::text[]) WITH ORDINALITY AS asked(schema, name, number)
CROSS JOIN LATERAL (
    SELECT n.nspname, c.relname, c.relkind, {_SYSTEM} AS is_system,
           CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::oid END AS root,
           ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = asked.name AND {_KINDS}
      AND (n.nspname = asked.schema OR asked.schema = '' AND n.nspname = ANY(%(path)s::text[]))
    ORDER BY pg_catalog.array_position(%(path)s::text[], n.nspname::text) LIMIT 1
) found
LEFT JOIN pg_catalog.pg_class rc ON rc.oid = found.root
LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
"""

_ALL = f"""
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {_KINDS} AND NOT {_SYSTEM} AND n.nspname NOT LIKE 'pg\\_%%' AND NOT c.relispartition
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class NamedRelation:
    """A relation that a name stands for.

    Attributes:
        name: its full name.
        is_view: whether it is a view or a materialised view.
        is_system: whether it is in a schema of PostgreSQL itself.
        root: the partitioned table that it is a partition of; None when it is none.
        columns: the names of its columns, in their order.
    """

    name: ViewName
    is_view: bool
    is_system: bool
    root: ViewName | None
    columns: tuple[str, ...]


def read_named(
    cursor: CatalogCursor, names: Collection[ViewName], path: Iterable[str]
) -> dict[ViewName, NamedRelation]:
    """Return the tables and views that names stand for, as far as there are any.

    Args:
        cursor: sends the query.
        names: the names; those without a schema are looked up along the path.
        path: the schemas of the project's search path that exist.
    """
    asked = list(names)
    params = {**name_arrays(asked), "path": array(path)}
    return {
        asked[number - 1]: NamedRelation(
            ViewName(schema, name),
            kind in {"v", "m"},
            is_system,
            ViewName(root_schema, root) if root else None,
            tuple(columns),
        )
        for number, schema, name, kind, is_system, root_schema, root, columns in fetch(cursor, _NAMED, params)
    }


def read_all_named(cursor: CatalogCursor) -> list[ViewName]:
    """Return the names of all tables and views but partitions and those of PostgreSQL itself."""
    return [ViewName(schema, name) for schema, name in fetch(cursor, _ALL, {})]
