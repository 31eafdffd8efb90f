"""What takes too long is compared by a sample, and what that takes too long for is not compared."""

from __future__ import annotations

import time

import pytest

from orm_views_core.comparison import Change, comparing
from orm_views_core.sync import sync_views
from tests.core.comparison.changing import compare, declare, texts

pytestmark = pytest.mark.django_db

ROWS = 2000


@pytest.fixture
def slow(registered, execute, settings):
    """A function that takes 2 ms, and 700 ms for the rows of all views to compare."""
    settings.ORM_VIEWS = {"COMPARE_TIMEOUT": 1.0}
    execute(f"CREATE TABLE goods AS SELECT g AS id, g % 7 AS price FROM generate_series(1, {ROWS}) g")
    for name, volatility in (("slow", "STABLE"), ("slower", "VOLATILE")):
        execute(
            f"CREATE FUNCTION public.{name}(n int) RETURNS int LANGUAGE plpgsql {volatility} AS"
            " 'BEGIN PERFORM pg_sleep(0.002); RETURN n; END'"
        )


def test_a_sample_when_all_takes_too_long(slow, execute):
    declare("Shown", "SELECT id, public.slow(price) AS price FROM goods")
    sync_views()
    declare("Shown", f"SELECT id, price + 1 AS price FROM goods WHERE id <= {ROWS // 2}")
    began = time.monotonic()
    found = compare()["shown"]
    assert time.monotonic() - began < 10  # it has stopped: all would take longer than that
    assert not found.why_not
    assert found.is_estimate
    sampled = execute(
        "SELECT count(*), count(*) FILTER (WHERE id <= 1000) FROM goods"
        " WHERE hash_record_extended(ROW(id), 0) % 100 = 0"
    )
    ((old, new),) = sampled
    assert 0 < new < old < 60
    assert (found.counts.old, found.counts.new) == (100 * old, 100 * new)
    assert (found.counts.added, found.counts.removed) == (0, 100 * (old - new))
    assert (found.counts.changed, found.counts.by_column) == (100 * new, {"price": 100 * new})
    assert sum(each.change is Change.REMOVED for each in found.samples) == min(20, old - new)
    assert all(int(after) == int(before) + 1 for before, after in prices(found))


def prices(found):
    changed = [each for each in found.samples if each.change is Change.CHANGED]
    return [(texts(each.old)[1], texts(each.new)[1]) for each in changed]


def test_a_sample_of_a_key_without_a_hash_function(slow, execute):
    declare("Shown", "SELECT id::money AS id, public.slow(price) AS price FROM goods")
    sync_views()
    declare("Shown", "SELECT id::money AS id, price + 1 AS price FROM goods")
    found = compare(key=["id"])["shown"]
    assert not found.why_not
    assert found.is_estimate
    assert found.counts.changed == found.counts.old > 0


def test_a_sample_of_rows_without_a_key(slow, execute):
    declare("Shown", "SELECT price, public.slow(1) AS one FROM goods WHERE id < 700")
    sync_views()
    declare("Shown", "SELECT price, 1 AS one FROM goods WHERE id < 700 AND price <> 3")
    found = compare()["shown"]
    assert found.key == ()
    # Equal rows have the same hash: none of the seven kinds of rows need be among the sample.
    assert found.why_not or found.is_estimate


def test_a_sample_of_more_columns_than_a_function_has_arguments(slow, monkeypatch):
    monkeypatch.setattr(comparing, "_EXACT", 0)
    columns = ", ".join(f"1::money AS c{n}" for n in range(101))
    declare("Shown", f"SELECT {columns} FROM goods")
    sync_views()
    declare("Shown", f"SELECT {columns} FROM goods WHERE id > 1")
    found = compare()["shown"]
    assert (found.why_not, found.is_estimate, found.key) == ("", True, ())


def test_what_takes_too_long_for_a_sample_is_not_compared(slow):
    declare("Shown", "SELECT id, price FROM goods")
    declare("Other", "SELECT id, price FROM goods")
    sync_views()
    declare("Shown", "SELECT id, public.slower(price) AS price FROM goods")
    declare("Other", "SELECT id, price + 1 AS price FROM goods")
    found = compare("other", "shown")
    assert found["shown"].why_not == (
        "The rows of views.shown were not compared: that takes longer than its share of the 1 s "
        "(ORM_VIEWS['COMPARE_TIMEOUT'])."
    )
    assert found["shown"].counts is None
    assert [column.name for column in found["shown"].columns] == ["id", "price"]
    assert found["other"].counts.changed == ROWS


def test_a_slow_view_leaves_time_for_the_next_one(slow):
    """The time that is left is shared: the transaction goes on after a time-out."""
    declare("Shown", "SELECT id, price FROM goods")
    declare("Other", "SELECT id, price FROM goods")
    sync_views()
    declare("Shown", "SELECT id, public.slower(price) AS price FROM goods")
    declare("Other", "SELECT id, price + 1 AS price FROM goods")
    found = compare("shown", "other")
    assert found["shown"].why_not
    assert (found["other"].counts.changed, found["other"].is_estimate) == (ROWS, False)


def test_new_views_are_counted_within_the_time_too(slow):
    declare("Shown", "SELECT id FROM goods WHERE public.slower(price) >= 0")
    assert "longer than its share" in compare()["shown"].why_not
