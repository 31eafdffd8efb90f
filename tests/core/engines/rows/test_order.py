"""Sorted pages have a total order: each row comes once, and a cell is in its place."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Condition, Operator, digest
from orm_views_core.engines.postgresql.rows import read_cell, read_rows

from .views import V

pytestmark = pytest.mark.django_db

ROWS = 400
TABLE = """
CREATE TABLE views.t AS
SELECT n * 7919 % 400 AS id, (n % 3)::text AS s, repeat(n || ' ', 2000) AS long, point(n, n) AS place
FROM generate_series(1, 400) AS n
"""


@pytest.fixture(params=["VIEW", "MATERIALIZED VIEW"])
def ties(request, create, execute):
    """A view with a column of 3 values."""
    execute(TABLE)
    return create("SELECT s, long, id, place FROM views.t", kind=request.param)


def all_pages(limit=50, **asked):
    """The pages of the view, each with its offset."""
    offset, more = 0, True
    while more:
        page = read_rows("default", V, limit=limit, offset=offset, **asked)
        yield offset, page
        offset, more = offset + limit, page.has_more


def ids(**asked):
    return [row[2].text for _, page in all_pages(**asked) for row in page.rows]


@pytest.mark.parametrize("key", ["s", "-s", "place"])
@pytest.mark.usefixtures("ties")
def test_all_rows_come_exactly_once_over_all_pages(key):
    found = ids(order_by=[key])
    assert len(found) == len(set(found)) == ROWS


@pytest.mark.parametrize("order_by", [["s"], ["-s"], []])
@pytest.mark.usefixtures("ties")
def test_every_cell_is_in_the_place_where_a_page_shows_it(order_by):
    asked = {"order_by": order_by, "conditions": [Condition("id", Operator.AT_LEAST, ("150",))]}
    read = 0
    for offset, page in all_pages(**asked):
        for place in range(0, len(page.rows), 11):
            cell = page.rows[place][1]
            assert cell.is_cut
            whole = read_cell(
                "default", V, "long", offset=offset + place, page_limit=50, expected=digest(cell), **asked
            )
            assert whole.text.startswith(cell.text)
            read += 1
    assert read == 25


def test_a_cell_is_found_without_a_total_order(create, execute):
    """Only one column has an order, and the rows are chosen as the page chose them."""
    execute(TABLE)
    create("SELECT s, json_build_object('id', id, 'long', long) AS data FROM views.t")
    asked = {"order_by": ["s"], "conditions": [Condition("s", Operator.NOT_EQUALS, ("2",))]}
    for offset, page in all_pages(**asked):
        for place in range(0, len(page.rows), 9):
            expected, where = digest(page.rows[place][1]), {"offset": offset + place, "page_limit": 50}
            assert read_cell("default", V, "data", expected=expected, **where, **asked).text


def sent_for_rows(queries):
    (sent,) = [
        query["sql"] for query in queries if "AS written" in query["sql"] and "EXPLAIN" not in query["sql"]
    ]
    return sent


@pytest.mark.usefixtures("ties")
def test_masked_values_do_not_order_rows():
    with CaptureQueriesContext(connections["default"]) as queries:
        read_rows("default", V, limit=10, order_by=["s"], mask=lambda: ["id", "long"])
    assert not any('"id"' in query["sql"] and "ORDER BY" in query["sql"] for query in queries)
    assert '"s"' in sent_for_rows(queries)


def test_small_columns_break_ties_before_long_ones(create, execute):
    execute(TABLE)
    create("SELECT s, long, 1.5 AS half, id, place, date '2026-06-30' AS day FROM views.t")
    with CaptureQueriesContext(connections["default"]) as queries:
        read_rows("default", V, limit=10, order_by=["-s"])
    assert 'ORDER BY "s" DESC, "half", "id", "day", "long" LIMIT' in sent_for_rows(queries)


def test_ties_are_not_broken_where_that_has_every_row_computed(create, execute):
    """PostgreSQL computes an expensive column for the rows of the page, unless rows are sorted by it."""
    execute(TABLE)
    execute(
        "CREATE FUNCTION views.dear(n integer) RETURNS integer LANGUAGE plpgsql STABLE COST 100000"
        " AS 'BEGIN RETURN n; END'"
    )
    create("SELECT s, long, id, views.dear(id) AS dear FROM views.t")
    with CaptureQueriesContext(connections["default"]) as queries:
        read_rows("default", V, limit=10, order_by=["s"])
    assert 'ORDER BY "s", "id" LIMIT' in sent_for_rows(queries)


def test_an_index_stays_in_use(create, execute):
    """Rows with the same value then come as they are in the index, on all pages."""
    execute(
        "CREATE TABLE views.large AS SELECT n % 3 AS s, n AS id FROM generate_series(1, 100000) AS n;"
        " CREATE INDEX ON views.large (s); ANALYZE views.large"
    )
    create("SELECT * FROM views.large")
    seen = set()
    for offset in (0, 50, 90_000, 90_050):
        with CaptureQueriesContext(connections["default"]) as queries:
            page = read_rows("default", V, limit=50, offset=offset, order_by=["s"])
        seen |= {row[1].text for row in page.rows}
        assert 'ORDER BY "s" LIMIT' in sent_for_rows(queries)
    assert len(seen) == 200


def test_a_scan_of_a_large_table_begins_at_its_start(create, execute):
    create("SELECT current_setting('synchronize_seqscans') AS setting")
    assert [row[0].text for row in read_rows("default", V, limit=1).rows] == ["off"]
    assert execute("SHOW synchronize_seqscans") == [("on",)]


def test_as_many_columns_as_postgresql_allows_are_sorted(create):
    create(
        "SELECT n % 2 AS s, "
        + ", ".join(f"{n} AS c{n}" for n in range(1599))
        + " FROM generate_series(1, 9) n"
    )
    page = read_rows("default", V, limit=9, order_by=["-s"])
    assert [row[0].text for row in page.rows] == ["1"] * 5 + ["0"] * 4
