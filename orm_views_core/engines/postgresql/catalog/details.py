"""Reads what belongs to relations: rules, comments on columns, grants and indexes, all with one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from orm_views_core.database.relations import Grant, InstalledIndex

from . import queries
from .fetch import array, fetch
from .search_path import CatalogCursor

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
