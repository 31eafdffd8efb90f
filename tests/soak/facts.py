"""All that the catalogs know of views, as a set of facts: a difference is two short lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connections, transaction

from orm_views_core.database.sync_state import split_comment

#: A relation, what the fact is about, and the fact.
Fact = tuple[str, str, str]
Facts = frozenset[Fact]

#: The database that a history happens in, and the one that is synced from empty.
HERE, ELSEWHERE = "default", "warehouse"

_FACTS = """
WITH rel AS (
    SELECT c.*, n.nspname || '.' || c.relname AS named
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('v', 'm')
), col AS (
    SELECT rel.named, a.* FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped
), idx AS (
    SELECT rel.named, i.* FROM rel JOIN pg_index i ON i.indrelid = rel.oid
), acl AS (
    SELECT named, 'grant' AS aspect, '' AS of, relowner, a.*
    FROM rel, aclexplode(COALESCE(relacl, acldefault('r', relowner))) a
    UNION ALL
    SELECT col.named, 'column grant', attname || ': ', rel.relowner, a.*
    FROM col JOIN rel ON rel.oid = attrelid, aclexplode(attacl) a
)
SELECT named, 'kind', relkind::text || CASE WHEN relispopulated THEN '' ELSE ', not populated' END FROM rel
UNION ALL SELECT named, 'owner', pg_get_userbyid(relowner) FROM rel
UNION ALL SELECT named, 'definition', pg_get_viewdef(oid) FROM rel
UNION ALL SELECT named, 'comment', obj_description(oid, 'pg_class') FROM rel
UNION ALL SELECT named, 'option', unnest(reloptions) FROM rel
UNION ALL SELECT named, 'tablespace', reltablespace::text FROM rel WHERE reltablespace <> 0
UNION ALL SELECT named, 'column', attnum || ' ' || attname || ' ' || format_type(atttypid, atttypmod)
    || ' ' || attcollation::regcollation || ' ' || attstorage::text FROM col
UNION ALL SELECT named, 'column comment', attname || ': ' || col_description(attrelid, attnum)
    FROM col WHERE col_description(attrelid, attnum) IS NOT NULL
UNION ALL SELECT named, 'statistics target', attname || ' ' || attstattarget
    FROM col WHERE COALESCE(attstattarget, -1) >= 0
UNION ALL SELECT named, 'default', attname || ' ' || pg_get_expr(adbin, adrelid)
    FROM col JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
UNION ALL SELECT named, 'index', pg_get_indexdef(indexrelid) FROM idx
UNION ALL SELECT named, 'clustered on', indexrelid::regclass::text FROM idx WHERE indisclustered
UNION ALL SELECT named, 'index comment',
    indexrelid::regclass || ': ' || obj_description(indexrelid, 'pg_class')
    FROM idx WHERE obj_description(indexrelid, 'pg_class') IS NOT NULL
UNION ALL SELECT named, 'trigger', pg_get_triggerdef(t.oid) || ' ' || tgenabled::text
    FROM rel JOIN pg_trigger t ON tgrelid = rel.oid
UNION ALL SELECT named, 'rule', pg_get_ruledef(r.oid)
    FROM rel JOIN pg_rewrite r ON ev_class = rel.oid WHERE rulename <> '_RETURN'
UNION ALL SELECT named, 'extended statistics', pg_get_statisticsobjdef(s.oid)
    FROM rel JOIN pg_statistic_ext s ON stxrelid = rel.oid
UNION ALL SELECT named, aspect, of || privilege_type || ' to '
    || CASE grantee WHEN relowner THEN 'its owner' WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END
    || ' by ' || CASE grantor WHEN relowner THEN 'its owner' ELSE pg_get_userbyid(grantor) END
    || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END FROM acl
"""

#: What of a sync state depends on when and where it was written.
_OF_THE_MOMENT = ("database", "installed", "synced", "refreshed", "seconds", "changes")

_IDENTITIES = """
SELECT n.nspname || '.' || c.relname, c.oid, c.relfilenode
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('v', 'm')
"""


def query(alias: str, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    """Run SQL and return its rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def read_facts(alias: str, schemas: Collection[str] = ("views", "theirs")) -> Facts:
    """Return all that the catalogs know of the views in some schemas, but for oids and times."""
    with transaction.atomic(using=alias):
        query(alias, "SET LOCAL search_path = ''")
        rows = query(alias, _FACTS, {"schemas": list(schemas)})
    return frozenset(fact for row in rows if row[2] is not None for fact in _without_times(row))


def _without_times(row: tuple[str, str, str]) -> Iterable[Fact]:
    named, aspect, value = row
    text, state = split_comment(value) if aspect == "comment" else (value, None)
    if state is None:
        return [row]
    said = {k: v for k, v in vars(state).items() if k not in _OF_THE_MOMENT}
    return [(named, "comment", text), (named, "tag", repr(sorted(said.items())))]


def read_identities(alias: str, schemas: Collection[str] = ("views",)) -> dict[str, tuple[int, int]]:
    """Return the oid and the file of every view: what changes when it is built anew."""
    return {name: (oid, file) for name, oid, file in query(alias, _IDENTITIES, [list(schemas)])}


def read_rows(alias: str, views: Collection[str]) -> Facts:
    """Return how many rows each view has and a hash of them, in the order of their ids."""
    if not views:
        return frozenset()
    hashed = "md5(COALESCE(string_agg(q::text, '|' ORDER BY q.id), ''))"
    hashes = " UNION ALL ".join(
        f"SELECT '{view}', 'rows', count(*) || ' ' || {hashed} FROM {view} q" for view in views
    )
    return frozenset(query(alias, hashes))


def explain(difference: str, expected: Facts, actual: Facts) -> str:
    """Say what differs, one fact a line; "" when nothing does."""
    missing = [f"  missing:    {' | '.join(fact)}" for fact in sorted(expected - actual)]
    surplus = [f"  unexpected: {' | '.join(fact)}" for fact in sorted(actual - expected)]
    return "\n".join([difference, *missing, *surplus]) if missing or surplus else ""
