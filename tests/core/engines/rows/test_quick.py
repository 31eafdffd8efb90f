"""Quick columns are those for which an index finds the rows that have a value."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName

from .views import NOWHERE, V

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tables(execute):
    execute(
        "CREATE TABLE views.customers (id integer PRIMARY KEY, email text, note text, UNIQUE (email, note))"
    )
    execute("CREATE INDEX ON views.customers (lower(email))")
    execute(
        "CREATE TABLE views.loans (id integer PRIMARY KEY, customer int, amount numeric, state varchar(9))"
    )
    execute(
        "CREATE INDEX ON views.loans (customer); CREATE INDEX ON views.loans (amount) WHERE state = 'open'"
    )
    execute("CREATE INDEX ON views.loans USING hash (state)")
    execute("CREATE TABLE views.bare (id integer, customer integer)")
    execute('CREATE TABLE views.parted (id integer, "Day" date, note text) PARTITION BY RANGE (id)')
    execute("CREATE TABLE views.part1 PARTITION OF views.parted FOR VALUES FROM (1) TO (10)")
    execute("CREATE TABLE views.part2 PARTITION OF views.parted FOR VALUES FROM (10) TO (20)")
    execute('CREATE INDEX ON views.parted (id); CREATE INDEX ON views.parted ("Day", note)')


def quick_columns(name=V):
    """The quick columns of a view, none of whose rows is read."""
    return read_rows("default", name, limit=1, find_quick=True, conditions=lambda columns: None).quick


@pytest.mark.parametrize(
    ("sql", "quick"),
    [
        ("SELECT * FROM views.customers", {"id", "email"}),
        ("SELECT id AS number, email || '' AS email, note FROM views.customers", {"number"}),
        ("SELECT lower(email) AS mail FROM views.customers", {"mail"}),
        ("SELECT * FROM views.loans", {"id", "customer", "state"}),
        ("SELECT * FROM views.loans WHERE state = 'open'", {"id", "customer", "amount"}),
        ("SELECT customer, sum(amount) AS total FROM views.loans GROUP BY customer", {"customer"}),
        ("SELECT customer, sum(id) OVER (PARTITION BY customer) AS s FROM views.loans", {"customer"}),
        ("SELECT id, row_number() OVER (ORDER BY id) AS place FROM views.loans", set()),
        ("SELECT * FROM views.loans LIMIT 10", set()),
        ("SELECT DISTINCT customer FROM views.loans", {"customer"}),
        ("SELECT id, customer FROM views.loans UNION ALL SELECT id, 0 FROM views.customers", {"id"}),
        ("SELECT id, customer FROM views.loans UNION ALL SELECT * FROM views.bare", set()),
        (
            (
                "SELECT l.id, c.id AS customer, c.email, c.note, amount"
                " FROM views.loans l LEFT JOIN views.customers c ON c.id = l.customer"
            ),
            {"id", "customer", "email"},
        ),
        ('SELECT "A b".id, "A b".customer FROM views.loans AS "A b"', {"id", "customer"}),
        ("SELECT id, note FROM views.customers AS and_so_on", {"id"}),
        ("SELECT * FROM views.parted", {"id", "Day"}),
        ("SELECT 1 AS id, 'x'::text AS email", set()),
        ("SELECT * FROM views.bare", set()),
        ("SELECT FROM views.loans", set()),
    ],
)
def test_the_planner_says_which_columns_are_quick(sql, quick, create):
    create(sql)
    assert quick_columns() == quick
    assert read_rows("default", V, limit=1, find_quick=True).quick == quick
    assert read_rows("default", V, limit=1).quick == frozenset()


def test_a_view_on_a_view_on_a_materialised_view(create, execute):
    low = create(
        "SELECT id, customer, amount FROM views.loans", ViewName("views", "low"), "MATERIALIZED VIEW"
    )
    create("SELECT * FROM views.low", ViewName("views", "between"))
    create("SELECT id, customer FROM views.between")
    assert quick_columns() == quick_columns(low) == set()
    execute("CREATE INDEX ON views.low (customer, id); CREATE INDEX ON views.low (amount) INCLUDE (id)")
    assert quick_columns(low) == {"customer", "amount"}
    assert quick_columns() == {"customer"}


def test_no_column_is_planned_where_no_index_can_be(create):
    create("SELECT id::text AS id, 1.5::float8 AS half FROM views.loans")
    with CaptureQueriesContext(connections["default"]) as queries:
        assert quick_columns() == set()
    assert not any("EXPLAIN" in query["sql"] for query in queries)


def test_planning_that_takes_too_long_marks_no_column(create, execute):
    execute(
        "CREATE FUNCTION views.slow_to_plan() RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pg_catalog.pg_sleep(30); RETURN 1; END $$"
    )
    create("SELECT id FROM views.loans WHERE customer = views.slow_to_plan()")
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.2}):
        assert quick_columns() == set()


def test_nothing_is_read_and_no_setting_stays(create, execute):
    create("SELECT id, 1 / (id - id) AS fails FROM views.loans")
    execute("INSERT INTO views.loans VALUES (1)")
    assert quick_columns() == {"id"}
    assert execute("SHOW enable_seqscan") == [("on",)]
    assert execute("SELECT current_setting('orm_views.names', true)") in ([("",)], [(None,)])


def test_a_view_that_is_not_there(execute):
    with pytest.raises(RowsUnavailableError, match=r"views\.nowhere is not in the database"):
        quick_columns(NOWHERE)
