"""The documented behaviours of django-orm-views 2.0.3."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.models import F, Sum
from django.utils.functional import classproperty

from orm_views_core.exceptions import InvalidViewDependencies
from orm_views_core.sync import refresh_materialized_view, sync_views
from orm_views_core.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
)
from orm_views_core.views.registry import registry

from .declaring import declare, stored

pytestmark = pytest.mark.django_db


def test_a_view_is_written_as_sql(table, execute):
    declare("Names", "SELECT name FROM oldstyle_table1;")
    sync_views()
    assert execute("SELECT name FROM views.names ORDER BY 1") == [("one",), ("two",)]


def test_the_sql_may_be_computed_by_the_class(table, execute):
    class Computed(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            return f"SELECT count(*) AS rows FROM {table._meta.db_table}"

    sync_views()
    assert execute("SELECT * FROM views.computed") == [(2,)]


def test_a_view_is_written_as_a_queryset(table, execute):
    class Totals(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return table.objects.values("col_a").annotate(total=Sum("col_b"))

    sync_views()
    assert execute("SELECT col_a, total FROM views.totals ORDER BY 1") == [("a", 10), ("b", 20)]


def test_values_in_a_queryset_are_part_of_the_view(table, execute):
    class Chosen(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return table.objects.filter(name="it's 100%").values("id")

    table.objects.create(id=3, name="it's 100%", col_a="c", col_b=1)
    sync_views()
    assert execute("SELECT id FROM views.chosen") == [(3,)]


def test_the_name_is_that_of_the_class_in_lower_case():
    assert declare("SomeView").name == "someview"


def test_a_prefix_stands_before_the_name():
    assert declare("SomeView", prefix="crm").name == "crm_someview"


def test_a_name_of_its_own_takes_precedence(table, execute):
    declare("SomeView", name="another")
    sync_views()
    assert execute("SELECT count(*) FROM views.another") == [(2,)]


def test_name_with_schema_names_the_schema_views():
    assert declare("SomeView").name_with_schema == '"views"."someview"'


def test_a_readable_view_is_queried_through_the_orm(table):
    class Doubled(ReadableViewFromQueryset):
        double = models.IntegerField()

        class Meta:
            app_label = "oldstyle"

        @classmethod
        def get_queryset(cls):
            return table.objects.annotate(double=F("col_b") * 2).values("id", "double")

    sync_views()
    assert [row.double for row in Doubled.objects.order_by("id")] == [20, 40]
    assert not Doubled._meta.managed


def test_a_base_class_is_not_registered():
    class Base(PostgresViewFromSQL, should_register=False):
        pass

    assert Base not in registry.views()


def test_a_declared_dependency_is_created_first():
    first = declare("Zz", "SELECT 1 AS a")
    registry.unregister(first)
    declare("Aa", "SELECT a FROM views.zz", view_dependencies=[first])
    registry.register(first)
    (result,) = sync_views()
    assert [step.name.name for step in result.plan.steps if step.name.name] == ["zz", "aa"]


def test_dependencies_in_two_databases_are_refused():
    here, there = declare("Here"), declare("There", database="warehouse")
    with pytest.raises(InvalidViewDependencies):
        declare("Both", view_dependencies=[here, there])


def test_a_view_of_another_database_is_not_created_in_the_default_one(execute):
    declare("There", "SELECT 1 AS a", database="warehouse")
    sync_views(databases=["default"])
    assert execute("SELECT to_regclass('views.there')") == [(None,)]


def test_select_is_granted_to_the_role_of_the_command_line_but_not_on_hidden_views(execute, make_role):
    role = make_role("analyst")
    declare("Shown", "SELECT 1 AS a")
    declare("Hidden", "SELECT 1 AS a", HiddenViewMixin)
    call_command("sync_views", "--grant-select-permissions-to-user", role, verbosity=0)
    granted = f"SELECT has_table_privilege('{role}', 'views.shown', 'SELECT'), has_table_privilege('{role}',"
    assert execute(f"{granted} 'views.hidden', 'SELECT')") == [(True, False)]


def test_a_materialised_view_keeps_its_rows_until_it_is_refreshed(table, execute):
    view = stored("Kept", "SELECT id FROM oldstyle_table1", pk_field="id")
    sync_views()
    table.objects.create(id=3, name="three", col_a="c", col_b=30)
    assert execute("SELECT count(*) FROM views.kept") == [(2,)]
    refresh_materialized_view(view)
    assert execute("SELECT count(*) FROM views.kept") == [(3,)]
    refresh_materialized_view(view(), concurrently=True)


def test_the_key_of_a_materialised_view_is_a_unique_index(execute):
    stored("Keyed", "SELECT 1 AS id, 2 AS other", pk_field=["id", "other"])
    sync_views()
    assert execute("SELECT indexdef LIKE 'CREATE UNIQUE INDEX%(id, other)' FROM pg_indexes "
                   "WHERE tablename = 'keyed'") == [(True,)]  # fmt: skip


def test_concurrently_without_a_key_is_a_value_error():
    class Keyless(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    assert Keyless.get_refresh_sql() == 'REFRESH MATERIALIZED VIEW "views"."keyless";'
    with pytest.raises(ValueError, match="pk_field"):
        Keyless.get_refresh_sql(concurrently=True)


def test_the_command_ends_with_its_line(capsys):
    declare("Any", "SELECT 1 AS a")
    call_command("sync_views")
    assert capsys.readouterr().out.endswith("Successfully sync'd all views using orm_views_core\n")
    assert connection.in_atomic_block
