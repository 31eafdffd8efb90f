"""Which of the types that columns have are domains or enums: what is asked of the catalogs about types."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

from orm_views_core.sql.types import NamedType, bare_name, is_known

from .fetch import fetch

# A domain may be over a domain. The comparison by name finds those of other schemas too, which do no harm.
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


def read_named_types(cursor: CursorWrapper, types: Iterable[str]) -> dict[str, NamedType]:
    """Return the domains and enums among some types, by what the types were called.

    Args:
        cursor: inside ``canonical_names``.
        types: what ``format_type`` or a field's ``db_type`` says.
    """
    asked = {text: bare_name(text) for text in types if not is_known(text)}
    if not asked:
        return {}
    rows = fetch(cursor, _NAMED_TYPES, {"names": sorted(set(asked.values()))})
    # A domain over an enum has the enum's values.
    found = {text: NamedType("" if labels else base, tuple(labels)) for text, base, labels in rows}
    by_bare_name = {bare_name(text): named for text, named in found.items()}
    # A field's db_type names no schema.
    known = {text: found.get(text) or by_bare_name.get(name) for text, name in asked.items()}
    return {text: named for text, named in known.items() if named is not None}
