"""Tables in which every value tells the column that it is of, and how that is read from a text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from orm_views_core.lineage import RelationColumn
from orm_views_core.names import ViewName

SCHEMA = "markers"
ROWS = (1, 2, 3)

#: The types of columns and expressions. The others are the names of relations, whose rows they are.
TEXT, INT, DATE, TEXTS, JSON, ADDRESS = "text", "int", "date", "text[]", "jsonb", f"{SCHEMA}.address"
#: The column that tables are joined by. It has the row's number only.
KEY = "k"


class Table(NamedTuple):
    """A table.

    Attributes:
        types: the types of its columns, by their names.
        of: the table that it is a partition of.
    """

    name: str
    types: dict[str, str]
    of: str = ""

    @property
    def qualified(self) -> str:
        """The name with which queries read it, and the type of its rows."""
        return f"{SCHEMA}.{self.name}"


TABLES = [
    Table(
        "customer",
        {KEY: INT, "id": INT, "name": TEXT, "email": TEXT, "born": DATE, "tags": TEXTS, "doc": JSON},
    ),
    Table("city", {KEY: INT, "label": TEXT, "code": INT, "founded": DATE}),
    Table("purchase", {KEY: INT, "note": TEXT, "lines": TEXTS, "placed": DATE, "doc": JSON, "coupon": TEXT}),
    Table("person", {KEY: INT, "home": ADDRESS, "alias": TEXT}),
    Table("parcel", {KEY: INT, "title": TEXT, "loud": TEXT}),
    Table("reading", {KEY: INT, "note": TEXT, "size": INT, "took": DATE}),
    Table("reading_part", {"took": DATE, "size": INT, "note": TEXT, KEY: INT}, "reading"),
]
_CODES = {
    (table.name, column): code
    for code, (table, column) in enumerate(
        ((table, column) for table in TABLES for column in table.types), start=1
    )
}
_NAMES = {code: names for names, code in _CODES.items()}
_MARKERS = re.compile(r"([a-z_]+)\.([a-z_]+)#\d|\b1(\d\d)0000\d\b|\b20(\d\d)-01-0\d\b", re.IGNORECASE)

CREATE = f"""
CREATE SCHEMA {SCHEMA};
CREATE TYPE {ADDRESS} AS (street text, town text);
CREATE TABLE {SCHEMA}.customer (
    gone int, k int, id int, name varchar(60), email text, born date, lost text, tags text[], doc jsonb
);
ALTER TABLE {SCHEMA}.customer DROP COLUMN gone, DROP COLUMN lost;
CREATE TABLE {SCHEMA}.city (k int, label text, code int, founded date);
CREATE TABLE {SCHEMA}.purchase (k int, note text, lines text[], placed date, doc jsonb, coupon varchar(30));
CREATE TABLE {SCHEMA}.person (k int, home {ADDRESS}, alias text);
CREATE TABLE {SCHEMA}.parcel (k int, title text, loud text GENERATED ALWAYS AS (upper(title)) STORED);
CREATE TABLE {SCHEMA}.reading (k int, note text, size int, took date) PARTITION BY LIST (k);
CREATE TABLE {SCHEMA}.reading_part (took date, gone int, size int, note text, k int);
ALTER TABLE {SCHEMA}.reading_part DROP COLUMN gone;
ALTER TABLE {SCHEMA}.reading ATTACH PARTITION {SCHEMA}.reading_part FOR VALUES IN (1, 2, 3);
CREATE FUNCTION {SCHEMA}.same(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
"""


def fill() -> Iterator[str]:
    """Yield the statements that fill the tables."""
    for table in TABLES:
        columns = [column for column in table.types if column != "loud"]
        rows = (", ".join(_value(table, column, row) for column in columns) for row in ROWS)
        if not table.of:
            yield f"INSERT INTO {table.qualified} ({', '.join(columns)}) VALUES ({'), ('.join(rows)})"


def _value(table: Table, column: str, row: int) -> str:
    if column == KEY:
        return str(row)
    mark, code = f"{table.name}.{column}#{row}", _CODES[table.name, column]
    return {
        TEXT: f"'{mark}'",
        INT: f"{10_000_000 + code * 100_000 + row}",
        DATE: f"'{2000 + code}-01-0{row}'",
        TEXTS: f"ARRAY['{mark}a', '{mark}b']",
        JSON: f"""'{{"a": "{mark}", "b": ["{mark}"]}}'""",
        ADDRESS: f"ROW('{mark}s', '{mark}t')",
    }[table.types[column]]


def marked(text: str) -> set[RelationColumn]:
    """Return the columns whose values are in a text."""
    found = set()
    for match in _MARKERS.finditer(text):
        table, column, *codes = match.groups()
        code = next(filter(None, codes), None)
        names = _NAMES[int(code)] if code else (table.lower(), column.lower())
        found.add(RelationColumn(ViewName(SCHEMA, names[0]), names[1]))
    return found


def change(kept: Collection[RelationColumn]) -> Iterator[str]:
    """Yield the statements that give other values to all columns but those that are kept."""
    for table in TABLES:
        relation = ViewName(SCHEMA, table.name)
        columns = [
            each for each in table.types if RelationColumn(relation, each) not in kept and each != "loud"
        ]
        if columns and not table.of:
            values = ", ".join(f"{column} = {_other(table, column)}" for column in columns)
            yield f"UPDATE {table.qualified} SET {values}"


def _other(table: Table, column: str) -> str:
    """Write a value that is none of a column's: in two rows alike, and in the third row NULL."""
    if column == KEY:
        # The rows have to stay in the partition.
        return f"{KEY} % 3 + 1" if table.name == "reading" else f"nullif({KEY} + 3, 4)"
    kind = table.types[column]
    other = CONSTANTS[kind].replace("const", "other").replace("500", "600").replace("0001", "0002")
    return f"CASE WHEN {KEY} <> 2 THEN {other} END"


#: What queries have in the place of a value that is of no column.
CONSTANTS = {
    TEXT: "'const'::text",
    INT: "500",
    DATE: "date '0001-01-01'",
    TEXTS: "ARRAY['const']",
    JSON: """jsonb '{"a": "const"}'""",
    ADDRESS: f"ROW('const', 'const')::{ADDRESS}",
}
