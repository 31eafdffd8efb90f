"""Which views stand against an alteration: PostgreSQL would refuse it, or drop them with CASCADE."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch, name_arrays
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor, read_search_path
from orm_views_core.names import ViewName
from orm_views_core.sql.alterations import Alteration

# The relations that alterations are of. A name without a schema is looked up along the path. The type of a
# column changes in the children of its table too, and so does its being there.
_NAMED = """
WITH RECURSIVE asked AS MATERIALIZED (
    SELECT number, schema, name, what, part
    FROM unnest(%(schemas)s::text[], %(names)s::text[], %(whats)s::text[], %(parts)s::text[])
         WITH ORDINALITY AS a(schema, name, what, part, number)
), named AS MATERIALIZED (
    SELECT a.number, a.what, a.part, found.oid, found.reltype
    FROM asked a
    CROSS JOIN LATERAL (
        SELECT c.oid, c.reltype
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = a.name AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
          AND (n.nspname = a.schema OR a.schema = '' AND n.nspname = ANY(%(path)s::text[]))
        ORDER BY array_position(%(path)s::text[], n.nspname::text) LIMIT 1
    ) found
), target AS (
    SELECT number, what, part, oid, reltype FROM named
    UNION
    SELECT t.number, t.what, t.part, i.inhrelid, c.reltype
    FROM target t
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE t.what IN ('type', 'column')
)"""
# A view depends on a constraint if it is grouped by a key and has other columns of the table. It depends on
# the row type of a table if a column of its own has that type, also when it reads the table through a view.
_STANDING = f"""{_NAMED}, part AS MATERIALIZED (
    SELECT t.number, t.oid, a.attnum
    FROM target t
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attname = t.part AND NOT a.attisdropped
    WHERE t.what IN ('type', 'column')
), referred(number, classid, objid, objsubid) AS MATERIALIZED (
    SELECT number, 'pg_catalog.pg_class'::regclass, oid, attnum::int FROM part
    UNION ALL
    SELECT number, 'pg_catalog.pg_class'::regclass, oid, NULL FROM target WHERE what = 'relation'
    UNION ALL
    SELECT t.number, 'pg_catalog.pg_type'::regclass, unnest(ARRAY[ty.oid, ty.typarray]), NULL
    FROM target t JOIN pg_catalog.pg_type ty ON ty.oid = t.reltype
    WHERE t.what = 'relation'
    UNION ALL
    SELECT t.number, 'pg_catalog.pg_constraint'::regclass, k.oid, NULL
    FROM target t
    JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid
    WHERE t.what = 'relation' OR t.what = 'constraint' AND k.conname = t.part
       OR EXISTS (SELECT FROM part p
                  WHERE p.number = t.number AND p.oid = t.oid AND p.attnum = ANY(k.conkey))
)
SELECT DISTINCT referred.number::int, n.nspname, c.relname, referred.classid = 'pg_catalog.pg_type'::regclass
FROM referred
JOIN pg_catalog.pg_depend d ON d.refclassid = referred.classid AND d.refobjid = referred.objid
                           AND (referred.objsubid IS NULL OR d.refobjsubid = referred.objsubid)
LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
                                 AND r.rulename = '_RETURN'
JOIN pg_catalog.pg_class c ON c.relkind IN ('v', 'm') AND c.oid <> referred.objid
 AND c.oid = CASE WHEN d.classid = 'pg_catalog.pg_class'::regclass THEN d.objid ELSE r.ev_class END
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2, 3
"""
_TYPES = f"""{_NAMED}
SELECT unnest(ARRAY[ty.oid, ty.typarray])
FROM target t JOIN pg_catalog.pg_type ty ON ty.oid = t.reltype WHERE t.what = 'relation'
"""
_RESOLVED = f"""{_NAMED}
SELECT named.number::int, named.oid, n.nspname, c.relname
FROM named
JOIN pg_catalog.pg_class c ON c.oid = named.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
"""
# PostgreSQL describes objects along the search path of the statement that it refused. So this is sent along
# the same path, and qualifies what it calls.
_DESCRIBED = """
SELECT n.nspname, c.relname,
       pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0),
       pg_catalog.pg_describe_object('pg_catalog.pg_rewrite'::pg_catalog.regclass, r.oid, 0)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
JOIN pg_catalog.pg_rewrite r ON r.ev_class OPERATOR(pg_catalog.=) c.oid
                            AND r.rulename OPERATOR(pg_catalog.=) '_RETURN'
WHERE c.relkind OPERATOR(pg_catalog.=) ANY('{v,m}'::pg_catalog."char"[])
  AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
