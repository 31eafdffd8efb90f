"""The columns of a view for which an index finds the rows that have a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.catalog.fetch import fetch, name_arrays
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_path
from orm_views_core.engines.postgresql.untrusted import for_each
from orm_views_core.names import ViewName, quote_identifier

from .columns import TypedColumn
from .errors import is_too_slow

# The planner decides, because it knows what a catalog does not tell: whether it can push a condition through
# the view's SELECT, whether an index is valid, or for other rows only. The value is that of a setting, which
# is found again in the plan, and which the planner cannot foresee. A small table would be read as a whole
# although it has an index, so that is made expensive. A plan with a bitmap does not tell the index's schema,
# and one that leaves partitions out does not tell how it would read them.
_VALUE = "orm_views.value"
_PREPARE = """
SELECT pg_catalog.set_config('enable_seqscan', 'off', true),
       pg_catalog.set_config('enable_bitmapscan', 'off', true),
       pg_catalog.set_config('enable_partition_pruning', 'off', true)
"""
_EXPLAIN = (
    "EXPLAIN (FORMAT JSON, VERBOSE, COSTS OFF) SELECT FROM {view} WHERE {column} {equals}"
    f" pg_catalog.current_setting('{_VALUE}', true)::{{cast}}"
)

# The types of the first columns of all indexes of what a view reads. A column of another type is not looked
# for in any index, so it costs no planning.
_INDEXED = """
WITH RECURSIVE read AS (
    SELECT pg_catalog.to_regclass(%(name)s)::oid AS oid
    UNION
    SELECT d.refobjid
    FROM read
    JOIN pg_catalog.pg_class c ON c.oid = read.oid AND c.relkind = 'v'
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
), types AS (
    SELECT COALESCE(a.atttypid, expression.atttypid) AS oid
    FROM read
    JOIN pg_catalog.pg_index i ON i.indrelid = read.oid
    JOIN pg_catalog.pg_attribute expression ON expression.attrelid = i.indexrelid AND expression.attnum = 1
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                                       AND i.indkey[0] <> 0
)
SELECT a.attname FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass(%(name)s)::oid AND a.attnum > 0 AND NOT a.attisdropped
  AND a.atttypid IN (SELECT oid FROM types)
"""

# What comes first in an index: a column, or an expression. PostgreSQL also uses an index for a later column,
# but then it reads all of it.
_FIRST = """
SELECT n.nspname, c.relname, pg_catalog.pg_get_indexdef(c.oid, 1, true)
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
"""

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def read_indexed_columns(cursor: CatalogCursor, name: ViewName) -> frozenset[str]:
    """Return the columns of a view for which there may be an index."""
    return frozenset(column for (column,) in fetch(cursor, _INDEXED, {"name": name.quoted}))


def find_quick_columns(
    cursor: CursorWrapper, name: ViewName, columns: Mapping[str, TypedColumn], indexed: Collection[str]
) -> frozenset[str]:
    """Return the columns of a view for which an index finds the rows that have a value.

    The view is locked and may be read. The transaction can then only be rolled back. None are found if
    planning takes longer than PREVIEW_TIMEOUT.

    Args:
        cursor: in that transaction.
        columns: all columns of the view.
        indexed: those for which there may be an index.
    """
    statements = {
        _EXPLAIN.format(
            view=name.quoted,
            column=quote_identifier(column),
            equals=typed.comparison.equals,
            cast=typed.cast,
        ): column
        for column, typed in columns.items()
        if column in indexed and typed.comparison
    }
    if not statements:
        return frozenset()
    try:
        cursor.execute(_PREPARE)
        plans = for_each(cursor, statements, "EXECUTE name INTO plan;", "plan")
    except DatabaseError as error:
        if not is_too_slow(error):
            raise
        return frozenset()
    searches = {statements[statement]: list(_searches(plan)) for statement, plan in plans.items()}
    indexes = {search.name for found in searches.values() for search in found if search}
    if not indexes:
        return frozenset()
    with catalog_path(cursor, until_end=True) as catalog:
        rows = fetch(catalog, _FIRST, name_arrays(indexes))
    first = {ViewName(schema, index): definition for schema, index, definition in rows}
    return frozenset(
        column
        for column, found in searches.items()
        if found and all(search and search.is_for(first.get(search.name, "")) for search in found)
    )


class _Search(NamedTuple):
    """A search of an index for the value.

    Attributes:
        name: the index.
        alias: what the plan calls the table, as it is written in an expression.
        condition: what is looked for.
    """

    name: ViewName
    alias: str
    condition: str

    def is_for(self, first: str) -> bool:
        """Return whether what comes first in the index is compared with the value."""
        compared = [part for part in self.condition.split(" AND ") if _VALUE in part]
        texts = [part.lstrip("(").replace(f"{self.alias}.", "") for part in compared]
        first = first.lstrip("(").rstrip(")")
        return bool(first) and all(text.startswith((f"{first} ", f"{first})")) for text in texts)


def _searches(plan: Any) -> Iterator[_Search | None]:
    """Yield how a plan looks for the value; None for what reads all rows, such as one side of a UNION."""
    if isinstance(plan, list):
        for part in plan:
            yield from _searches(part)
    elif isinstance(plan, dict):
        uses = {key for key, value in plan.items() if isinstance(value, str) and _VALUE in value}
        if uses == {"Index Cond"} and "Schema" in plan:
            index = ViewName(plan["Schema"], plan["Index Name"])
            yield _Search(index, _as_written(plan["Alias"]), plan["Index Cond"])
        elif uses:
            yield None
        for value in plan.values():
            yield from _searches(value)


def _as_written(name: str) -> str:
    """Return a name as PostgreSQL writes it in an expression, in quotes if it needs them."""
    return name if _PLAIN.fullmatch(name) else quote_identifier(name)
