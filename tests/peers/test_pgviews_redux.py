"""The documented behaviours of django-pgviews-redux that apply."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django.dispatch import receiver

from orm_views_core import signals
from orm_views_core.exceptions import CyclicDependencyError, OrmViewsError, ReadOnlyViewError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin

from .declaring import declare, done, readable, stored

pytestmark = pytest.mark.django_db


def test_the_fields_of_a_view_are_written_in_its_class(table):
    view = readable("Shown")
    sync_views()
    assert list(view.objects.order_by("id").values_list("name", flat=True)) == ["one", "two"]


def test_filters_work_as_on_a_table(table):
    view = readable("Shown")
    sync_views()
    assert view.objects.filter(col_b__gt=10).get().name == "two"


@pytest.mark.parametrize("write", ["save", "delete", "create", "update"])
def test_a_view_is_read_only(write, table):
    view = readable("Shown")
    sync_views()
    acts = {
        "save": lambda: view.objects.get(id=1).save(),
        "delete": lambda: view.objects.get(id=1).delete(),
        "create": lambda: view.objects.create(id=9, name="x", col_b=1),
        "update": lambda: view.objects.update(name="x"),
    }
    with pytest.raises(ReadOnlyViewError):
        acts[write]()


def test_a_view_may_be_updatable(table):
    view = readable("Shown", updatable=True)
    sync_views()
    view.objects.filter(id=1).update(name="changed")
    assert table.objects.get(id=1).name == "changed"


def test_a_second_sync_does_nothing(oid):
    declare("Same")
    stored("Stored")
    sync_views()
    before = oid("same"), oid("stored")
    assert done() == []
    assert (oid("same"), oid("stored")) == before


def test_a_change_that_only_adds_columns_keeps_the_view(oid):
    declare("Wider", "SELECT 1 AS a")
    sync_views()
    before = oid("wider")
    declare("Wider", "SELECT 1 AS a, 2 AS b")
    assert done() == [("replace", "wider")]
    assert oid("wider") == before


def test_a_change_that_cannot_be_made_in_place_builds_it_again_without_force():
    declare("Changed", "SELECT 1 AS a, 2 AS b")
    sync_views()
    declare("Changed", "SELECT 'x' AS b")
    assert done() == [("rebuild", "changed")]


def test_force_builds_what_has_not_changed(oid):
    stored("Stored")
    sync_views()
    before = oid("stored")
    call_command("sync_views", "--force", verbosity=0)
    assert oid("stored") != before


def test_a_view_that_reads_another_one_comes_after_it():
    declare("Aaa", "SELECT id FROM views.zzz")
    declare("Zzz")
    assert done() == [("create", "zzz"), ("create", "aaa")]


def test_views_that_read_each_other_in_a_circle_are_refused():
    declare("One", "SELECT a FROM views.two")
    declare("Two", "SELECT a FROM views.one")
    with pytest.raises(CyclicDependencyError, match="circle"):
        sync_views()


def test_a_materialised_view_is_refreshed(table, execute):
    stored("Stored")
    sync_views()
    table.objects.all().delete()
    refresh_views(["stored"])
    assert execute("SELECT count(*) FROM views.stored") == [(0,)]


def test_a_refresh_is_concurrent_if_the_view_has_a_key(table):
    stored("Keyed", pk_field="id")
    stored("Keyless")
    sync_views()
    assert {result.name.name: result.concurrently for result in refresh_views()} == {
        "keyed": True,
        "keyless": False,
    }


def test_all_are_refreshed_each_after_those_that_it_reads():
    stored("Aaa", "SELECT id FROM views.zzz")
    stored("Zzz")
    sync_views()
    assert [result.name.name for result in refresh_views()] == ["zzz", "aaa"]


def test_a_view_without_data_cannot_be_read_before_a_refresh(execute):
    stored("Empty", "SELECT 1 AS a", with_data=False)
    sync_views()
    assert execute("SELECT relispopulated FROM pg_class WHERE oid = 'views.empty'::regclass") == [(False,)]
    refresh_views()
    assert execute("SELECT a FROM views.empty") == [(1,)]


def test_a_materialised_view_has_the_indexes_of_its_meta(table, execute):
    meta = type(
        "Meta", (), {"app_label": "oldstyle", "indexes": [models.Index(fields=["name"], name="by_n")]}
    )
    readable("Stored", PostgresMaterialisedViewMixin, Meta=meta)
    sync_views()
    assert ("by_n",) in execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views'")


def test_an_index_that_the_class_drops_is_dropped_and_nothing_is_built_again(execute, oid):
    stored("Stored", indexes=[models.Index(fields=["name"], name="by_n")])
    sync_views()
    before = oid("stored")
    stored("Stored")
    assert done() == [("index", "stored")]
    assert execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views'") == []
    assert oid("stored") == before


def test_a_view_is_in_the_schema_that_its_class_names(table, execute):
    declare("Elsewhere", schema="reports")
    sync_views()
    assert execute("SELECT count(*) FROM reports.elsewhere") == [(2,)]


def test_a_signal_tells_the_result_of_a_sync():
    seen = []

    @receiver(signals.views_synced, weak=False)
    def listen(result, **kwargs):
        seen.extend(step.name.name for step in result.plan.steps)

    declare("Any", "SELECT 1 AS a")
    sync_views()
    assert "any" in seen


def test_a_changed_dependency_is_synced_with_what_reads_it(execute):
    declare("Base", "SELECT 1 AS a, 2 AS b")
    declare("Reader", "SELECT a FROM views.base")
    sync_views()
    declare("Base", "SELECT 'text' AS a")
    sync_views()
    assert execute("SELECT a FROM views.reader") == [("text",)]


def test_wrong_sql_changes_nothing_and_names_the_class(execute):
    declare("Good", "SELECT 1 AS a")
    declare("Bad", "SELEC 1")
    with pytest.raises(CommandError, match=r"tests\.Bad \("):
        call_command("sync_views", verbosity=0)
    with pytest.raises(OrmViewsError):
        sync_views()
    assert execute("SELECT to_regclass('views.good')") == [(None,)]
