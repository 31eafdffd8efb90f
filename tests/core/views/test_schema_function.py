"""A function gives the schema of views: each connection, such as that of a tenant, has views of its own."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.models import Exists, OuterRef

from orm_views_core.checks.settings import check_settings
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from tests.core.readables import declare, meta
from tests.demo.lending.models import Product

pytestmark = pytest.mark.django_db

TENANT = {"schema": "north"}


def schema_of_tenant(connection):
    assert connection.alias == "default"
    return TENANT["schema"]


@pytest.fixture(autouse=True)
def tenant():
    """A function that makes a tenant the current one."""

    def enter(schema):
        TENANT["schema"] = schema

    enter("north")
    yield enter
    enter("north")


@pytest.fixture(params=["settings", "class", "method", "updatable"])
def view(request, settings, tenant):
    """A view of each tenant: that of the south has no row of the north's."""
    if request.param == "settings":
        settings.ORM_VIEWS = {"SCHEMA": schema_of_tenant}
        said = {}
    elif request.param == "method":
        said = {"schema": classmethod(lambda cls, connection: schema_of_tenant(connection))}
    else:
        said = {"schema": staticmethod(schema_of_tenant)}
    for code in ("north", "south"):
        Product.objects.create(code=code, name=code, purpose="car", annual_rate=1)
    queryset = Product.objects.values("id", "code", "purpose")
    made = declare(queryset, **said, updatable=True)
    for schema in ("north", "south"):
        tenant(schema)
        sync_views()
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE OR REPLACE VIEW {schema}.shown AS SELECT id, code, purpose"
                f" FROM lending_product WHERE code = '{schema}'"
            )
    tenant("north")
    return made


def test_each_tenant_reads_its_own_view(view, tenant):
    for schema in ("north", "south", "north"):
        tenant(schema)
        assert view._meta.db_table == view.name_with_schema == f'"{schema}"."shown"'
        assert [row.code for row in view.objects.all()] == [schema]
        assert view.objects.filter(code__startswith=schema[0]).count() == 1
        assert view.objects.get(purpose="car").code == schema


def test_a_queryset_that_was_built_before_reads_the_view_of_the_tenant_that_it_is_sent_for(view, tenant):
    built = view.objects.filter(purpose="car").order_by("code")
    related = Product.objects.filter(Exists(view.objects.filter(pk=OuterRef("pk"))))
    str(built.query)
    for schema in ("south", "north"):
        tenant(schema)
        assert [row.code for row in built.all()] == [schema]
        assert [row.code for row in related.all()] == [schema]
        assert built.all().count() == 1


def test_rows_are_written_through_the_view_of_the_tenant(view, tenant):
    built = view.objects.filter(purpose="car")
    str(built.query)
    tenant("south")
    assert built.update(purpose="home") == 1
    assert Product.objects.get(code="south").purpose == "home"
    built = view.objects.filter(purpose="home")
    str(built.query)
    tenant("north")
    assert built.delete()[0] == 0
    tenant("south")
    assert built.all().delete()[0] == 1
    assert [product.code for product in Product.objects.all()] == ["north"]


def test_a_sync_of_a_tenant_leaves_the_views_of_another_alone(settings, tenant, registered, execute):
    settings.ORM_VIEWS = {"SCHEMA": schema_of_tenant}
    view = declare(Product.objects.values("id", "code"))
    other = declare(Product.objects.values("id"), "Other")
    for schema in ("north", "south"):
        tenant(schema)
        sync_views()
        assert all(plan.is_empty for plan in plan_views())
        assert {str(status.name) for status in get_statuses(["default"])[0].views} == {
            f"{schema}.shown",
            f"{schema}.other",
        }
    registered.unregister(other)
    sync_views()
    assert execute(
        "SELECT schemaname::text, viewname::text FROM pg_views"
        " WHERE viewname IN ('shown', 'other') ORDER BY 1, 2"
    ) == [
        ("north", "other"),
        ("north", "shown"),
        ("south", "shown"),
    ]
    tenant("north")
    (orphan,) = [s for s in get_statuses(["default"])[0].views if s.state is State.ORPHANED]
    assert str(orphan.name) == "north.other"
    assert view._meta.db_table == '"north"."shown"'


def test_views_that_read_one_another_do_so_within_the_tenant(settings, tenant, execute):
    settings.ORM_VIEWS = {"SCHEMA": schema_of_tenant}
    base = declare(Product.objects.values("id", "code"), "Base")

    class Above(PostgresMaterialisedViewMixin, ReadableViewFromQueryset):
        Meta = meta()
        pk_field = "id"

        @classmethod
        def get_queryset(cls):
            return base.objects.values("id")

    for schema in ("north", "south"):
        tenant(schema)
        sync_views()
        assert all(plan.is_empty for plan in plan_views())
    statuses = {str(status.name): status for status in get_statuses(["default"])[0].views}
    assert {str(name) for name in statuses["south.above"].installed.reads} == {"south.base"}
    assert [str(result.name) for result in refresh_views(["above"])] == ["south.above"]


def test_a_proxy_and_relations_follow_the_tenant(view, tenant):
    class Seen(view):
        class Meta:
            app_label = "lending"
            proxy = True

    above = declare(
        Product.objects.values("id"),
        "Above",
        shown=models.ForeignKey(
            view, models.DO_NOTHING, db_column="id", primary_key=True, db_constraint=False
        ),
    )
    tenant("south")
    sync_views()
    assert Seen.objects.filter(code="south").get().code == "south"
    assert Seen._meta.db_table == '"south"."shown"'
    assert [row.shown.code for row in above.objects.filter(shown__code="south")] == ["south"]
    assert {row.shown.code for row in above.objects.select_related("shown")} == {"north", "south"}


@pytest.mark.parametrize("found", [None, "", 3, "pg_toast", "x" * 64])
def test_what_is_no_name_of_a_schema_is_an_error(found, settings, tenant):
    declare(Product.objects.values("id"), schema=lambda connection: found)
    with pytest.raises(
        InvalidViewError, match=r"<lambda>\(\) returns .* as the schema of views\. Give the name"
    ):
        plan_views()


def test_an_error_in_the_function_is_one_of_the_class():
    def fails(connection):
        raise RuntimeError("no tenant")

    declare(Product.objects.values("id"), schema=fails)
    with pytest.raises(InvalidViewError, match="its name cannot be read: RuntimeError: no tenant"):
        plan_views()


def test_a_function_is_a_valid_setting(settings):
    settings.ORM_VIEWS = {"SCHEMA": schema_of_tenant}
    assert check_settings(None) == []


def test_a_schema_that_no_class_places_views_in_any_more_keeps_its_views(settings, execute):
    declare(Product.objects.values("id"))
    sync_views()
    settings.ORM_VIEWS = {"SCHEMA": "moved"}
    (plan,) = plan_views()
    assert [(step.action.value, str(step.name)) for step in plan.steps if step.name.name] == [
        ("+ create", "moved.shown")
    ]
    (warning,) = plan.warnings
    assert warning.startswith("views.shown: made by a sync, in a schema in which no class places views")
    sync_views()
    statuses = {str(status.name): status for status in get_statuses(["default"])[0].views}
    assert statuses["views.shown"].state is State.UNMANAGED
    assert "it may be another tenant's" in statuses["views.shown"].reason
