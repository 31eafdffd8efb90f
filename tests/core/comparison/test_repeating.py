"""A definition that gives other rows each time is found, so that its change is not blamed for that."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.comparison import Action
from orm_views_core.sync import sync_views
from tests.core.comparison.changing import change, compare, declare

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(registered, execute):
    """Rows whose order in the table is not that of any column, and whose floats have no exact sum."""
    execute(
        "CREATE TABLE goods AS SELECT g AS id, g % 5 AS kind, (g * 7919) % 2003 AS place,"
        " CASE g % 3 WHEN 0 THEN 1e16 WHEN 1 THEN -1e16 ELSE g / 7.0 END::float8 AS share"
        " FROM generate_series(1, 2000) g"
    )
    execute("ANALYZE goods")


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT id, random() AS dice, kind FROM goods", ["dice"]),
        ("SELECT id, clock_timestamp() AS at FROM goods", ["at"]),
        (
            "SELECT kind, string_agg(place::text, ',') AS places, count(*) AS n FROM goods GROUP BY kind",
            ["places"],
        ),
        ("SELECT kind, array_agg(id) AS ids, max(id) AS last FROM goods GROUP BY kind", ["ids"]),
        ("SELECT kind, sum(share) AS total, avg(place) AS mean FROM goods GROUP BY kind", ["total"]),
    ],
)
def test_columns_that_cannot_be_repeated(goods, sql, columns):
    """Compared with itself, because nothing has changed. What is stable stays out."""
    declare("Shown", sql)
    sync_views()
    found = compare("shown")["shown"]
    assert found.action is Action.SAME
    assert (list(found.unrepeatable), found.repeats) == (columns, False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, now() AS at, kind FROM goods",
        "SELECT kind, string_agg(place::text, ',' ORDER BY place, id) AS places FROM goods GROUP BY kind",
        "SELECT kind, sum(place) AS total, count(DISTINCT id) AS n, max(share) FROM goods GROUP BY kind",
        "SELECT id, rank() OVER (PARTITION BY kind ORDER BY id) AS rank FROM goods",
    ],
)
def test_columns_that_can_be_repeated(goods, sql):
    declare("Shown", sql)
    sync_views()
    found = compare("shown")["shown"]
    assert (found.unrepeatable, found.repeats, found.counts.differ) == ((), True, False)


def test_a_change_is_told_apart_from_what_cannot_be_repeated(goods):
    found = change(
        "SELECT id, random() AS dice, kind FROM goods",
        "SELECT id, random() AS dice, CASE id WHEN 5 THEN 77 ELSE kind END AS kind FROM goods",
    )
    assert found.counts.by_column == {"dice": 2000, "kind": 1}
    assert found.unrepeatable == ("dice",)


def test_it_is_found_below_other_views_too(goods):
    declare("Base", "SELECT id, random() AS dice FROM goods")
    declare("Shown", "SELECT id, dice AS fate FROM views.base")
    sync_views()
    declare("Shown", "SELECT id, dice AS fate FROM views.base WHERE id > 3")
    assert compare("shown")["shown"].unrepeatable == ("fate",)


def test_nothing_is_computed_twice_without_need(goods):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = change("SELECT id, kind FROM goods", "SELECT id, kind + 1 AS kind FROM goods")
    assert found.repeats
    assert not [query for query in queries if "sum(pg_catalog.hashtextextended" in query["sql"]]
