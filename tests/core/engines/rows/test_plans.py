"""What PostgreSQL does for a page: indexes find the rows, and only the rows of the page become text."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Condition, Operator
from orm_views_core.engines.postgresql.rows import read_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(create, execute):
    execute(
        "CREATE TABLE views.large AS SELECT n AS id, n % 1000 AS customer, 'name ' || n AS name,"
        " timestamptz '2026-01-01' + n * interval '1 minute' AS at, n::numeric / 4 AS part,"
        " ARRAY[n] AS tags, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid AS uuid"
        " FROM generate_series(1, 100000) AS n"
    )
    execute('CREATE INDEX ON views.large (name COLLATE "C"); CREATE INDEX ON views.large (name)')
    for column in ("id", "customer", "at", "part", "tags", "uuid"):
        execute(f"CREATE INDEX ON views.large ({column})")
    execute('ALTER TABLE views.large ALTER name TYPE text COLLATE "C"; ANALYZE views.large')
    return create("SELECT * FROM views.large")


#: Conditions that an index answers.
INDEXED = [
    ("id", "equals", ["77"]),
    ("id", "in", ["77", "78"]),
    ("id", "at_most", ["77"]),
    ("customer", "equals", ["77"]),
    ("name", "equals", ["name 77"]),
    ("name", "begins", ["name 77"]),
    ("at", "at_least", ["2026-03-11 00:00"]),
    ("part", "equals", ["1.25"]),
    ("tags", "equals", ["{7}"]),
    ("tags", "in", ["{7}", "{8}"]),
    ("uuid", "equals", ["00000000-0000-0000-0000-000000000077"]),
]


def sent_for_rows(queries):
    """The statement that read rows."""
    (sent,) = [query["sql"] for query in queries if "AS written" in query["sql"]]
    return sent


def test_an_index_finds_the_rows(large):
    for column, operator, values in INDEXED:
        if operator == "begins" and connections["default"].pg_version < 150_000:
            continue  # the index is for ^@ from then on
        condition = Condition(column, Operator(operator), tuple(values))
        with CaptureQueriesContext(connections["default"]) as queries:
            page = read_rows("default", large, limit=50, conditions=[condition])
        assert page.rows, column
        with connections["default"].cursor() as cursor:
            cursor.execute(f"EXPLAIN {sent_for_rows(queries)}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index Cond" in plan, (column, operator, plan)
        assert "Seq Scan" not in plan, (column, operator, plan)


def test_texts_are_made_of_the_rows_of_the_page_only(large):
    """Not of those that the offset passes over."""
    with CaptureQueriesContext(connections["default"]) as queries:
        page = read_rows("default", large, limit=5, offset=90_000, order_by=["-id"])
    assert [row[0].text for row in page.rows] == ["10000", "9999", "9998", "9997", "9996"]
    with connections["default"].cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) {sent_for_rows(queries)}")
        plan = cursor.fetchone()[0][0]["Plan"]
    nodes = [(node["Actual Rows"], "concat" in "".join(node.get("Output", ""))) for node in each_node(plan)]
    assert (90_006, False) in nodes
    assert {rows for rows, makes_texts in nodes if makes_texts} == {6}


def each_node(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from each_node(below)
