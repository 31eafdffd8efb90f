"""A table with a column for each type of the samples and as many rows as the type with most values needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.db import NotSupportedError, connections, transaction

from orm_views_core.names import quote_identifier

from .views import V, declare

#: What the samples need besides PostgreSQL's own types.
TYPES = """
CREATE TYPE views.mood AS ENUM ('sad', 'so so', 'it''s "ok", really', '');
CREATE DOMAIN views.positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN views.small AS views.positive CHECK (VALUE < 100);
CREATE DOMAIN views.words AS text[];
CREATE TYPE views.pair AS (first integer, second text);
CREATE TYPE views.nest AS (name varchar(9), pair views.pair, pairs views.pair[], mood views.mood);
CREATE TYPE views.filed AS (document json, number integer);
CREATE TYPE views."Odd %s ""one"" type" AS ENUM ('x');
CREATE TYPE views.floatrange AS RANGE (subtype = float8);
CREATE TABLE views.row (a integer, b text);
"""
#: A server may be built without it.
OPTIONAL = "xml"
#: Intervals have these since PostgreSQL 17.
INFINITE = ["'infinity'", "'-infinity'"]


@dataclass(frozen=True)
class Filled:
    """The view of the table. Its first column is the number of the row; the last row has NULL otherwise."""

    types: tuple[str, ...]
    rows: int


def fill() -> Filled:
    """Create the table and its view in the schema `views`."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(TYPES)
    samples = _samples()
    filled = Filled(tuple(samples), max(map(len, samples.values())) + 1)
    columns = ", ".join(f"{quote_identifier(type_)} {type_}" for type_ in samples)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE views.filled (n integer, {columns})")
        for number in range(filled.rows):
            values = [values[number] if number < len(values) else "NULL" for values in samples.values()]
            cursor.execute(f"INSERT INTO views.filled VALUES ({number}, {', '.join(values)})")
        cursor.execute(f"CREATE VIEW {V.quoted} AS TABLE views.filled")
    declare(V)
    return filled


def _samples() -> dict[str, list[str]]:
    samples: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("samples.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            samples[next(reversed(samples))].append(line[4:])
        elif line and not line.startswith("#"):
            samples[line] = []
    if connections["default"].pg_version >= 170_000:
        samples["interval"] += INFINITE
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT {samples[OPTIONAL][0]}::{OPTIONAL}")
    except NotSupportedError:
        samples[OPTIONAL] = []
    return samples
