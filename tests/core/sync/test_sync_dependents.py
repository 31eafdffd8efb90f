"""Uncommon dependents of a view: of its row type, or of an orphan that is dropped as well."""

from __future__ import annotations

import pytest

from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, **attributes):
    return type(class_name, (PostgresViewFromSQL,), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def base(registered):
    """A view, and a function that changes it in a way that needs a rebuild."""
    declare("A", "SELECT 1 AS id")
    sync_views()
    return lambda: declare("A", "SELECT 2 AS code, 1 AS id")


@pytest.mark.parametrize("schema", ["views", "public"])
@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("CREATE TABLE {}.kept (row views.a)", "table"),
        ("CREATE TABLE {}.kept (rows views.a[])", "table"),
        ("CREATE TYPE {}.kept AS (row views.a)", "composite type"),
    ],
)
def test_what_has_a_column_of_the_type_of_the_rows_stops_the_sync_before_it_begins(
    base, statement, kind, schema, execute, take_picture
):
    execute(statement.format(schema))
    base()
    before = take_picture()
    (plan,) = plan_views()
    (problem,) = plan.problems
    assert f"the {kind} {schema}.kept uses the type of its rows" in problem
    assert take_picture() == before


@pytest.mark.parametrize("schema", ["views", "public"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT NULL::views.a AS empty",
        "SELECT ARRAY[]::views.a[] AS none",
        "SELECT a AS whole FROM views.a",
        "SELECT (NULL::views.a).id AS id",
    ],
)
def test_a_view_that_uses_the_type_of_the_rows_is_made_anew_with_it(base, sql, schema, execute):
    execute(f"CREATE VIEW {schema}.typed AS {sql}")
    base()
    sync_views()
    assert execute(f"SELECT count(*) FROM {schema}.typed") == [(1,)]
    assert plan_views()[0].is_empty


def test_a_view_of_ours_that_shows_whole_rows_is_rebuilt_with_what_it_reads(base, execute):
    declare("Whole", "SELECT a AS whole FROM views.a")
    sync_views()
    base()
    sync_views()
    assert execute("SELECT (whole).code FROM views.whole") == [(2,)]
    assert plan_views()[0].is_empty


def test_an_orphan_in_the_way_takes_along_the_orphans_that_read_it(base, registered, execute):
    gone = [declare("B", "SELECT id FROM views.a"), declare("C", "SELECT id FROM views.b")]
    sync_views()
    for view in gone:
        registered.unregister(view)
    base()
    sync_views(only=[ViewName("views", "a")])
    assert execute("SELECT to_regclass('views.b'), to_regclass('views.c')") == [(None, None)]


def test_an_outsider_that_fits_but_reads_an_orphan_in_the_way_is_said_before(base, registered, execute):
    orphan = declare("B", "SELECT id FROM views.a")
    sync_views()
    execute("CREATE VIEW public.theirs AS SELECT a.id FROM views.a, views.b")
    registered.unregister(orphan)
    base()
    (plan,) = plan_views(only=[ViewName("views", "a")])
    (problem,) = plan.problems
    assert "public.theirs" in problem
