"""Readable views are read from the database that they are in."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.db import ProgrammingError, models, router, transaction
from django.test import override_settings

from orm_views_core.routers import ViewRouter
from orm_views_core.sync import sync_views
from tests.core.readables import declare, meta
from tests.demo.lending.models import Product

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

PRODUCTS = Product.objects.values("id", "code", "name")
VIEW_ROUTER = "orm_views_core.routers.ViewRouter"


class Elsewhere:
    """A router that sends everything to a database that there is not."""

    def db_for_read(self, model, **hints):
        return "nowhere"

    db_for_write = db_for_read


@pytest.fixture
def there():
    """A view in the warehouse; what it shows is not what is in the other database."""
    for alias, name in (("default", "Here"), ("warehouse", "There")):
        product = Product(id=1, code="car", name=name, purpose="car", annual_rate=1)
        product.save(using=alias)
    view = declare(PRODUCTS, database="warehouse", plain=models.Manager(), objects=models.Manager())
    sync_views()
    return view


def names(queryset):
    return [row.name for row in queryset]


def test_reads_go_to_the_views_database_without_using(there):
    for manager in (there.objects, there.plain, there._default_manager, there._base_manager):
        assert names(manager.all()) == names(manager.filter(code="car")) == ["There"]
        assert manager.all().db == "warehouse"
    assert there.objects.aggregate(n=models.Count("id")) == {"n": 1}
    assert there.objects.count() == 1
    assert there.objects.in_bulk([1])[1].name == "There"
    assert "Scan" in there.objects.all().explain()
    assert names(there.objects.raw(f"SELECT * FROM {there.name_with_schema}")) == ["There"]
    assert names(there.objects.iterator()) == ["There"]


def test_a_row_stays_with_its_database(there):
    row = there.objects.only("id").get()
    assert row._state.db == "warehouse"
    assert row.name == "There"
    row.refresh_from_db()
    assert there(id=1).name == ""
    made = there(id=1)
    made.refresh_from_db()
    assert made.name == "There"


def test_an_explicit_database_comes_first(there):
    for queryset in (there.objects.using("default"), there.objects.db_manager("default").all()):
        assert queryset.db == "default"
        with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic(using="default"):
            list(queryset)


def test_a_view_of_the_default_database_is_left_to_the_routers():
    view = declare(PRODUCTS)
    assert view.objects.all()._db is None
    with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
        assert view.objects.all().db == "nowhere"


def test_route_reads_comes_before_the_projects_routers(there):
    with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
        assert names(there.objects.all()) == ["There"]


def test_without_route_reads_the_routers_decide(there):
    with override_settings(ORM_VIEWS={"ROUTE_READS": False}):
        assert there.objects.all().db == "default"
        with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
            assert there.objects.all().db == "nowhere"


def test_the_router_does_the_same(there):
    with override_settings(ORM_VIEWS={"ROUTE_READS": False}, DATABASE_ROUTERS=[VIEW_ROUTER, Elsewhere()]):
        assert names(there.objects.all()) == names(there._base_manager.all()) == ["There"]
        assert router.db_for_read(there) == router.db_for_write(there) == "warehouse"
        assert router.db_for_read(declare(PRODUCTS, "Here")) == "default"
        assert router.db_for_read(Product) == "nowhere"


def test_the_router_reads_past_a_field_called_database():
    view = declare(
        "SELECT 1 AS id, 'x' AS database",
        id=models.IntegerField(primary_key=True),
        database=models.TextField(),
    )
    assert ViewRouter().db_for_read(view) == "default"


def test_the_router_keeps_migrations_away_from_views(there):
    assert ViewRouter().allow_migrate("warehouse", "lending", "shown", model=there) is False
    assert ViewRouter().allow_migrate("warehouse", "lending", "shown") is False
    assert ViewRouter().allow_migrate("warehouse", "lending", "Shown") is False
    assert ViewRouter().allow_migrate("warehouse", "lending", "product") is None
    assert ViewRouter().allow_migrate("warehouse", "lending") is None
    assert ViewRouter().allow_migrate("warehouse", "no_such_app", "product") is None
    assert "no_such_app" not in apps.all_models
    assert ViewRouter().db_for_read(Product) is None


def test_a_proxy_is_read_from_its_views_database(there):
    proxy = declare(PRODUCTS, "Seen", bases=(there,), Meta=meta(proxy=True))
    assert names(proxy.objects.all()) == ["There"]


def test_relations_stay_in_the_views_database(there):
    view = declare(
        Product.objects.annotate(product=models.F("id")).values("id", "product"),
        "Again",
        database="warehouse",
        product=models.ForeignKey(Product, models.DO_NOTHING, db_column="product", related_name="again"),
    )
    sync_views()
    assert view.objects.get().product.name == "There"
    assert view.objects.select_related("product").get().product.name == "There"
    (row,) = view.objects.prefetch_related("product")
    assert row.product.name == "There"
    product = Product.objects.using("warehouse").get()
    assert [found._state.db for found in product.again.all()] == ["warehouse"]
    (product,) = Product.objects.using("warehouse").prefetch_related("again")
    assert [found.pk for found in product.again.all()] == [1]


def test_a_view_is_read_inside_a_queryset_of_its_database(there):
    inner = there.objects.values("id")
    assert Product.objects.using("warehouse").filter(pk__in=inner).count() == 1
    with pytest.raises(ValueError, match="Subqueries aren't allowed across different databases"):
        list(Product.objects.using("default").filter(pk__in=inner))


def test_a_view_of_a_view_in_another_database(there):
    view = declare(there.objects.filter(code="car").values("id", "name"), "Again", database="warehouse")
    sync_views()
    assert names(view.objects.all()) == ["There"]


def test_async_reads(there):
    async def read():
        return [row.name async for row in there.objects.all()], await there.objects.acount()

    assert async_to_sync(read)() == (["There"], 1)
