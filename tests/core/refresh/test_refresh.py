"""Refreshing in dependency order, and concurrently where PostgreSQL allows it."""

from __future__ import annotations

import pytest
from django.db import connections

from orm_views_core import signals
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.exceptions import InvalidViewError, RefreshError, UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_materialized_view, refresh_views, why_not_concurrently
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.values import MATERIALISED, define, install

pytestmark = pytest.mark.django_db


def declare(class_name, sql="SELECT 1 AS id", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def numbers(execute):
    execute("CREATE TABLE numbers (id int); INSERT INTO numbers VALUES (1)")


def installed(text="a", database="default"):
    name = ViewName("views", text)
    return read_catalog(connections[database], [], only=[name]).relations[name]


def names(results):
    return [result.name.name for result in results]


def test_views_are_refreshed_after_what_they_read_even_through_plain_views(numbers, execute):
    declare("D", "SELECT id FROM views.c")
    declare("B", "SELECT id FROM views.a")
    declare("A", "SELECT id FROM numbers")
    declare("C", "SELECT id FROM views.b", materialised=False)
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")
    assert names(refresh_views()) == ["a", "b", "d"]
    assert execute("SELECT count(*) FROM views.d") == [(2,)]


def test_only_the_chosen_views_are_refreshed_and_in_dependency_order(numbers, execute):
    declare("B", "SELECT id FROM views.a")
    declare("A", "SELECT id FROM numbers")
    declare("Other", "SELECT id FROM numbers")
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")
    assert names(refresh_views(["views.b", "tests.A"])) == ["a", "b"]
    assert execute("SELECT count(*) FROM views.other") == [(1,)]


def test_a_view_is_refreshed_concurrently_where_possible_and_else_the_result_says_why_not(execute):
    declare("A", pk_field="id")
    declare("B")
    declare("C", pk_field="id", with_data=False)
    sync_views()
    started = []
    results = refresh_views(
        on_start=lambda d, concurrently, why: started.append((d.name.name, concurrently, why))
    )
    assert started == [(r.name.name, r.concurrently, r.why_not) for r in results]
    how = {result.name.name: (result.concurrently, result.why_not) for result in results}
    assert how["a"] == (True, "")
    assert how["b"] == (False, "it has no unique index on plain columns; set pk_field on its class")
    assert how["c"] == (False, "it has no rows yet, so there is nothing to go on reading")
    assert refresh_views(["c"])[0].concurrently


def test_concurrently_can_be_refused():
    declare("A", pk_field="id")
    sync_views()
    (result,) = refresh_views(concurrently=False)
    assert result.concurrently is False


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({}, "no unique index on plain columns"),
        ({"pk_field": "id", "with_data": False}, "it has no rows yet"),
    ],
)
def test_insisting_on_concurrently_where_it_is_impossible_is_an_error(attributes, why, execute):
    declare("A", pk_field="id")
    declare("Wrong", **attributes)
    sync_views()
    done = []
    with pytest.raises(RefreshError, match=rf"tests\.Wrong \(.*cannot be refreshed concurrently: .*{why}"):
        refresh_views(concurrently=True, on_done=done.append)
    assert done == []


def test_an_index_made_by_hand_allows_to_refresh_concurrently(execute):
    declare("A")
    sync_views()
    execute("CREATE UNIQUE INDEX by_hand ON views.a (id)")
    (result,) = refresh_views()
    assert result.concurrently


def test_why_not_is_pure():
    definition = define("a", kind=MATERIALISED)
    assert why_not_concurrently(install(definition, populated=False)).startswith("it has no rows yet")
    assert why_not_concurrently(install(definition)).startswith("it has no unique index")


def test_an_unpopulated_view_is_filled_and_can_be_read(execute):
    declare("A", with_data=False)
    sync_views()
    (status,) = get_statuses()[0].views
    assert status.state is State.NOT_POPULATED
    refresh_views()
    assert execute("SELECT id FROM views.a") == [(1,)]
    (status,) = get_statuses()[0].views
    assert status.state is State.SYNCED


def test_a_refresh_is_recorded_in_the_sync_state_and_leaves_the_view_synced(execute):
    declare("A", "SELECT 1 AS id", with_data=False)
    sync_views()
    before = installed()
    assert before.state.refreshed is None
    (result,) = refresh_views()
    after = installed()
    assert after.state.refreshed > before.state.synced
    assert after.state.seconds == round(result.seconds, 3)
    assert after.state.synced == before.state.synced
    assert after.state.code == before.state.code
    assert after.oid == before.oid
    assert all(plan.is_empty for plan in plan_views())


def test_the_docstring_stays_before_the_sync_state():
    declare("A", __doc__="It's read by the board.\n\nEvery month.")
    sync_views()
    refresh_views()
    assert installed().text == "It's read by the board.\n\nEvery month."


def test_a_view_without_a_sync_state_is_refreshed_and_its_comment_left_alone(execute):
    declare("A")
    execute("CREATE SCHEMA views; CREATE MATERIALIZED VIEW views.a AS SELECT 1 AS id")
    execute("COMMENT ON MATERIALIZED VIEW views.a IS 'Somebody''s.'")
    assert names(refresh_views()) == ["a"]
    assert (installed().text, installed().state) == ("Somebody's.", None)


