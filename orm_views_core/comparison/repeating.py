"""Finds out whether a definition gives the same rows each time.

A sum of floats depends on the order of its rows, and so does ``string_agg`` without an order. PostgreSQL may
read rows in another order each time, in parallel above all. So the definition is computed twice, in two
different ways, and the hashes of its columns are compared. What differs then is no change of the definition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orm_views_core.engines.postgresql.catalog.fetch import array, fetch
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.engines.postgresql.rows.cells import whole_text
from orm_views_core.engines.postgresql.rules.catalog import functions_of, read_stored
from orm_views_core.names import ViewName, quote_identifier

from .running import Runner

#: The two ways: in parallel, and with sorts instead of hash tables.
_WAYS = (
    {
        "max_parallel_workers_per_gather": "2",
        "parallel_setup_cost": "0",
        "parallel_tuple_cost": "0",
        "min_parallel_table_scan_size": "0",
    },
    {"max_parallel_workers_per_gather": "0", "enable_hashagg": "off", "enable_hashjoin": "off"},
)
#: LIMIT, OFFSET, DISTINCT ON, TABLESAMPLE and window functions take rows in the order in which they come.
_ORDERED = re.compile(
    r":limitCount \{|:limitOffset \{|:hasDistinctOn true|:tablesample \{|:hasWindowFuncs true"
)

# Aggregates that do not depend on the order of rows; those over floats do. What users have made may do
# anything, unless it is immutable. pg_proc knows an aggregate as immutable.
_UNSURE = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_proc p
    WHERE p.oid = ANY(%(oids)s::oid[]) AND CASE
        WHEN p.prokind = 'a' THEN p.oid >= 16384 OR NOT (
            p.proname IN ('count', 'min', 'max', 'bool_and', 'bool_or', 'every', 'bit_and', 'bit_or',
                          'bit_xor')
            OR p.proname IN ('sum', 'avg', 'variance', 'var_pop', 'var_samp', 'stddev', 'stddev_pop',
                             'stddev_samp')
               AND NOT p.proargtypes::oid[] && ARRAY['float4'::regtype, 'float8'::regtype]::oid[])
        WHEN p.oid >= 16384 THEN p.provolatile <> 'i'
        ELSE p.provolatile = 'v' END)
"""


def may_differ(cursor: CatalogCursor, name: ViewName) -> bool:
    """Return whether the rows of a view may be others each time, by what it and the views below it call.

    Args:
        cursor: in the transaction in which it is staged.
        name: where it is staged.
    """
    stored = read_stored(cursor, [name])
    below = {oid for oid, relation in stored.relations.items() if relation.name == name}
    pending, texts = list(below), []
    while pending:
        rule = stored.rules.get(pending.pop())
        if rule is not None:
            texts.append(rule.text)
            pending += rule.reads - below
            below |= rule.reads
    if any(_ORDERED.search(text) for text in texts):
        return True
    called = {oid for text in texts for oid in functions_of(text)}
    ((is_unsure,),) = fetch(cursor, _UNSURE, {"oids": array(called)})
    return bool(is_unsure)


def find_unrepeatable(runner: Runner, name: ViewName, columns: Sequence[str], seconds: float) -> list[str]:
    """Return the columns of a view that differ if it is computed twice.

    Args:
        runner: sends the statements.
        name: where the view is staged.
        columns: the names of its columns.
        seconds: how long that may take.

    Raises:
        TooSlow: when it takes longer.
        DatabaseError: when PostgreSQL refuses it.
    """
    # Each text with the number of the column: two columns that change places differ.
    hashes = ", ".join(
        "pg_catalog.sum(pg_catalog.hashtextextended(("
        f'{whole_text(quote_identifier(column))}) COLLATE pg_catalog."C", {number}))'
        for number, column in enumerate(columns)
    )
    sql = f"SELECT {hashes} FROM {name.quoted}"
    (first,), (second,) = (runner.run(sql, seconds / 2, settings) for settings in _WAYS)
    return [column for column, a, b in zip(columns, first, second, strict=True) if a != b]
