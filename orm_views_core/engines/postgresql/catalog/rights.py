"""Reads whose rights are missing to compute the rows of materialised views.

REFRESH runs as the owner of the view. A plain view that it reads is read with the rights of the owner of that
view, unless it is a security_invoker.
https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from orm_views_core.database.ownership import Closed
from orm_views_core.names import ViewName

from .fetch import array, fetch, name_arrays
from .search_path import CatalogCursor

#: Whether a row of pg_class is a view that is read with the rights of its readers. The option may be written
#: as true, on, yes or 1.
IS_INVOKER = """EXISTS (SELECT FROM pg_catalog.pg_options_to_table({}.reloptions)
        WHERE option_name = 'security_invoker' AND option_value::pg_catalog.bool)"""

_CLOSED = f"""
WITH RECURSIVE reads AS (
    SELECT c.oid AS view, c.oid AS relation, c.relowner AS role
    FROM pg_catalog.pg_class c WHERE c.oid = ANY(%(oids)s::oid[]) AND c.relkind = 'm'
    UNION
    SELECT reads.view, d.refobjid,
           CASE WHEN v.relkind = 'm' OR {IS_INVOKER.format("v")} THEN reads.role
                ELSE v.relowner END
    FROM reads
    JOIN pg_catalog.pg_class v ON v.oid = reads.relation
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.rulename = '_RETURN'
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid
    WHERE v.relkind = 'v' OR v.oid = reads.view
)
SELECT DISTINCT reads.view, pg_catalog.pg_get_userbyid(reads.role), n.nspname, c.relname
FROM reads
JOIN pg_catalog.pg_class c ON c.oid = reads.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE reads.relation <> reads.view AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND NOT pg_catalog.has_any_column_privilege(reads.role, reads.relation, 'SELECT')
ORDER BY 1, 2, 3, 4
"""

# A view is read with the rights of its owner, whoever reads it. A security_invoker is read with the reader's
# rights, and readers differ. PostgreSQL checks the rights to each column that the SELECT mentions, used or
# not, and records a dependency on each. A dependency on the relation as a whole may be a regclass constant.
_CLOSED_VIEWS = f"""
SELECT DISTINCT vn.nspname, v.relname, pg_catalog.pg_get_userbyid(v.relowner), n.nspname, c.relname
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted(schema, name)
JOIN pg_catalog.pg_namespace vn ON vn.nspname = wanted.schema
JOIN pg_catalog.pg_class v ON v.relnamespace = vn.oid AND v.relname = wanted.name AND v.relkind = 'v'
JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.rulename = '_RETURN'
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid
                           AND d.refobjsubid > 0
JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT {IS_INVOKER.format("v")}
  AND NOT pg_catalog.has_column_privilege(v.relowner, c.oid, d.refobjsubid::smallint, 'SELECT')
ORDER BY 1, 2, 3, 4, 5
"""

# PostgreSQL 17 has the privilege MAINTAIN; earlier releases do not know the word.
MAY_REFRESH = """(pg_catalog.pg_has_role(c.relowner, 'USAGE')
        OR CASE WHEN current_setting('server_version_num')::int >= 170000
                THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') ELSE false END)"""

_REFUSED = f"""
SELECT c.oid, pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_class c WHERE c.oid = ANY(%(oids)s::oid[]) AND NOT {MAY_REFRESH}
"""


def read_closed(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, tuple[Closed, ...]]:
    """Return what keeps the rows of materialised views from being computed, by the view's oid."""
    found: defaultdict[int, list[Closed]] = defaultdict(list)
    for oid, role, schema, name in fetch(cursor, _CLOSED, {"oids": array(oids)}) if oids else ():
        found[oid].append(Closed(role, ViewName(schema, name)))
    return {oid: tuple(closed) for oid, closed in found.items()}


def read_closed_views(
    cursor: CatalogCursor, names: Collection[ViewName]
) -> dict[ViewName, tuple[Closed, ...]]:
    """Return what keeps plain views from being read by anybody: what they read, and their owners may not."""
    found: defaultdict[ViewName, list[Closed]] = defaultdict(list)
    rows = fetch(cursor, _CLOSED_VIEWS, name_arrays(names)) if names else ()
    for view_schema, view, role, schema, name in rows:
        found[ViewName(view_schema, view)].append(Closed(role, ViewName(schema, name)))
    return {name: tuple(closed) for name, closed in found.items()}


def read_refused(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, str]:
    """Return the owners of those materialised views that our role may not refresh, by the view's oid."""
    return dict(fetch(cursor, _REFUSED, {"oids": array(oids)})) if oids else {}
