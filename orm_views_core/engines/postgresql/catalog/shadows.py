"""Reads what the search path finds under the names of what views have stored.

PostgreSQL looks a name up when a view is created. A later path, or a relation that is created later, may give
the name another meaning, which Django's queries follow and the view does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from orm_views_core.database.relations import InstalledView, Shadow
from orm_views_core.names import ViewName

from .fetch import array, fetch, group, name_arrays
from .search_path import CatalogCursor

# Of functions and types, pg_depend has those that are not PostgreSQL's own. A view does not find itself under
# the name of the table that it reads.
_SHADOWS = """
WITH path AS MATERIALIZED (
    SELECT p.schema, p.position, n.oid
    FROM unnest(%(path)s::text[]) WITH ORDINALITY AS p (schema, position)
    LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = p.schema
),
planned AS MATERIALIZED (
    SELECT p.position, p.schema, v.name
    FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS v (schema, name) JOIN path p ON p.schema = v.schema
),
used AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS reader, d.refclassid, d.refobjid
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.rulename = '_RETURN' AND r.ev_class = ANY(%(oids)s::oid[]) AND d.refobjid <> r.ev_class
)
SELECT used.reader, 'relation', n.nspname, c.relname, found.schema
FROM used
JOIN pg_catalog.pg_class c ON used.refclassid = 'pg_catalog.pg_class'::regclass AND c.oid = used.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT p.position, p.schema FROM path p
    JOIN pg_catalog.pg_class o ON o.relnamespace = p.oid AND o.relname = c.relname AND o.oid <> used.reader
    UNION ALL
    SELECT p.position, p.schema FROM planned p WHERE p.name = c.relname
    ORDER BY position LIMIT 1
) AS found ON true
WHERE found.schema IS DISTINCT FROM n.nspname::text
UNION ALL
SELECT used.reader, 'function', n.nspname, f.proname, found.schema
FROM used
JOIN pg_catalog.pg_proc f ON used.refclassid = 'pg_catalog.pg_proc'::regclass AND f.oid = used.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
LEFT JOIN LATERAL (
    SELECT p.schema FROM path p
    JOIN pg_catalog.pg_proc o
      ON o.pronamespace = p.oid AND o.proname = f.proname AND o.proargtypes = f.proargtypes
    ORDER BY p.position LIMIT 1
) AS found ON true
WHERE found.schema IS DISTINCT FROM n.nspname::text
UNION ALL
SELECT used.reader, 'type', n.nspname, COALESCE(e.typname, t.typname), found.schema
FROM used
JOIN pg_catalog.pg_type t ON used.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = used.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN LATERAL (
    SELECT p.schema FROM path p
    JOIN pg_catalog.pg_type o ON o.typnamespace = p.oid AND o.typname = t.typname
    ORDER BY p.position LIMIT 1
) AS found ON true
WHERE found.schema IS DISTINCT FROM n.nspname::text
ORDER BY 1, 2, 3, 4
"""


def read_shadows(
    cursor: CatalogCursor,
    relations: Mapping[ViewName, InstalledView],
    path: Sequence[str],
    registered: Collection[ViewName],
) -> dict[ViewName, InstalledView]:
    """Return the views that have ``shadows``, with them. One query reads those of all views.

    Args:
        relations: what the database contains.
        path: the schemas in which unqualified names are looked up.
        registered: the registered views; those that do not exist yet will be found along the path too.
    """
    views = {
        view.oid: view for name in registered if (view := relations.get(name)) and view.kind and view.state
    }
    if not views:
        return {}
    params = {
        "path": array(path if "pg_catalog" in path else ("pg_catalog", *path)),
        "oids": array(views),
        **name_arrays([name for name in registered if name not in relations]),
    }
    rows = fetch(cursor, _SHADOWS, params)
    shadows = group(
        (oid, Shadow(kind, ViewName(schema, name), found)) for oid, kind, schema, name, found in rows
    )
    return {views[oid].name: replace(views[oid], shadows=tuple(found)) for oid, found in shadows.items()}
