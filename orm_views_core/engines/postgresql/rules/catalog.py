"""Reads the stored rules of views from the catalogs, and what is needed to follow them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.names import ViewName

from .sources import Functions
from .stored import FIRST_USER_OID, Stored, StoredRelation, StoredRule

# All views but PostgreSQL's own, those of temporary schemas among them.
_VIEWS = """
SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""

_NAMED = """
SELECT c.oid FROM unnest(%(schemas)s::name[], %(names)s::name[]) AS named (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = named.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named.name AND c.relkind IN ('v', 'm')
"""

# The rules of views, and of the views that they read. What belongs to PostgreSQL itself has no row in
# pg_depend, so _OF_RULES finds those in the rules.
_RULES = """
WITH RECURSIVE views AS (
    SELECT unnest(%(oids)s::oid[]) AS oid
    UNION
    SELECT d.refobjid
    FROM views v
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.rulename = '_RETURN'
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
)
SELECT r.ev_class, r.ev_action::text,
       ARRAY(SELECT DISTINCT d.refobjid FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
               AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class)::text[]
FROM pg_catalog.pg_rewrite r JOIN views v ON v.oid = r.ev_class
WHERE r.rulename = '_RETURN'
"""

_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text,
       n.nspname IN ('pg_catalog', 'information_schema'),
       CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::oid END,
       ARRAY(SELECT a.attnum::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%(oids)s::oid[])
"""

_GENERATED = """
SELECT d.adrelid, d.adnum, d.adbin::text
FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
WHERE d.adrelid = ANY(%(oids)s::oid[])
"""

# A function of a user that is not IMMUTABLE may read any table. PostgreSQL believes what CREATE FUNCTION
# says, and so do we. An aggregate is always called immutable, so its own functions count.
_FUNCTIONS = """
SELECT p.oid, p.oid::regprocedure::text
FROM pg_catalog.pg_proc p
WHERE p.oid = ANY(%(oids)s::oid[]) AND p.provolatile <> 'i'
   OR p.proname = ANY(%(reading)s::name[]) AND p.oid < %(first)s
UNION ALL
SELECT p.oid, p.oid::regprocedure::text
FROM pg_catalog.pg_aggregate g
JOIN pg_catalog.pg_proc p ON p.oid = g.aggfnoid
WHERE p.oid = ANY(%(oids)s::oid[]) AND EXISTS (
    SELECT FROM pg_catalog.pg_proc f
    WHERE f.oid IN (g.aggtransfn, g.aggfinalfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
      AND f.oid >= %(first)s AND f.provolatile <> 'i')
"""

_OPERATORS = """
SELECT o.oid, p.oid::regprocedure::text
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
WHERE o.oid >= %(first)s AND p.oid >= %(first)s AND p.provolatile <> 'i'
"""

_SAFE = """
SELECT p.oid FROM unnest(%(schemas)s::name[], %(names)s::name[]) AS named (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = named.schema
JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname = named.name
"""

#: Functions of PostgreSQL that read tables, statistics, files, or the queries of other sessions.
_READING = """
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
    table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
    schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
    ts_stat ts_rewrite lo_get loread lo_export lo_open lo_import pg_read_file pg_read_file_all
    pg_read_binary_file pg_read_file_old pg_stat_get_activity pg_stat_get_backend_activity pg_cursor
    pg_prepared_statement pg_logical_slot_get_changes pg_logical_slot_peek_changes
    pg_logical_slot_get_binary_changes pg_logical_slot_peek_binary_changes
    """.split()  # noqa: SIM905 - one name a line would fill a page

_FUNCTION_OIDS = re.compile(r":(?:funcid|aggfnoid|winfnoid|opfuncid) (\d+)")
_RELATION_OIDS = re.compile(r":relid ([1-9]\d*)")


def read_stored(
    cursor: CatalogCursor, views: Iterable[ViewName] | None, safe: Iterable[ViewName] = ()
) -> Stored:
    """Read the rules of views and of the views that they read, with a fixed number of queries.

    Args:
        cursor: sends the queries.
        views: the views; None for all but those of PostgreSQL itself.
        safe: functions by schema and name whose result tells nothing of their arguments.
    """
    if views is None:
        oids = {oid for (oid,) in fetch(cursor, _VIEWS, {})}
    else:
        oids = {oid for (oid,) in fetch(cursor, _NAMED, _names(views))}
    rules: dict[int, StoredRule] = {}
    wanted: Collection[int] = oids
    while wanted:
        found = {
            view: StoredRule(text, frozenset([*map(int, reads), *_relations(text)]) - {view})
            for view, text, reads in fetch(cursor, _RULES, {"oids": array(wanted)})
        }
        rules |= found
        read = {oid for rule in found.values() for oid in rule.reads} - rules.keys()
        # Of what is left, only PostgreSQL's own views have rules.
        wanted = {oid for oid in read if oid < FIRST_USER_OID}
        if not found:
            break
    relations = _read_relations(
        cursor, {*oids, *rules, *(oid for rule in rules.values() for oid in rule.reads)}
    )
    # A view may have been dropped in between.
    rules = {oid: rule for oid, rule in rules.items() if oid in relations}
    texts = [rule.text for rule in rules.values()]
    texts += [text for relation in relations.values() for text in relation.generated.values()]
    return Stored(cursor.db.pg_version // 10000, rules, relations, _read_functions(cursor, texts, safe))


def _read_relations(cursor: CatalogCursor, oids: set[int]) -> dict[int, StoredRelation]:
    if not oids:
        return {}
    params = {"oids": array(oids), "first": FIRST_USER_OID}
    rows = fetch(cursor, _RELATIONS, params)
    roots = {root for *_, root, _, _ in rows if root} - oids
    if roots:
        rows += fetch(cursor, _RELATIONS, {**params, "oids": array(roots)})
    generated: dict[int, dict[int, str]] = {}
    for relation, number, text in fetch(cursor, _GENERATED, params):
        generated.setdefault(relation, {})[number] = text
    return {
        oid: StoredRelation(
            ViewName(schema, name),
            kind,
            is_system,
            root,
            dict(zip(map(int, numbers), columns, strict=True)),
            generated.get(oid, {}),
        )
        for oid, schema, name, kind, is_system, root, numbers, columns in rows
    }


def _read_functions(cursor: CatalogCursor, texts: Iterable[str], safe: Iterable[ViewName]) -> Functions:
    oids = {oid for text in texts for oid in functions_of(text)}
    params = {
        "oids": array(oid for oid in oids if oid >= FIRST_USER_OID),
        "reading": array(_READING),
        "first": FIRST_USER_OID,
    }
    return Functions(
        dict(fetch(cursor, _FUNCTIONS, params)),
        dict(fetch(cursor, _OPERATORS, params)),
        frozenset(oid for (oid,) in fetch(cursor, _SAFE, _names(safe))),
    )


def functions_of(text: str) -> set[int]:
    """Return the oids of the functions that a node tree calls."""
    return {int(oid) for oid in _FUNCTION_OIDS.findall(text)}


def _relations(text: str) -> list[int]:
    return [int(oid) for oid in _RELATION_OIDS.findall(text)]


def _names(names: Iterable[ViewName]) -> dict[str, str]:
    given = list(names)
    return {"schemas": array(name.schema for name in given), "names": array(name.name for name in given)}
