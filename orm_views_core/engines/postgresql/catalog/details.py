"""Reads what belongs to relations: rules, comments on columns, grants and indexes, all with one query.

Another query makes a digest of everything that belongs to a view, to tell whether anything has changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Grant, InstalledIndex

from . import queries
from .fetch import array, fetch
from .search_path import CatalogCursor, catalog_cursor

_COLUMN_COMMENTS = """
SELECT d.objoid, a.attname, left(d.description, 1000000)
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0 AND d.objoid = ANY(%(oids)s::oid[])
"""

_GRANTS = """
SELECT c.oid, COALESCE(r.rolname, ''), acl.privilege_type, acl.is_grantable
FROM pg_catalog.pg_class c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) acl
LEFT JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
WHERE c.oid = ANY(%(oids)s::oid[]) AND acl.grantee <> c.relowner
"""

# Arrays of text hold rows of any shape. The order within them is that of the indexes.
_DETAILS = f"""
SELECT 'rule', oid, ARRAY[rule]
FROM ({queries.RULES.replace("%(oids)s", "%(viewed)s")}) AS found(oid, rule)
UNION ALL
SELECT 'comment', oid, ARRAY[attribute::text, comment]
FROM ({_COLUMN_COMMENTS}) AS found(oid, attribute, comment)
UNION ALL
SELECT 'grant', oid, ARRAY[role::text, privilege, grantable::text]
FROM ({_GRANTS}) AS found(oid, role, privilege, grantable)
UNION ALL
SELECT 'index', oid, ARRAY[name::text, is_unique::text, definition, is_whole::text, tablespace::text]
FROM ({queries.INDEXES}) AS found(oid, name, is_unique, definition, is_whole, tablespace)
"""

# What somebody may change of a view, and what hangs on it, as one digest of each view. Reading it waits for
# no lock. A refresh, an ANALYZE or a REINDEX changes none of it. The comment of the view itself is left out,
# because a refresh writes its time into it.
_DIGESTS = """
WITH view AS MATERIALIZED (
    SELECT c.*
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm')
      AND (n.nspname = ANY(%(schemas)s::text[]) OR c.oid = ANY(%(oids)s::oid[]))
), part(view, what) AS (
    SELECT v.oid, concat_ws(' ', v.relname, v.relnamespace, v.relowner, v.relkind, v.relpersistence,
                            v.reltablespace, v.relam, v.reloptions, toast.reloptions)
    FROM view v LEFT JOIN pg_catalog.pg_class toast ON toast.oid = v.reltoastrelid
    UNION ALL
    SELECT oid, concat_ws(' ', 'grant', given)
    FROM view, unnest(COALESCE(relacl, pg_catalog.acldefault('r', relowner))) given
    UNION ALL
    SELECT a.attrelid, concat_ws(' ', 'column', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,
                                 a.attstorage, a.attcompression, a.attstattarget, a.attoptions, d.adbin,
                                 pg_catalog.col_description(a.attrelid, a.attnum),
                                 ARRAY(SELECT given::text FROM unnest(a.attacl) given ORDER BY 1))
    FROM view v
    JOIN pg_catalog.pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT r.ev_class, concat_ws(' ', 'rule', r.rulename, r.ev_type, r.ev_enabled, r.is_instead, r.ev_qual,
                                 r.ev_action, pg_catalog.obj_description(r.oid, 'pg_rewrite'))
    FROM view v JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid
    UNION ALL
    SELECT t.tgrelid, concat_ws(' ', 'trigger', pg_catalog.to_jsonb(t),
                                pg_catalog.obj_description(t.oid, 'pg_trigger'))
    FROM view v JOIN pg_catalog.pg_trigger t ON t.tgrelid = v.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT i.indrelid,
           concat_ws(' ', 'index', c.relname, c.reltablespace, c.relam, c.reloptions,
                     pg_catalog.to_jsonb(i)
                     - '{indexrelid,indcheckxmin,indisvalid,indisready,indislive}'::text[],
                     ARRAY(SELECT a.attstattarget FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid ORDER BY a.attnum),
                     pg_catalog.obj_description(c.oid, 'pg_class'))
    FROM view v
    JOIN pg_catalog.pg_index i ON i.indrelid = v.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    UNION ALL
    SELECT s.stxrelid, concat_ws(' ', 'statistics', pg_catalog.to_jsonb(s),
                                 pg_catalog.obj_description(s.oid, 'pg_statistic_ext'))
    FROM view v JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = v.oid
    UNION ALL
    SELECT found.view, concat_ws(' ', 'dependent', d.classid, d.objid, d.objsubid, d.refobjsubid, d.deptype)
    FROM (
        SELECT oid AS view, 'pg_catalog.pg_class'::regclass::oid AS classid, oid AS objid FROM view
        UNION ALL
        SELECT v.oid, 'pg_catalog.pg_type'::regclass::oid, unnest(ARRAY[t.oid, t.typarray])
        FROM view v JOIN pg_catalog.pg_type t ON t.oid = v.reltype
    ) AS found
    JOIN pg_catalog.pg_depend d ON d.refclassid = found.classid AND d.refobjid = found.objid
                               AND d.deptype = 'n'
    UNION ALL
    SELECT v.oid, concat_ws(' ', 'extension', d.refobjid, d.deptype)
    FROM view v
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = v.oid
                               AND d.deptype IN ('e', 'x')
)
SELECT view, md5(string_agg(what, E'\\n' ORDER BY what COLLATE "C")) FROM part GROUP BY view
"""


def read_digests(
    connection: BaseDatabaseWrapper, schemas: Collection[str] = (), *, oids: Collection[int] = ()
) -> dict[int, str]:
    """Return, by oid, a digest of everything that somebody may change of a view, and of what hangs on it.

    Args:
        connection: the database, inside a transaction.
        schemas: read the views in these schemas.
        oids: read these views too.
    """
    with catalog_cursor(connection) as cursor:
        return dict(fetch(cursor, _DIGESTS, {"schemas": array(schemas), "oids": array(oids)}))


def read_details(
    cursor: CatalogCursor, oids: Collection[int], *, views: Collection[int], held: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Return, by oid, values for attributes of ``InstalledView``.

    Args:
        cursor: in a transaction.
        oids: the relations.
        views: those of them whose rules are read.
        held: those of them that another session has locked in ACCESS EXCLUSIVE mode; their indexes have no
            ``tail``.
    """
    params = {"oids": array(oids), "viewed": array(views), "held": array(held)}
    rules: dict[int, str] = {}
    comments: defaultdict[int, dict[str, str]] = defaultdict(dict)
    grants: defaultdict[int, set[Grant]] = defaultdict(set)
    indexes: defaultdict[int, list[InstalledIndex]] = defaultdict(list)
    for kind, oid, values in fetch(cursor, _DETAILS, params):
        if kind == "rule":
            (rules[oid],) = values
        elif kind == "comment":
            column, comment = values
            comments[oid][column] = comment
        elif kind == "grant":
            role, privilege, grantable = values
            grants[oid].add(Grant(role, privilege, grantable == "true"))
        else:
            name, unique, definition, concurrently, tablespace = values
            index = as_index(name, unique == "true", definition, concurrently == "true", tablespace)
            indexes[oid] += [index] if index else []
    return {
        oid: {
            "rule": rules.get(oid),
            "column_comments": comments[oid],
            "grants": frozenset(grants[oid]),
            "indexes": tuple(sorted(indexes[oid], key=lambda index: index.name)),
        }
        for oid in oids
    }


def as_index(
    name: str, unique: bool, definition: str | None, concurrently: bool, tablespace: str
) -> InstalledIndex | None:
    """Return an index, made of a row of ``queries.INDEXES``; None if it was dropped while it was read."""
    if definition is None:
        return None
    return InstalledIndex(name, unique, definition.partition(" USING ")[2], concurrently, tablespace)
