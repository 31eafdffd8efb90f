"""Both sides are whole sets of views, computed now: what stands between is of the same side."""

from __future__ import annotations

import datetime as dt

import pytest

from orm_views_core.comparison import Action, compare_views
from orm_views_core.exceptions import CyclicDependencyError, UnknownNameError, UnknownViewError
from orm_views_core.refresh.api import refresh_materialized_view
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import registry
from tests.core.comparison.changing import change, compare, declare, texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods(registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g * 10 AS price FROM generate_series(1, 100) g")


def test_stored_rows_are_computed_now(goods, execute):
    """The data has moved on since the last refresh: that is no change of the definition."""
    declare("Shown", "SELECT id, price FROM goods", stored=True)
    sync_views()
    execute("INSERT INTO goods VALUES (101, 1010)")
    execute("UPDATE goods SET price = 0 WHERE id <= 5")
    declare("Shown", "SELECT id, price + CASE WHEN id = 7 THEN 1 ELSE 0 END AS price FROM goods", stored=True)
    now = compare()["shown"]
    assert (now.counts.old, now.counts.added, now.counts.changed, now.stored) == (101, 0, 1, False)
    stored = compare(stored=True)["shown"]
    assert (stored.counts.old, stored.counts.added, stored.counts.changed) == (100, 1, 6)
    assert stored.stored
    assert abs(stored.refreshed - dt.datetime.now(dt.timezone.utc)) < dt.timedelta(minutes=1)


def test_stored_rows_that_are_not_there(goods):
    declare("Shown", "SELECT id, price FROM goods", stored=True, with_data=False)
    sync_views()
    declare("Shown", "SELECT id, price + 1 AS price FROM goods", stored=True, with_data=False)
    assert compare()["shown"].counts.changed == 100
    assert "not populated" in compare(stored=True)["shown"].why_not


def test_views_of_views(goods, execute):
    """The source changes, and a view on top of it too; a stored one stands between."""
    declare("Base", "SELECT id, price FROM goods")
    declare("Kept", "SELECT id, price FROM views.base WHERE id > 50", stored=True)
    declare("Top", "SELECT id, price FROM views.kept")
    declare("Apart", "SELECT id FROM goods")
    sync_views()
    execute("UPDATE goods SET price = price + 5")
    declare("Base", "SELECT id, CASE WHEN id > 98 THEN 0 ELSE price END AS price FROM goods")
    declare("Top", "SELECT id, price FROM views.kept WHERE id < 100")
    found = compare()
    assert list(found) == ["base", "kept", "top"]
    assert found["base"].counts.by_column == {"price": 2}
    assert (found["kept"].counts.old, found["kept"].counts.by_column) == (50, {"price": 2})
    assert (found["top"].counts.removed, found["top"].counts.by_column) == (1, {"price": 1})


def test_a_plain_view_on_top_that_no_step_is_about(goods):
    declare("Base", "SELECT id, price FROM goods")
    declare("Top", "SELECT sum(price) AS total FROM views.base")
    sync_views()
    declare("Base", "SELECT id, price + 1 AS price FROM goods")
    assert [step.name.name for step in plan_views(["default"])[0].steps] == ["base"]
    top = compare()["top"]
    assert (top.action, top.counts.added, top.counts.removed) == (Action.CHANGED, 1, 1)


def test_views_of_others_between(goods, execute):
    declare("Base", "SELECT id, price FROM goods")
    sync_views()
    execute("CREATE SCHEMA reports")
    execute("CREATE VIEW reports.between AS SELECT id, price FROM views.base")
    declare("Top", "SELECT id, price FROM reports.between")
    sync_views()
    declare("Base", "SELECT id, price + 1 AS price FROM goods WHERE id > 10")
    found = compare("top")["top"]
    assert (found.counts.removed, found.counts.changed) == (10, 90)


def test_new_and_dropped_views(goods):
    declare("Gone", "SELECT id FROM goods")
    declare("Left", "SELECT id FROM goods")
    sync_views()
    with registry.isolated():
        declare("Left", "SELECT id FROM goods")
        declare("Base", "SELECT id FROM goods WHERE id > 10", stored=True)
        declare("Fresh", "SELECT id FROM views.base WHERE id < 31")
        found = compare()
    assert {name: (each.action, each.counts.old, each.counts.new) for name, each in found.items()} == {
        "gone": (Action.DROPPED, 100, 0),
        "base": (Action.NEW, 0, 90),
        "fresh": (Action.NEW, 0, 20),
    }


def test_a_view_that_drifted(goods, execute):
    declare("Shown", "SELECT id, price FROM goods")
    sync_views()
    execute("CREATE OR REPLACE VIEW views.shown AS SELECT id, price * 2 AS price FROM goods")
    found = compare()["shown"]
    assert found.counts.by_column == {"price": 100}
    assert texts(found.samples[0].old) == ["1", "20"]
    assert texts(found.samples[0].new) == ["1", "10"]


def test_a_view_that_becomes_stored(goods):
    declare("Shown", "SELECT id, price FROM goods")
    sync_views()
    declare("Shown", "SELECT id, price FROM goods WHERE id <> 3", stored=True)
    assert compare()["shown"].counts.removed == 1


def test_a_string_that_names_the_old_version(goods):
    declare("Base", "SELECT id, price FROM goods")
    declare("Top", "SELECT id, 'views.base'::regclass::oid::int AS base, price FROM views.base")
    sync_views()
    declare("Base", "SELECT id, price + 1 AS price FROM goods")
    found = compare("top")["top"]
    assert found.why_not.startswith("views.top reads views.base through a string or a function")
    assert found.counts is None


def test_a_function_that_reads_the_old_version(goods, execute):
    declare("Base", "SELECT id, price FROM goods")
    sync_views()
    execute(
        "CREATE FUNCTION public.dearest() RETURNS int LANGUAGE plpgsql STABLE AS"
        " 'BEGIN RETURN (SELECT max(price) FROM views.base); END'"
    )
    base = declare("Base", "SELECT id, price FROM goods")
    declare("Top", "SELECT public.dearest() AS price", view_dependencies=[base])
    sync_views()
    base = declare("Base", "SELECT id, price + 1 AS price FROM goods")
    declare("Top", "SELECT public.dearest() AS price", view_dependencies=[base])
    assert "through a string or a function" in compare("top")["top"].why_not


def test_columns_that_both_have_not(goods):
    found = change("SELECT id FROM goods", "SELECT price FROM goods")
    assert found.why_not == "Both definitions of views.shown have no column in common."
    assert [c.name for c in found.columns] == ["price", "id"]


def test_views_that_read_each_other_in_a_circle(goods):
    declare("One", "SELECT id FROM goods")
    declare("Two", "SELECT id FROM views.one")
    sync_views()
    (plan,) = plan_views(["default"], force=True)
    declare("One", "SELECT id FROM views.two")
    with pytest.raises(CyclicDependencyError, match=r"views\.one → views\.two → views\.one"):
        compare()
    with pytest.raises(CyclicDependencyError, match=r"views\.one → views\.two → views\.one"):
        compare_views(plan)


def test_a_definition_that_postgresql_refuses_is_refused_by_the_plan(goods):
    declare("Shown", "SELECT id FROM goods")
    sync_views()
    (plan,) = plan_views(["default"], force=True)
    declare("Shown", "SELECT wrong FROM goods")
    (found,) = compare_views(plan).views
    assert found.why_not.startswith('views.shown cannot be tried: column "wrong" does not exist')


def test_rows_that_cannot_be_computed(goods):
    found = change("SELECT id, price FROM goods", "SELECT id, 1 / (id - 7) AS price FROM goods")
    assert found.why_not == "The rows of views.shown cannot be read: division by zero."
    assert found.why_not.rest == "The rows of views.shown cannot be read."
    assert found.counts is None


def test_one_view_that_fails_leaves_the_others(goods):
    declare("Bad", "SELECT id, price FROM goods")
    declare("Good", "SELECT id, price FROM goods")
    sync_views()
    declare("Bad", "SELECT id, 1 / (id - 7) AS price FROM goods")
    declare("Good", "SELECT id, 1 AS price FROM goods")
    found = compare()
    assert found["bad"].why_not
    assert found["good"].counts.changed == 100


def test_unknown_views_and_columns(goods):
    declare("Shown", "SELECT id, price, ARRAY[1] AS list FROM goods")
    sync_views()
    with pytest.raises(UnknownViewError, match=r"has no view views\.nobody, and no class declares it"):
        compare("nobody")
    declare("Shown", "SELECT id, 0 AS price, ARRAY[1] AS list FROM goods")
    with pytest.raises(UnknownNameError, match=r"no column 'prise' in both .* it has id, price\."):
        compare(key=["prise"])
    with pytest.raises(UnknownNameError, match="no column 'list'"):
        compare(key=["list"])


def test_a_view_without_rows_below(goods, execute):
    empty = declare("Empty", "SELECT id FROM goods", stored=True, with_data=False)
    declare("Shown", "SELECT id, 1 AS n FROM views.empty")
    sync_views()
    declare("Shown", "SELECT id, 2 AS n FROM views.empty")
    assert 'materialized view "empty" has not been populated' in compare()["shown"].why_not
    refresh_materialized_view(empty)
    assert compare()["shown"].counts.changed == 100
