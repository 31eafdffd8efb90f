"""Reads which types of columns are domains or enums."""

from __future__ import annotations

from collections.abc import Iterable

from orm_views_core.sql.types import NamedType, bare_name, is_known

from .fetch import fetch
from .search_path import CatalogCursor

# A domain may be based on another domain. Types are compared by name, so this also returns types of the same
# name in other schemas; the caller ignores them.
_NAMED_TYPES = """
WITH RECURSIVE found AS (
    SELECT t.oid, t.oid AS base, NULL::int4 AS modifier, t.typtype
    FROM pg_catalog.pg_type t
    WHERE t.typname = ANY(%(names)s) AND t.typtype IN ('d', 'e')
    UNION ALL
    SELECT found.oid, d.typbasetype, d.typtypmod, b.typtype
    FROM found
    JOIN pg_catalog.pg_type d ON d.oid = found.base AND d.typtype = 'd'
    JOIN pg_catalog.pg_type b ON b.oid = d.typbasetype
)
SELECT pg_catalog.format_type(oid, NULL),
       CASE WHEN base <> oid THEN pg_catalog.format_type(base, modifier) ELSE '' END,
       ARRAY(SELECT enumlabel::text FROM pg_catalog.pg_enum WHERE enumtypid = base ORDER BY enumsortorder)
FROM found
WHERE typtype <> 'd'
"""


def read_named_types(cursor: CatalogCursor, types: Iterable[str]) -> dict[str, NamedType]:
    """Return the domains and enums among some types, by the names that were given.

    Args:
        types: names as ``format_type`` or a field's ``db_type`` writes them.
    """
    bare_names = {text: bare_name(text) for text in types if not is_known(text)}
    if not bare_names:
        return {}
    rows = fetch(cursor, _NAMED_TYPES, {"names": sorted(set(bare_names.values()))})
    # A domain over an enum has the enum's values.
    named_types = {text: NamedType("" if labels else base, tuple(labels)) for text, base, labels in rows}
    by_bare_name = {bare_name(text): named for text, named in named_types.items()}
    # A field's db_type has no schema.
    known = {text: named_types.get(text) or by_bare_name.get(name) for text, name in bare_names.items()}
    return {text: named for text, named in known.items() if named is not None}
