"""Views that are large, or nested deeply, are read to the end."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.lineage import RelationColumn, read_lineage
from orm_views_core.names import ViewName

TABLE = ViewName("large", "t")
A, B, C = (RelationColumn(TABLE, name) for name in "abc")


@pytest.fixture
def lineage_of(db):
    """A function that returns the lineage of a view of a table with the columns a, b and c."""

    def read(sql, before=()):
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA large")
            cursor.execute("CREATE TABLE large.t (a text, b text, c int)")
            for statement in (*before, f"CREATE VIEW large.v AS {sql}"):
                cursor.execute(statement)
        return read_lineage(connection).views[ViewName("large", "v")]

    return read


def nested(number, inner, outer):
    """Put a text into another, again and again."""
    for _ in range(number):
        inner = outer.format(inner)
    return inner


SHOWN = [
    ("many CASEs", nested(300, "b", "CASE WHEN c = 1 THEN a ELSE {} END"), {A, B}, {C}, set()),
    (
        "many WHENs",
        f"CASE {' '.join(f'WHEN c = {n} THEN a' for n in range(1000))} ELSE b END",
        {A, B},
        {C},
        set(),
    ),
    ("many values", f"coalesce({', '.join(['a', 'b'] * 500)})", {A, B}, set(), set()),
    ("many operators", " || ".join(["a"] * 800), set(), {A}, set()),
    ("many functions", nested(400, "a", "upper({})"), set(), {A}, set()),
    ("a long constant", f"a || '{'{ :varno 1 } ' * 20_000}'", set(), {A}, set()),
    ("a long list", f"CASE WHEN c IN ({', '.join(map(str, range(5000)))}) THEN a END", {A}, {C}, set()),
    ("many subselects", nested(60, "t.a", "(SELECT {} FROM large.t AS s WHERE s.c = 1)"), {A}, set(), {C}),
]


@pytest.mark.parametrize(("what", "sql", "shows", "computed", "uses"), SHOWN, ids=[each[0] for each in SHOWN])
def test_a_large_expression_is_read(what, sql, shows, computed, uses, lineage_of):
    view = lineage_of(f"SELECT {sql} AS x FROM large.t")
    (column,) = view.columns
    assert view.is_exact, column.because
    assert (column.shows, column.computed_from, view.uses) == (shows, computed, uses)


QUERIES = [
    (
        "many unions",
        " UNION ALL ".join(["SELECT a AS x FROM large.t", "SELECT b FROM large.t"] * 250),
        {A, B},
        set(),
    ),
    ("many subqueries", nested(50, "SELECT a AS x FROM large.t", "SELECT x FROM ({}) AS s"), {A}, set()),
    (
        "many CTEs",
        "WITH w0 AS (SELECT a AS x FROM large.t), "
        + ", ".join(f"w{n} AS (SELECT x FROM w{n - 1})" for n in range(1, 100))
        + " SELECT x FROM w99",
        {A},
        set(),
    ),
    (
        "many joins",
        "SELECT t.a AS x FROM large.t " + " ".join(f"JOIN large.t t{n} ON t{n}.c = t.c" for n in range(60)),
        {A},
        {C},
    ),
    (
        "many joins by names",
        f"SELECT x.a AS x FROM large.t AS x {' '.join(f'JOIN large.t AS y{n} USING (c)' for n in range(60))}",
        {A},
        {C},
    ),
    (
        "many conditions",
        f"SELECT a AS x FROM large.t WHERE {' OR '.join(f'c = {n}' for n in range(3000))}",
        {A},
        {C},
    ),
    (
        "many rows",
        f"SELECT x FROM large.t, LATERAL (VALUES {', '.join(['(a)'] * 1000)}) AS v (x)",
        {A},
        set(),
    ),
]


@pytest.mark.parametrize(("what", "sql", "shows", "uses"), QUERIES, ids=[each[0] for each in QUERIES])
def test_a_large_query_is_read(what, sql, shows, uses, lineage_of):
    view = lineage_of(sql)
    (column,) = view.columns
    assert view.is_exact, column.because
    assert (column.shows, column.computed_from, view.uses) == (shows, set(), uses)


def test_a_wide_table_is_read(lineage_of):
    names = [f"column_{n}" for n in range(1000)]
    before = [f"CREATE TABLE large.wide ({', '.join(f'{name} text' for name in names)})"]
    view = lineage_of("SELECT w.*, to_jsonb(w) AS all_of_it FROM large.wide AS w", before)
    *columns, whole = view.columns
    wide = [RelationColumn(ViewName("large", "wide"), name) for name in names]
    assert [column.shows for column in columns] == [{each} for each in wide]
    assert whole.computed_from == set(wide)


def test_views_on_views_are_followed_however_many(lineage_of):
    number = 300
    before = ["CREATE VIEW large.v0 AS SELECT a, upper(b) AS b FROM large.t WHERE c > 0"]
    before += [f"CREATE VIEW large.v{n} AS SELECT * FROM large.v{n - 1}" for n in range(1, number)]
    view = lineage_of(f"SELECT a, b FROM large.v{number - 1}", before)
    a, b = view.columns
    assert (a.shows, a.computed_from, b.shows, b.computed_from) == ({A}, set(), set(), {B})
    assert view.uses == {C}
