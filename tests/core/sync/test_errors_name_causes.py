"""Errors name what causes them: a class that takes a column away, and a view that is named in a string."""

from __future__ import annotations

import pytest

from orm_views_core.exceptions import ViewSQLError
from orm_views_core.inspection import inspect_view
from orm_views_core.names import ViewName
from orm_views_core.status import get_detail
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.mark.parametrize("act", [plan_views, sync_views])
@pytest.mark.parametrize("bases", [(), (PostgresMaterialisedViewMixin,)])
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT 1 AS x", "column y is removed"),
        ("SELECT 1 AS x, ARRAY[2] AS y", r"column y integer becomes y integer\[\]"),
    ],
)
def test_a_class_that_changes_a_column_that_another_one_reads_is_named_too(sql, why, bases, act):
    declare("Source", "SELECT 1 AS x, 2 AS y", *bases)
    declare("Reader", "SELECT y + 1 AS y FROM views.source")
    sync_views()
    declare("Source", sql, *bases)
    with pytest.raises(ViewSQLError) as failure:
        act()
    message = str(failure.value)
    assert message.startswith("tests.Reader (")
    assert "\nIt reads views.source, which changes: " in message
    assert failure.match(why + r" \(tests\.Source \(.*, line \d+\)\)")


def test_it_is_named_through_the_views_between():
    declare("Source", "SELECT 1 AS x, 2 AS y")
    declare("Between", "SELECT * FROM views.source")
    declare("Reader", "SELECT y FROM views.between")
    sync_views()
    declare("Source", "SELECT 1 AS x")
    with pytest.raises(ViewSQLError, match=r"(?s)tests\.Reader.*views\.source, which.*tests\.Source"):
        plan_views()


def test_an_error_of_its_own_names_no_other_class():
    declare("Source", "SELECT 1 AS x, 2 AS y")
    declare("Reader", "SELECT y FROM views.source")
    sync_views()
    declare("Source", "SELECT 1 AS x, 2 AS y, 3 AS z")
    declare("Reader", "SELECT nothing FROM views.source")
    with pytest.raises(ViewSQLError) as failure:
        plan_views()
    assert "which changes" not in str(failure.value)


@pytest.mark.parametrize("act", [plan_views, sync_views])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'views.zz_named'::regclass AS oid",
        "SELECT regclass 'views.zz_named' AS oid",
        """SELECT '"views"."zz_named"'::regclass AS oid""",
        "SELECT $$views.zz_named$$::regclass AS oid",
        "SELECT NULL::int FROM pg_class WHERE oid = 'views.zz_named'::regtype",
    ],
)
def test_a_view_that_is_named_in_a_string_is_a_dependency_to_declare(sql, act):
    declare("Reader", sql)
    named = declare("zz_named", "SELECT 1 AS x")
    with pytest.raises(ViewSQLError, match=r"views\.zz_named in a string.*view_dependencies") as failure:
        act()
    assert "tests.zz_named (" in str(failure.value)
    declare("Reader", sql, view_dependencies=[named])
    sync_views()
    assert plan_views()[0].is_empty


@pytest.mark.parametrize(
    "sql", ["SELECT 'views.nobody'::regclass", "SELECT 'views.zz_named' FROM views.nobody"]
)
def test_other_relations_that_are_missing_are_said_as_ever(sql):
    declare("zz_named", "SELECT 1 AS x")
    sync_views()
    declare("Reader", sql)
    with pytest.raises(ViewSQLError, match="does not exist") as failure:
        plan_views()
    assert "view_dependencies" not in str(failure.value)


def test_a_view_without_columns_is_inspected_planned_and_shown(execute):
    declare("Nothing", "SELECT")
    assert inspect_view("nothing").columns == ()
    sync_views()
    assert inspect_view("nothing").columns == ()
    detail = get_detail("default", ViewName("views", "nothing"))
    assert detail.expected.columns == ()
    declare("Nothing", "SELECT 1 AS x")
    (plan,) = plan_views()
    assert [step.action.verb for step in plan.steps] == ["replace"]
    sync_views()
    declare("Nothing", "SELECT")
    sync_views()
    assert execute("SELECT count(*) FROM views.nothing") == [(1,)]


def test_a_plan_says_that_it_cannot_try_a_string_before_the_first_sync():
    named = declare("zz_named", "SELECT 1 AS x")
    declare("Reader", "SELECT 'views.zz_named'::regclass AS oid", view_dependencies=[named])
    with pytest.raises(ViewSQLError, match="sync_views creates it first"):
        plan_views()
    sync_views()
    assert plan_views()[0].is_empty
