"""Each tenant of django-tenants has the views of its own tables, and a sync touches those of one tenant."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

if not hasattr(settings, "TENANT_MODEL"):
    pytest.skip(
        "nox --session tenants runs this, with the settings of django-tenants", allow_module_level=True
    )

from django_tenants.utils import schema_context

from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import registry
from tests.tenants.clients.models import Client
from tests.tenants.shop.models import Product
from tests.tenants.shop.postgres_views import Expensive, Names, Totals

TENANTS = ("north", "south")


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenants(db):
    """Two tenants, each with a cheap product and one that is not."""
    for number, schema in enumerate(TENANTS, 1):
        Client(schema_name=schema, name=schema).save(verbosity=0)
        with schema_context(schema):
            Product.objects.create(name=f"{schema} cheap", price=1)
            Product.objects.create(name=f"{schema} dear", price=number * 100)


@pytest.fixture
def synced(tenants):
    """The views of both tenants."""
    for schema in TENANTS:
        with schema_context(schema):
            sync_views()


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def views():
    found = rows(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('v', 'm') AND nspname LIKE '%_views' ORDER BY 1, 2"
    )
    return [".".join(names) for names in found]


ALL = [f"{schema}_views.{name}" for schema in TENANTS for name in ("expensive", "names", "totals")]


def test_each_tenant_reads_its_own_rows(synced):
    assert views() == ALL
    built = Expensive.objects.filter(price__gt=10)
    for schema in (*TENANTS, *TENANTS):
        with schema_context(schema):
            assert [row.name for row in Expensive.objects.all()] == [f"{schema} dear"]
            assert [row.name for row in built.all()] == [f"{schema} dear"]
            assert Totals.objects.get().price == {"north": 100, "south": 200}[schema]
            assert rows(f"SELECT name FROM {Names.name_with_schema} ORDER BY 1") == [
                (f"{schema} cheap",),
                (f"{schema} dear",),
            ]


def test_a_second_sync_of_each_tenant_does_nothing(synced):
    for schema in TENANTS:
        with schema_context(schema):
            (plan,) = plan_views()
            assert (plan.is_empty, plan.problems, plan.warnings) == (True, (), ())
            states = {str(s.name): s.state for s in get_statuses()[0].views}
            assert states == dict.fromkeys((n for n in ALL if n.startswith(schema)), State.SYNCED)


def test_a_sync_of_a_tenant_drops_its_own_orphan_only(synced):
    registry.unregister(Names)
    try:
        with schema_context("north"):
            sync_views()
    finally:
        registry.register(Names)
    assert views() == [name for name in ALL if name != "north_views.names"]


def test_the_commands_of_django_tenants_sync_and_refresh(synced):
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA north_views CASCADE; DROP SCHEMA south_views CASCADE")
    call_command("all_tenants_command", "sync_views", "--no-public", stdout=StringIO())
    connection.set_schema_to_public()
    assert views() == ALL
    call_command("tenant_command", "show_views", "--json", schema_name="south", stdout=StringIO())
    connection.set_schema_to_public()
    with schema_context("south"):
        Product.objects.create(name="new", price=1000)
        assert [str(result.name) for result in refresh_views(["totals"])] == ["south_views.totals"]
        assert Totals.objects.count() == 2
        Product.objects.filter(name="new").delete()
    with schema_context("north"):
        assert Totals.objects.count() == 1


def test_a_changed_view_is_tried_and_rebuilt_for_one_tenant(synced, monkeypatch):
    changed = classmethod(lambda cls: Product.objects.filter(price__gt=150).values("id", "name", "price"))
    monkeypatch.setattr(Expensive, "get_queryset", changed)
    with schema_context("south"):
        (plan,) = plan_views()
        assert {str(step.name) for step in plan.steps} == {"south_views.expensive", "south_views.totals"}
        sync_views()
        assert plan_views()[0].is_empty
        assert Totals.objects.get().price == 200
    with schema_context("north"):
        assert not plan_views()[0].is_empty
        sync_views()
        assert Totals.objects.count() == 0


def test_a_refused_view_leaves_the_path_as_it_was(synced, monkeypatch):
    monkeypatch.setattr(Names, "sql", "SELECT nothing FROM shop_product")
    changed = classmethod(lambda cls: Product.objects.filter(price__gt=150).values("id", "name", "price"))
    monkeypatch.setattr(Expensive, "get_queryset", changed)
    with (
        schema_context("north"),
        pytest.raises(OrmViewsError, match='column "nothing" does not exist') as raised,
    ):
        plan_views()
    assert "expensive" not in str(raised.value)
    for schema in TENANTS:
        with schema_context(schema):
            assert [row.name for row in Expensive.objects.all()] == [f"{schema} dear"]


def test_views_of_one_schema_for_all_tenants_are_said_to_follow_the_path(settings):
    settings.ORM_VIEWS = {"SCHEMA": "shared_views"}
    with schema_context("north"):
        sync_views()
    with schema_context("south"):
        reasons = [step.reason for step in plan_views()[0].steps]
    assert any("shop_product is south.shop_product, and was north.shop_product" in each for each in reasons)


def test_our_own_path_stays_although_each_cursor_sets_that_of_the_tenant(synced):
    with schema_context("north"):
        with transaction.atomic(), catalog_cursor(connection) as cursor:
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as refused:
                refused.execute("SELECT nothing")
            cursor.execute("SHOW search_path")
            assert cursor.fetchone() == ("pg_catalog, pg_temp",)
        with connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchone() == ("north, public",)


def test_a_view_without_its_schema_is_tried_in_its_new_version(synced, settings, monkeypatch):
    settings.ORM_VIEWS = {"SCHEMA": lambda connection: connection.schema_name}
    monkeypatch.setattr(Names, "sql", "SELECT id FROM expensive")
    with schema_context("north"):
        sync_views()
        changed = classmethod(lambda cls: Product.objects.values("id", "name", "price"))
        monkeypatch.setattr(Expensive, "get_queryset", changed)
        monkeypatch.setattr(
            Totals, "get_queryset", classmethod(lambda cls: Expensive.objects.values("id", "price"))
        )
        sync_views()
        assert plan_views()[0].is_empty
        assert len(rows("SELECT * FROM north.names")) == Totals.objects.count() == 2


def test_the_schema_of_no_tenant_lacks_the_tables_of_tenants(tenants):
    with (
        schema_context("public"),
        pytest.raises(OrmViewsError, match='relation "shop_product" does not exist'),
    ):
        sync_views()
