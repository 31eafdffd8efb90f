"""The documented behaviours of Scenic that apply."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import models

from orm_views_core.exceptions import PlanBlockedError, RefreshError, ViewSQLError
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views

from .declaring import declare, done, readable, stored

pytestmark = pytest.mark.django_db


def test_a_view_is_created_from_its_definition(execute):
    declare("Greetings", "SELECT text 'hi' AS greeting")
    sync_views()
    assert execute("SELECT * FROM views.greetings") == [("hi",)]


def test_a_definition_may_end_in_a_semicolon_and_white_space():
    declare("Greetings", "\n  SELECT text 'hi' AS greeting ;\n\n")
    assert done() == [("create", "greetings")]


def test_an_empty_definition_is_refused():
    declare("Nothing", "  ")
    with pytest.raises(CommandError, match="its sql is empty"):
        call_command("sync_views", verbosity=0)


def test_a_view_is_updated_to_a_new_definition(execute):
    declare("Greetings", "SELECT text 'hi' AS greeting")
    sync_views()
    declare("Greetings", "SELECT text 'hello' AS greeting")
    sync_views()
    assert execute("SELECT * FROM views.greetings") == [("hello",)]


def test_a_replaced_view_keeps_what_reads_it(execute, oid):
    declare("Base", "SELECT 1 AS a")
    declare("Reader", "SELECT a FROM views.base")
    sync_views()
    before = oid("reader")
    declare("Base", "SELECT 2 AS a, 3 AS b")
    sync_views()
    assert execute("SELECT a FROM views.reader") == [(2,)]
    assert oid("reader") == before


def test_an_earlier_definition_can_be_had_again(execute):
    for number in (1, 2, 1):
        declare("Versions", f"SELECT {number} AS a")
        sync_views()
        assert execute("SELECT a FROM views.versions") == [(number,)]


def test_a_view_that_others_read_is_not_dropped_under_them(execute, registered):
    gone = declare("Gone", "SELECT 1 AS a")
    declare("Stays", "SELECT 1 AS a")
    sync_views()
    execute("CREATE VIEW public.theirs AS SELECT a FROM views.gone")
    registered.unregister(gone)
    with pytest.raises(PlanBlockedError, match=r"public\.theirs"):
        sync_views()
    assert execute("SELECT a FROM public.theirs") == [(1,)]


def test_a_materialised_view_is_created_with_rows_or_without(execute):
    stored("Full", "SELECT 1 AS a")
    stored("Empty", "SELECT 1 AS a", with_data=False)
    sync_views()
    query = "SELECT matviewname, ispopulated FROM pg_matviews WHERE schemaname = 'views' ORDER BY 1"
    assert execute(query) == [("empty", False), ("full", True)]


def test_whether_a_materialised_view_has_rows_can_be_asked():
    stored("Empty", "SELECT 1 AS a", with_data=False)
    sync_views()
    state = {view.name.name: view.state.value for each in get_statuses() for view in each.views}
    assert state == {"empty": "not populated"}


def test_an_updated_materialised_view_keeps_its_indexes(execute):
    stored("Stored", indexes=[models.Index(fields=["name"], name="by_n")])
    sync_views()
    execute("CREATE INDEX by_hand ON views.stored (col_b)")
    stored(
        "Stored",
        "SELECT id, name, col_b + 1 AS col_b FROM oldstyle_table1",
        indexes=[models.Index(fields=["name"], name="by_n")],
    )
    assert done() == [("rebuild", "stored")]
    query = "SELECT indexname FROM pg_indexes WHERE schemaname = 'views' ORDER BY 1"
    assert execute(query) == [("by_hand",), ("by_n",)]


def test_an_index_that_does_not_fit_any_more_is_said_to_be_lost(execute):
    stored("Stored")
    sync_views()
    execute("CREATE INDEX by_hand ON views.stored (col_b)")
    stored("Stored", "SELECT id, name FROM oldstyle_table1")
    (plan,) = plan_views()
    assert "index by_hand" in plan.steps[0].lost[0]
    sync_views()


def test_a_new_version_is_built_beside_the_old_one():
    stored("Stored", "SELECT 1 AS a")
    sync_views()
    stored("Stored", "SELECT 2 AS a")
    (plan,) = plan_views()
    assert plan.steps[0].built_at.schema != "views"


def test_a_materialised_view_is_refreshed(table, execute):
    stored("Stored", "SELECT count(*) AS rows FROM oldstyle_table1")
    sync_views()
    table.objects.all().delete()
    refresh_views()
    assert execute("SELECT rows FROM views.stored") == [(0,)]


def test_a_concurrent_refresh_that_is_insisted_on_needs_a_key():
    stored("Keyless", "SELECT 1 AS a")
    sync_views()
    with pytest.raises(RefreshError, match="no unique index on plain columns"):
        refresh_views(concurrently=True)


def test_a_concurrent_refresh_of_a_view_without_rows_falls_back():
    stored("Empty", "SELECT 1 AS id", pk_field="id", with_data=False)
    sync_views()
    (result,) = refresh_views()
    assert (result.ok, result.concurrently) == (True, False)


def test_a_refresh_cascades_to_what_the_view_reads(table, execute):
    stored("Aaa", "SELECT rows FROM views.between")
    declare("Between", "SELECT rows FROM views.zzz")
    stored("Zzz", "SELECT count(*) AS rows FROM oldstyle_table1")
    sync_views()
    table.objects.all().delete()
    assert [planned.definition.name.name for planned in plan_refresh(["aaa"], upstream=True)] == [
        "zzz",
        "aaa",
    ]
    refresh_views(["aaa"], upstream=True)
    assert execute("SELECT rows FROM views.aaa") == [(0,)]


def test_a_model_reads_a_view_by_any_column_as_its_key(table):
    name = models.TextField(primary_key=True)
    view = readable("Shown", name=name, id=models.IntegerField())
    sync_views()
    assert view.objects.get(pk="one").id == 1


@pytest.mark.parametrize("name", ["with space", "Capital", 'quo"te', "per%cent", "do.t", "ünïcode", "select"])
def test_odd_names_are_quoted(name, execute):
    declare("Odd", "SELECT 1 AS a", name=name)
    sync_views()
    quoted = name.replace('"', '""')
    assert execute(f'SELECT a FROM views."{quoted}"') == [(1,)]
    assert done() == []


def test_recursive_views_work(execute):
    declare(
        "Numbers",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
    )
    sync_views()
    assert execute("SELECT sum(i) FROM views.numbers") == [(6,)]
    assert done() == []


def test_a_definition_that_postgresql_refuses_leaves_the_old_view(execute):
    declare("Greetings", "SELECT text 'hi' AS greeting")
    sync_views()
    declare("Greetings", "SELECT nothing FROM nowhere")
    with pytest.raises(ViewSQLError):
        sync_views()
    assert execute("SELECT * FROM views.greetings") == [("hi",)]