"""
# The columns that some views read, with those views; what a refused statement was about is one of them.
_COLUMNS_READ = """
SELECT DISTINCT tn.nspname, t.relname, a.attname
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid AND t.oid <> c.oid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
"""
# The types of the columns of some views that are not PostgreSQL's own.
_MADE_TYPES = """
SELECT DISTINCT a.atttypid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE a.atttypid >= 16384
"""
_VIEWS = """
SELECT n.nspname, c.relname, c.oid
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.oid >= 16384
"""


class Standing(NamedTuple):
    """The views that stand against some alterations.

    Attributes:
        views: each with the first of those alterations.
        gone_types: the oids of the types of rows, and of arrays of rows, that end with their tables.
    """

    views: dict[ViewName, Alteration]
    gone_types: frozenset[int] = frozenset()


def read_standing(connection: BaseDatabaseWrapper, alterations: Sequence[Alteration]) -> Standing:
    """Return the views that stand against some alterations. Relations that do not exist have none."""
    if not alterations:
        return Standing({})
    with catalog_cursor(connection) as cursor:
        params = _params(connection, alterations)
        rows = fetch(cursor, _STANDING, params)
        has_types = any(is_of_type for *_, is_of_type in rows)
        types = frozenset(oid for (oid,) in fetch(cursor, _TYPES, params)) if has_types else frozenset()
    views: dict[ViewName, Alteration] = {}
    for number, schema, name, _ in rows:
        views.setdefault(ViewName(schema, name), alterations[number - 1])
    return Standing(views, types)


def read_each_standing(
    connection: BaseDatabaseWrapper, alterations: Sequence[Alteration]
) -> list[list[ViewName]]:
    """Return the views that stand against each of some alterations, in the order of these."""
    found: list[list[ViewName]] = [[] for _ in alterations]
    if alterations:
        with catalog_cursor(connection) as cursor:
            for number, schema, name, _ in fetch(cursor, _STANDING, _params(connection, alterations)):
                found[number - 1].append(ViewName(schema, name))
    return found


def resolve(connection: BaseDatabaseWrapper, relations: Sequence[ViewName]) -> dict[ViewName, ViewName]:
    """Return the full names of relations, of which some have no schema, as far as they exist."""
    if not relations:
        return {}
    asked = [Alteration(relation, "relation") for relation in relations]
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _RESOLVED, _params(connection, asked))
    return {relations[number - 1]: ViewName(schema, name) for number, _, schema, name in rows}


def _params(connection: BaseDatabaseWrapper, alterations: Sequence[Alteration]) -> dict[str, str]:
    _, path = read_search_path(connection)
    return {
        "schemas": array(each.relation.schema for each in alterations),
        "names": array(each.relation.name for each in alterations),
        "whats": array(each.what for each in alterations),
        "parts": array(each.name for each in alterations),
        "path": array(path),
    }


def find_described(cursor: CursorWrapper, detail: str) -> list[ViewName]:
    """Return the views that the DETAIL of an error describes, in whatever language.

    Args:
        cursor: has the search path that the refused statement had.
        detail: PostgreSQL's DETAIL.
    """
    cursor.execute(_DESCRIBED)
    return [
        ViewName(schema, name)
        for schema, name, *descriptions in cursor.fetchall()
        if any(_has(detail, description) for description in descriptions)
    ]


def _has(detail: str, description: str) -> bool:
    """Return whether a text has a description that is not the beginning of a longer one."""
    start = detail.find(description)
    while start >= 0:
        following = detail[start + len(description) :][:1]
        if not (following.isalnum() or following in {"_", "$", ".", '"'}):
            return True
        start = detail.find(description, start + 1)
    return False


def read_columns_in(
    connection: BaseDatabaseWrapper, views: Collection[ViewName], detail: str
) -> list[Alteration]:
    """Return the columns that some views read and whose names the DETAIL of an error has."""
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _COLUMNS_READ, name_arrays(views))
    return [
        Alteration(ViewName(schema, t), "column", column) for schema, t, column in rows if column in detail
    ]


def read_all_views(connection: BaseDatabaseWrapper) -> dict[ViewName, int]:
    """Return the oids of all views of the database, those of PostgreSQL left out."""
    with catalog_cursor(connection) as cursor:
        return {ViewName(schema, name): oid for schema, name, oid in fetch(cursor, _VIEWS, {})}


def read_made_types(connection: BaseDatabaseWrapper, views: Collection[ViewName]) -> set[int]:
    """Return the oids of the types that columns of some views have and that are not PostgreSQL's own."""
    with catalog_cursor(connection) as cursor:
        return {oid for (oid,) in fetch(cursor, _MADE_TYPES, name_arrays(views))}
