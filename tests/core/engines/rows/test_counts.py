"""Counts are exact when they come in time, and estimates otherwise. Both are read-only."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from orm_views_core.engines.postgresql.rows import RowCount, count_rows, estimate_rows, read_rows
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName

from .views import NOWHERE, V, texts

pytestmark = pytest.mark.django_db


def test_a_count_is_exact_when_it_comes_in_time(create):
    create("SELECT * FROM generate_series(1, 1234)")
    assert count_rows("default", V) == RowCount(1234, exact=True)


def test_an_empty_view_has_exactly_no_rows(create):
    create("SELECT id FROM lending_loan")
    assert count_rows("default", V) == RowCount(0, exact=True)


def test_a_count_that_takes_too_long_is_the_planners_estimate(create):
    create("SELECT g FROM generate_series(1, 1000) AS g WHERE pg_sleep(1) IS NOT NULL")
    with override_settings(ORM_VIEWS={"COUNT_TIMEOUT": 0.05}):
        count = count_rows("default", V)
    assert not count.exact
    assert count.rows == estimate_rows("default", [V])[V] > 0


def test_a_count_of_a_view_that_cannot_be_read_says_why(create, execute):
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    with pytest.raises(RowsUnavailableError, match=r"views\.v has no rows yet.*Refresh it first"):
        count_rows("default", V)
    with pytest.raises(RowsUnavailableError, match=r"views\.nowhere is not in the database. Sync it first."):
        count_rows("default", NOWHERE)


def test_a_view_that_reads_one_without_rows_says_which(create, execute):
    low = create("SELECT 1 AS id", ViewName("views", "low"), kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {low.quoted} WITH NO DATA")
    create("SELECT * FROM views.low", ViewName("views", "between"))
    create("SELECT * FROM views.between")
    wanted = r"views\.v cannot be read yet: views\.low has no rows\. Refresh that first\."
    for read in (count_rows, lambda *view: read_rows(*view, limit=1)):
        with pytest.raises(RowsUnavailableError, match=wanted):
            read("default", V)


def test_estimates_of_many_views_take_as_many_queries_as_of_one(create):
    names = [
        create(f"SELECT * FROM generate_series(1, {n})", ViewName("views", f'Odd "{n}" %s')) for n in (3, 70)
    ]
    counts = []
    for asked in (names[:1], names):
        with CaptureQueriesContext(connections["default"]) as queries:
            estimates = estimate_rows("default", asked)
        counts.append(len(queries))
        assert estimates == {name: n for name, n in zip(names, (3, 70), strict=True) if name in asked}
    assert counts[0] == counts[1]


def test_what_cannot_be_planned_is_left_out_of_the_estimates(create, execute):
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    other = create("SELECT 1 AS id", ViewName("views", "other"))
    assert other in estimate_rows("default", [NOWHERE, other])
    assert NOWHERE not in estimate_rows("default", [NOWHERE, other])
    assert estimate_rows("default", []) == {}


def test_estimates_that_take_too_long_are_left_out(execute, create):
    execute(
        "CREATE FUNCTION views.slow_to_plan() RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pg_catalog.pg_sleep(30); RETURN 1; END $$"
    )
    create("SELECT g FROM generate_series(1, 5) AS g WHERE g = views.slow_to_plan()")
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.05, "COUNT_TIMEOUT": 0.05}):
        assert estimate_rows("default", [V]) == {}
        assert count_rows("default", V) == RowCount(None, exact=False)


@pytest.mark.parametrize("name", ['Odd "name"', "a%b", "%s", "two words", "$orm_views$", "größe"])
def test_a_view_of_any_name_is_read_counted_and_estimated(name, create):
    odd = create("SELECT 'x' AS text", ViewName("views", name))
    assert texts(odd) == [["x"]]
    assert count_rows("default", odd) == RowCount(1, exact=True)
    assert estimate_rows("default", [odd]) == {odd: 1}
