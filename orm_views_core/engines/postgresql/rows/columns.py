"""The columns of a view with their types: how values are written in a statement, and what compares them.

Everything that is called for a type is PostgreSQL's own or belongs to the default operator class of the type.
A view that reaches an operator class of somebody whom we do not trust is not read at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.names import ViewName

# Dates are written as ISO, because psycopg2 sets that for each session and psycopg 3 does not. A scan of a
# large table begins where another one is, unless that is off: then a page would not come a second time.
_RELATION = """
SELECT c.oid, c.relkind = 'm', pg_catalog.getdatabaseencoding() = 'SQL_ASCII',
       pg_catalog.set_config('DateStyle', 'ISO', true),
       pg_catalog.set_config('synchronize_seqscans', 'off', true)
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%(name)s)
"""

# A domain is compared as the type below it. An array or a row is compared by its parts, so it has an order
# only if each of them has one: PostgreSQL looks for that when it compares the first two values.
# The operators of a type are those of its default operator class for B-trees, as ORDER BY finds it. varchar
# and cidr have none of their own. regclass and the like have that of oid, which is left out: what is shown
# are names, and a name that is shown may be that of several functions.
# https://www.postgresql.org/docs/current/xindex.html
_COLUMNS = """
WITH RECURSIVE based AS (
    SELECT a.attnum, a.atttypid AS type FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = %(oid)s::oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT b.attnum, t.typbasetype
    FROM based b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
), parts AS (
    SELECT type AS whole, type AS part FROM based
    UNION
    SELECT p.whole, below.part
    FROM parts p JOIN pg_catalog.pg_type t ON t.oid = p.part
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
        UNION ALL
        SELECT f.atttypid FROM pg_catalog.pg_attribute f
        WHERE t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped
    ) AS below (part)
), classes AS MATERIALIZED (
    SELECT t.oid AS type, found.opcfamily, found.opcintype
    FROM (SELECT DISTINCT part FROM parts) AS p JOIN pg_catalog.pg_type t ON t.oid = p.part
    CROSS JOIN LATERAL (
        SELECT o.opcfamily, o.opcintype
        FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
        WHERE o.opcdefault AND o.opcintype IN (t.oid, CASE
            WHEN t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
            THEN 'anyarray'::regtype
            WHEN t.typtype = 'e' THEN 'anyenum'::regtype
            WHEN t.typtype = 'r' THEN 'anyrange'::regtype
            WHEN t.typtype = 'm' THEN 'anymultirange'::regtype
            WHEN t.typtype = 'c' THEN 'record'::regtype
            WHEN t.oid = 'varchar'::regtype THEN 'text'::regtype
            WHEN t.oid = 'cidr'::regtype THEN 'inet'::regtype END)
        ORDER BY o.opcintype <> t.oid LIMIT 1
    ) AS found
)
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> declared.typcollation THEN co.collname ELSE '' END,
       CASE WHEN t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc THEN 'A'
            ELSE t.typcategory END,
       pg_catalog.format_type(t.oid, NULL),
       pg_catalog.format('%%I.%%I', n.nspname, t.typname),
       t.oid IN ('text'::regtype, 'varchar'::regtype) AND co.collisdeterministic,
       t.typlen > 0 OR t.typcategory IN ('N', 'I'),
       ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
             ORDER BY e.enumsortorder),
       ARRAY(SELECT pg_catalog.format('OPERATOR(%%I.%%s)', space.nspname, op.oprname)
             FROM classes c
             JOIN pg_catalog.pg_amop s ON s.amopfamily = c.opcfamily AND s.amopstrategy IN (2, 3, 4)
                                      AND s.amoplefttype = c.opcintype AND s.amoprighttype = c.opcintype
             JOIN pg_catalog.pg_operator op ON op.oid = s.amopopr
             JOIN pg_catalog.pg_namespace space ON space.oid = op.oprnamespace
             WHERE c.type = t.oid AND NOT EXISTS (
                 SELECT FROM parts p JOIN pg_catalog.pg_type pt ON pt.oid = p.part AND pt.typtype <> 'd'
                 WHERE p.whole = t.oid AND NOT EXISTS (SELECT FROM classes pc WHERE pc.type = p.part))
             ORDER BY s.amopstrategy)
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type declared ON declared.oid = a.atttypid
JOIN based b ON b.attnum = a.attnum
JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = %(oid)s::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


class Comparison(NamedTuple):
    """The operators of a type, as they are written in a statement."""

    at_most: str
    equals: str
    at_least: str


@dataclass(frozen=True)
class TypedColumn:
    """A column, and how its values are written and compared in a statement.

    Attributes:
        column: the column as pages see it.
        cast: the type that a value is cast to, with its schema and without modifiers.
        comparison: the operators that compare two values; None if only their texts can be compared.
        is_text: whether it is text that can be searched as it is stored.
        is_short: whether its values are short: of a fixed length, numbers, or addresses.
    """

    column: RowColumn
    cast: str
    comparison: Comparison | None
    is_text: bool
    is_short: bool


class TypedColumns(NamedTuple):
    """The columns of a view.

    Attributes:
        columns: by their names, in their order.
        is_stored: whether it is a materialised view.
        counts_bytes: whether the database does not know its encoding, so that each byte is a character.
    """

    columns: dict[str, TypedColumn]
    is_stored: bool
    counts_bytes: bool


def read_typed_columns(cursor: CatalogCursor, name: ViewName) -> TypedColumns:
    """Return the columns of a view.

    From then on until the end of the transaction dates are written as ISO, and each scan of a table begins at
    its start.
    """
    ((oid, is_stored, counts_bytes, *_),) = fetch(cursor, _RELATION, {"name": name.quoted})
    columns = {row[0]: _typed(*row) for row in fetch(cursor, _COLUMNS, {"oid": oid})}
    return TypedColumns(columns, is_stored, counts_bytes)


def _typed(
    name: str,
    type_: str,
    collation: str,
    category: str,
    base: str,
    cast: str,
    is_text: bool | None,
    is_short: bool,
    labels: list[str],
    operators: list[str],
) -> TypedColumn:
    choices = ("t", "f") if category == "B" else tuple(labels)
    # A class of somebody's own may lack an operator.
    comparison = Comparison(*operators) if len(operators) == len(Comparison._fields) else None
    column = RowColumn(name, type_, collation, category, comparison is not None, choices, base)
    return TypedColumn(column, cast, comparison, bool(is_text), is_short)
