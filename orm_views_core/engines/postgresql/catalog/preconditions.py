"""Reads what could make a plan fail: names that are taken, and relations that our role may not read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.names_in_use import ArrayType, Taken
from orm_views_core.database.relations import InstalledView
from orm_views_core.names import ViewName

from . import queries
from .fetch import array, fetch, name_arrays
from .rights import IS_INVOKER
from .search_path import catalog_cursor

# The views that are members of an extension.
_EXTENSIONS = """
SELECT d.objid, e.extname
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e' AND d.objid = ANY(%(oids)s::oid[])
"""


def read_extensions(connection: BaseDatabaseWrapper, views: Iterable[InstalledView]) -> dict[ViewName, str]:
    """Return those of some views that belong to an extension, each with the extension's name."""
    names = {view.oid: view.name for view in views}
    if not names:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _EXTENSIONS, {"oids": array(names)})
    return {names[oid]: extension for oid, extension in rows}


_OIDS = """
SELECT n.nspname, c.relname, c.oid
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""


def read_oids(connection: BaseDatabaseWrapper, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the oids that relations of some names have now."""
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _OIDS, name_arrays(names))
    return {ViewName(schema, name): oid for schema, name, oid in rows}


def read_taken(connection: BaseDatabaseWrapper, names: Collection[ViewName]) -> dict[ViewName, Taken]:
    """Return those of some names, of views or of indexes, that exist already, and what has each of them."""
    if not names:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.TAKEN, name_arrays(names))
    return {
        ViewName(schema, name): Taken(what, ViewName(table_schema, table) if table else None)
        for schema, name, what, table_schema, table in rows
    }


# The array type of a relation has the relation's name behind an underscore, cut to the length of a name.
# https://www.postgresql.org/docs/current/sql-createtype.html
_ARRAY_TYPES = """
SELECT n.nspname, asked.name, concat('_', asked.name)::name, t.oid IS NOT NULL, c.relname
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
LEFT JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = concat('_', asked.name)::name
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
LEFT JOIN pg_catalog.pg_class c ON c.oid = COALESCE(NULLIF(t.typrelid, 0), e.typrelid)
"""


def read_array_types(
    connection: BaseDatabaseWrapper, names: Collection[ViewName]
) -> dict[ViewName, ArrayType]:
    """Return the types for arrays of the rows of those views whose schemas exist."""
    if not names:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _ARRAY_TYPES, name_arrays(names))
    return {
        ViewName(schema, view): ArrayType(name, is_taken, ViewName(schema, of) if of else None)
        for schema, view, name, is_taken, of in rows
    }


def read_schemas(connection: BaseDatabaseWrapper, prefix: str) -> list[str]:
    """Return the names of the schemas whose names begin with a prefix."""
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.SCHEMAS_BY_PREFIX, {"prefix": prefix})
    return [name for (name,) in rows]


# A superuser may read everything.
_OWN_ROLE = "SELECT rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"

# The relations that some plain views of ours read and that our role may not read. PostgreSQL checks this only
# when a view is read.
_UNREADABLE = f"""
SELECT n.nspname, c.relname, read_schema.nspname, read.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_catalog.pg_class read
  ON d.refclassid = 'pg_catalog.pg_class'::regclass AND read.oid = d.refobjid AND read.oid <> c.oid
JOIN pg_catalog.pg_namespace read_schema ON read_schema.oid = read.relnamespace
WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
  AND NOT {IS_INVOKER.format("c")}
  AND NOT pg_catalog.has_any_column_privilege(read.oid, 'SELECT')
"""


def read_unreadable(
    connection: BaseDatabaseWrapper, names: Collection[ViewName]
) -> tuple[str, dict[ViewName, list[ViewName]]]:
    """Return our role, and the relations that some plain views of ours read and our role may not read."""
    if not names:
        return "", {}
    unreadable: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    with catalog_cursor(connection) as cursor:
        ((role, is_superuser),) = fetch(cursor, _OWN_ROLE, {})
        rows = [] if is_superuser else fetch(cursor, _UNREADABLE, name_arrays(names))
    for schema, name, read_schema, read in rows:
        unreadable[ViewName(schema, name)].append(ViewName(read_schema, read))
    return role, unreadable
