"""The documented behaviours of django-db-views that apply."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import models
from django.db.models import Count, F

from orm_views_core.refresh import refresh_views
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    ReadableViewFromQueryset,
)
from tests.oldstyle.models import Table1, TestModelWithForeignKey

from .declaring import declare, done, readable, stored

pytestmark = pytest.mark.django_db


def test_a_view_is_a_model_and_no_migration_creates_it(table, capsys):
    readable("Shown")
    call_command("makemigrations", "oldstyle", "--dry-run")
    written = capsys.readouterr().out
    assert "Create model Table1" in written
    assert "Shown" not in written


def test_a_model_may_have_a_key_to_a_view_that_no_constraint_enforces(table):
    view = readable("Shown")
    field = models.ForeignKey(view, on_delete=models.DO_NOTHING, db_constraint=False)
    assert field.remote_field.model is view


def test_a_view_has_keys_to_tables(table):
    view = readable("Shown", row=models.ForeignKey(
        Table1, on_delete=models.DO_NOTHING, db_column="id", primary_key=False, related_name="+"
    ), id=None, name=models.TextField(primary_key=True))  # fmt: skip
    sync_views()
    assert view.objects.select_related("row").get(name="one").row == table.objects.get(id=1)


def test_the_definition_may_be_a_queryset(table):
    class Counted(ReadableViewFromQueryset):
        pk_field = "col_a"

        class Meta:
            app_label = "oldstyle"

        @classmethod
        def get_queryset(cls):
            return Table1.objects.values("col_a").annotate(rows=Count("id"))

    sync_views()
    assert dict(Counted.objects.values_list("col_a", "rows")) == {"a": 1, "b": 1}


def test_the_definition_may_depend_on_the_settings(table, settings, execute):
    class Limited(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Table1.objects.filter(col_b__gte=settings.LEAST).values("id")

    settings.LEAST = 15
    sync_views()
    assert execute("SELECT id FROM views.limited") == [(2,)]
    settings.LEAST = 5
    assert done() == [("replace", "limited")]


def test_a_changed_definition_is_found_without_anything_else_to_do():
    declare("Any", "SELECT 1 AS a")
    sync_views()
    declare("Any", "SELECT 2 AS a")
    (plan,) = plan_views()
    assert [step.reason for step in plan.steps] == ["its class has changed"]


def test_white_space_and_comments_in_the_definition_rebuild_nothing(oid):
    stored("Stored", "SELECT 1 AS a")
    sync_views()
    before = oid("stored")
    stored("Stored", "SELECT\n    1 AS a  -- one")
    assert done() == [("adopt", "stored")]
    assert oid("stored") == before


def test_a_removed_class_removes_its_view(execute, registered):
    gone = declare("Gone", "SELECT 1 AS a")
    declare("Stays", "SELECT 1 AS a")
    sync_views()
    registered.unregister(gone)
    assert done() == [("drop", "gone")]
    assert execute("SELECT to_regclass('views.gone')") == [(None,)]


def test_a_view_becomes_materialised_and_plain_again(execute):
    declare("Any", "SELECT 1 AS a")
    sync_views()
    stored("Any", "SELECT 1 AS a")
    assert done() == [("rebuild", "any")]
    declare("Any", "SELECT 1 AS a")
    assert done() == [("rebuild", "any")]
    assert execute("SELECT relkind::text FROM pg_class WHERE oid = 'views.any'::regclass") == [("v",)]


def test_a_materialised_view_is_a_model_that_is_refreshed(table):
    view = readable("Stored", PostgresMaterialisedViewMixin)
    sync_views()
    table.objects.create(id=3, name="three", col_a="c", col_b=30)
    assert view.objects.count() == 2
    refresh_views()
    assert view.objects.count() == 3


def test_the_indexes_of_a_materialised_view_are_built_while_it_can_be_read():
    stored("Stored")
    sync_views()
    stored("Stored", indexes=[models.Index(fields=["name"], name="by_n")])
    (plan,) = plan_views()
    assert [step.swap_statements for step in plan.steps] == [()]


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_view_belongs_to_the_database_that_its_class_names(execute):
    declare("There", "SELECT 1 AS a", database="warehouse")
    sync_views()
    assert execute("SELECT a FROM views.there", "warehouse") == [(1,)]


def test_columns_of_related_models_are_read_in_one_view(table):
    class Related(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            models_field = F("foreign_key__integer_col")
            return TestModelWithForeignKey.objects.values("id", number=models_field)

    assert done() == [("create", "related")]