@pytest.mark.parametrize("wanted", ["aa", "view.a", "test.A", "views.A"])
def test_an_unknown_name_is_an_error_with_a_suggestion(wanted):
    declare("A")
    with pytest.raises(UnknownViewError, match=rf"is called '{wanted}'\. Did you mean .*[aA]"):
        refresh_views([wanted])


def test_a_plain_view_cannot_be_refreshed():
    declare("Plain", materialised=False)
    with pytest.raises(UnknownViewError, match=r"tests\.Plain \(.*views\.plain is not a materialised view"):
        refresh_views(["plain"])
    assert refresh_views() == []


def test_a_view_that_is_not_there_says_to_sync(execute):
    declare("A")
    with pytest.raises(
        RefreshError, match=r"tests\.A \(.*views\.a is not there .*'default'\. Run sync_views"
    ):
        refresh_views()
    execute("CREATE SCHEMA views; CREATE VIEW views.a AS SELECT 1 AS id")
    with pytest.raises(RefreshError, match=r"views\.a is a view there"):
        refresh_views()


def test_a_refresh_that_fails_names_the_view_and_those_before_it_stay_refreshed(numbers, execute):
    declare("A", "SELECT id FROM numbers")
    declare("B", "SELECT 10 / (2 - id) AS id FROM views.a")
    declare("C", "SELECT id FROM views.b")
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")
    done = []
    with pytest.raises(
        RefreshError, match=r"views\.b in database 'default' could not be refreshed: division by"
    ):
        refresh_views(on_done=lambda result: done.append(result.name.name))
    assert done == ["a"]
    assert execute("SELECT count(*) FROM views.a") == [(2,)]
    assert execute("SELECT count(*) FROM views.c") == [(1,)]


def test_rows_that_share_a_key_are_an_error_of_the_refresh(numbers, execute):
    declare("A", "SELECT id FROM numbers", pk_field="id")
    sync_views()
    execute("INSERT INTO numbers VALUES (1)")
    for concurrently in (True, False):
        with pytest.raises(
            RefreshError, match=r"(?s)views\.a in database .* duplicate|could not create unique"
        ):
            refresh_views(concurrently=concurrently)
    assert execute("SELECT count(*) FROM views.a") == [(1,)]


def test_a_refresh_that_takes_too_long_is_an_error_of_the_refresh(execute):
    declare("A", "SELECT pg_sleep(5) IS NULL AS id", with_data=False)
    sync_views()
    execute("SET LOCAL statement_timeout = 50")
    with pytest.raises(RefreshError, match=r"views\.a could not .*longer than statement_timeout \(0\.05 s\)"):
        refresh_views()


def test_an_invalid_view_stops_before_anything_is_refreshed():
    declare("A")
    sync_views()
    declare("Wrong", sql="")
    done = []
    with pytest.raises(InvalidViewError, match="Wrong"):
        refresh_views(on_done=done.append)
    assert done == []


@pytest.mark.parametrize("name", ['Odd "name"', "two words", "a%b", "größe"])
def test_a_view_of_any_name_is_refreshed(name):
    declare("Odd", name=name, schema='The "schema"', pk_field="id")
    sync_views()
    (result,) = refresh_views([name])
    assert result.name == ViewName('The "schema"', name)
    assert result.concurrently


def test_each_refresh_sends_a_signal_with_its_result():
    declare("A")
    declare("B", "SELECT id FROM views.a")
    sync_views()
    received = []

    def receive(sender, database, result, **kwargs):
        received.append((database, result))

    signals.view_refreshed.connect(receive)
    try:
        results = refresh_views()
    finally:
        signals.view_refreshed.disconnect(receive)
    assert received == [("default", result) for result in results]
    assert all(result.seconds >= 0 for result in results)


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_each_database_has_its_own_views_and_one_can_be_chosen(execute):
    declare("A")
    declare("Stock", database="warehouse")
    sync_views()
    both = refresh_views()
    assert [(r.database, r.name.name) for r in both] == [("default", "a"), ("warehouse", "stock")]
    assert names(refresh_views(databases=["warehouse"])) == ["stock"]
    with pytest.raises(UnknownViewError):
        refresh_views(["a"], databases=["warehouse"])
    assert installed("stock", "warehouse").state.refreshed is not None


def test_one_view_is_refreshed_by_its_class_or_an_instance(numbers, execute):
    view = declare("A", "SELECT id FROM numbers", pk_field="id")
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")
    refresh_materialized_view(view)
    assert execute("SELECT count(*) FROM views.a") == [(2,)]
    execute("INSERT INTO numbers VALUES (3)")
    refresh_materialized_view(view(), concurrently=True)
    assert execute("SELECT count(*) FROM views.a") == [(3,)]


def test_one_view_that_is_not_there_says_to_sync():
    view = declare("A")
    with pytest.raises(
        RefreshError, match=r"views\.a is not there in database 'default'\. Run sync_views first"
    ):
        refresh_materialized_view(view)


def test_concurrently_without_a_key_is_a_value_error():
    view = declare("A")
    sync_views()
    with pytest.raises(ValueError, match="Can't refresh concurrently without a pk_field"):
        refresh_materialized_view(view, concurrently=True)
