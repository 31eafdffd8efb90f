"""Reads what stand-ins need to know: the columns of views, and functions that no stand-in uses any more."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch, group
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_cursor

from .sql import ROWS, StandInColumn

_COLUMNS = """
SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> t.typcollation
            THEN quote_ident(n.nspname) || '.' || quote_ident(co.collname) ELSE '' END,
       a.atttypid = ANY(%(types)s::oid[])
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = co.collnamespace
WHERE a.attrelid = ANY(%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
_COLLATIONS = """
SELECT current_setting('server_version_num')::int >= 150000 OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_attribute
    WHERE attrelid = %(oid)s::oid AND attnum > 0 AND NOT attisdropped AND attcollation <> 0)
"""
# Whatever others call so is theirs.
_UNUSED = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, p.proname)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_roles r ON r.oid = p.proowner AND r.rolname = current_user
WHERE p.proname ~ %(pattern)s AND p.pronargs = 0 AND p.prorettype = 'pg_catalog.record'::regtype
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = p.oid)
"""


def read_stand_in_columns(
    cursor: CatalogCursor, oids: Collection[int], gone_types: Collection[int]
) -> dict[int, list[StandInColumn]]:
    """Return the columns of some views, by the view's oid.

    Args:
        cursor: a cursor.
        oids: the views.
        gone_types: the oids of types that end with their tables.
    """
    rows = fetch(cursor, _COLUMNS, {"oids": array(oids), "types": array(gone_types)})
    return group((oid, StandInColumn(*column)) for oid, *column in rows)


def replaces_collations(cursor: CatalogCursor, oid: int) -> bool:
    """Return whether CREATE OR REPLACE VIEW tells when it would change the collation of a column of a view.

    PostgreSQL 14 does not, and leaves the columns with the collations that they had.
    """
    rows = fetch(cursor, _COLLATIONS, {"oid": oid})
    return bool(rows[0][0])


def drop_unused_functions(connection: BaseDatabaseWrapper) -> None:
    """Drop the functions that stand-ins got their rows from and that no stand-in uses any more."""
    with catalog_cursor(connection) as cursor:
        for (function,) in fetch(cursor, _UNUSED, {"pattern": f"^{ROWS}[0-9]+$"}):
            cursor.execute(f"DROP FUNCTION {function}()")
