"""A name without a schema means what the search path finds: a sync notices when that is something else."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.names import ViewName
from orm_views_core.status import State, get_status
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromQueryset, PostgresViewFromSQL
from tests.demo.lending.models import Product

pytestmark = pytest.mark.django_db

ITEMS = ViewName("views", "items")


@pytest.fixture(autouse=True)
def tenants(execute):
    """Two schemas with the same names, of which the path finds those of the first."""
    for schema, number in (("north", 1), ("south", 2)):
        execute(
            f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.things AS SELECT {number} AS id, 'x' AS state;"
            f"CREATE FUNCTION {schema}.price(int) RETURNS int LANGUAGE sql IMMUTABLE"
            f" RETURN $1 * {number};"
            f"CREATE TYPE {schema}.mood AS ENUM ('good', 'bad'); CREATE DOMAIN {schema}.amount AS int"
        )
    execute("SET LOCAL search_path TO north, public")


def declare(sql, *bases, name="Items", **attributes):
    bases = (*bases, PostgresViewFromSQL)
    return type(name, bases, {"sql": sql, "__module__": __name__, **attributes})


def reasons():
    return {str(step.name): step.reason for plan in plan_views(["default"]) for step in plan.steps}


def state():
    status = get_status("default", ITEMS)
    return status.state, status.reason


@pytest.mark.parametrize("bases", [(), (PostgresMaterialisedViewMixin,)])
def test_a_path_that_finds_another_table_is_noticed_named_and_followed(bases, execute):
    declare("SELECT id FROM things", *bases)
    sync_views()
    assert execute("SELECT id FROM views.items") == [(1,)]
    assert not reasons()
    execute("SET LOCAL search_path TO south, public")
    meaning = "things is south.things, and was north.things"
    assert reasons() == {"views.items": f"the search path gives names another meaning: {meaning}"}
    assert state() == (State.CHANGED, f"The search path gives names in its SQL another meaning: {meaning}.")
    sync_views()
    assert execute("SELECT id FROM views.items") == [(2,)]
    assert not reasons()
    assert state()[0] is State.SYNCED


def test_the_table_of_a_model_is_found_along_the_path(execute):
    type(
        "Items",
        (PostgresViewFromQueryset,),
        {"__module__": __name__, "get_queryset": classmethod(lambda cls: Product.objects.values("id"))},
    )
    sync_views()
    execute("CREATE TABLE south.lending_product (id int); SET LOCAL search_path TO south, public")
    assert (
        "lending_product is south.lending_product, and was public.lending_product" in reasons()["views.items"]
    )


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT price(1) AS id", "price() is south.price, and was north.price"),
        ("SELECT 'good'::mood AS id", "mood is south.mood, and was north.mood"),
        ("SELECT CAST(1 AS amount) AS id", "amount is south.amount, and was north.amount"),
        ("SELECT ARRAY['good']::mood[] AS id", "mood is south.mood, and was north.mood"),
        ("SELECT id FROM (SELECT * FROM things) AS t", "things is south.things, and was north.things"),
        ('SELECT id FROM "things"', "things is south.things, and was north.things"),
    ],
)
def test_whatever_the_path_finds_is_noticed(sql, said, execute):
    declare(sql)
    sync_views()
    assert not reasons()
    execute("SET LOCAL search_path TO south, public")
    assert said in reasons()["views.items"]
    sync_views()
    assert not reasons()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM north.things",
        "SELECT things.id FROM north.things",
        "WITH things AS (SELECT id FROM north.things) SELECT id FROM things",
        "SELECT north.price(1) AS id",
        "SELECT 'good'::north.mood AS id",
        "SELECT a.id FROM north.things a JOIN south.things b USING (state)",
        "SELECT mood.id FROM (SELECT 'good'::north.mood AS id) AS mood",
    ],
)
def test_a_name_with_its_schema_means_the_same_along_every_path(sql, execute):
    declare(sql)
    sync_views()
    assert not reasons()
    execute("SET LOCAL search_path TO south, public")
    assert not reasons()
    assert state()[0] is State.SYNCED


def test_both_tables_of_a_name_may_be_read(execute):
    declare("SELECT things.id FROM things JOIN south.things AS s USING (state)")
    sync_views()
    assert not reasons()
    assert state()[0] is State.SYNCED
    execute("SET LOCAL search_path TO south, public")
    assert "things is south.things, and was north.things" in reasons()["views.items"]


def test_a_table_that_the_path_finds_no_longer_is_an_error_of_the_view(execute):
    declare("SELECT id FROM things")
    sync_views()
    execute("SET LOCAL search_path TO public")
    assert state() == (
        State.CHANGED,
        "The search path gives names in its SQL another meaning: things is not found, and was north.things.",
    )
    with pytest.raises(Exception, match='relation "things" does not exist'):
        plan_views()


def test_a_table_that_comes_between_is_noticed(execute):
    declare("SELECT id FROM things")
    sync_views()
    execute("CREATE SCHEMA before; SET LOCAL search_path TO before, north")
    assert not reasons()
    execute("CREATE TABLE before.things (id int)")
    assert "things is before.things, and was north.things" in reasons()["views.items"]


def test_a_view_that_is_declared_later_is_found_first(execute):
    execute("SET LOCAL search_path TO views, north")
    declare("SELECT id FROM things")
    sync_views()
    declare("SELECT 7 AS id", name="Things")
    assert "things is views.things, and was north.things" in reasons()["views.items"]
    sync_views()
    assert execute("SELECT id FROM views.items") == [(7,)]
    assert not reasons()


def test_a_view_with_the_name_of_its_table_does_not_find_itself(execute):
    execute("SET LOCAL search_path TO north, views")
    declare("SELECT id FROM things", name="Things")
    sync_views()
    assert not reasons()


def test_a_changed_class_is_the_reason_before_the_path(execute):
    view = declare("SELECT id FROM things")
    sync_views()
    execute("SET LOCAL search_path TO south, public")
    view.sql = "SELECT id, state FROM things"
    assert reasons()["views.items"].startswith("its class has changed")


def test_the_path_costs_one_query_for_all_views(execute):
    def queries(count):
        for number in range(count):
            declare("SELECT id FROM things", name=f"View{number}")
        sync_views()
        with CaptureQueriesContext(connections["default"]) as captured:
            plan_views()
        return len(captured)

    assert queries(2) == queries(30)
