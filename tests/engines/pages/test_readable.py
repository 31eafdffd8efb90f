"""The rows of readable views in Django's admin, on every engine."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.urls import include, path

from orm_views_admin.admin import ReadableViewAdmin
from orm_views_admin.models import RowAccess
from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromSQL
from tests.admin.browse import Browse, text_of
from tests.engines.shared.databases import Database
from tests.engines.shop.models import Parcel

from .declared import ENDLESS

LIST = "/admin/shop/boxes/"


@pytest.fixture
def site(settings: Any) -> Iterator[admin.AdminSite]:
    """An admin site of the project, in which a test registers views."""
    site = admin.AdminSite(name="admin")
    yield site
    sys.modules.pop("tests.engines.pages.urls_of_test", None)


def register(site: admin.AdminSite, settings: Any, sql: str, **fields: Any) -> Any:
    """Declare a readable view, sync it, and put it into the admin."""
    meta = type("Meta", (), {"app_label": "shop"})
    body = {"__module__": __name__, "name": "boxes", "sql": sql, "Meta": meta, **fields}
    body.setdefault("id", models.BigIntegerField(primary_key=True))
    view: Any = type("Boxes", (ReadableViewFromSQL,), body)
    sync_views(databases=["default"])
    site.register(view, ReadableViewAdmin)
    urls: Any = ModuleType("tests.engines.pages.urls_of_test")
    urls.urlpatterns = [
        path("admin/orm-views/", include("orm_views_admin.urls")),
        path("admin/", site.urls),
    ]
    sys.modules[urls.__name__] = urls
    settings.ROOT_URLCONF = urls.__name__
    return view


def read(browse: Browse, address: str = LIST, **parameters: str) -> str:
    """Return the text of a page of the admin."""
    response = browse.client.get(address, parameters)
    assert response.status_code == 200, response.headers.get("Location", response.content[:2000])
    return text_of(response.content.decode())


def test_rows_are_listed_sorted_and_opened(
    browse: Browse, parcels: None, site: admin.AdminSite, settings: Any
) -> None:
    fields = {"weight": models.IntegerField(), "shelf": models.CharField(max_length=30)}
    register(site, settings, "SELECT id, weight, shelf FROM shop_parcel", **fields)
    page = read(browse, o="-2")
    assert page.index("south") < page.index("north")
    assert "3 boxess" in page
    assert "south" in read(browse, f"{LIST}2/change/")
    assert RowAccess.objects.filter(kind=RowAccess.Kind.ADMIN).count() == 2


def test_a_page_of_rows_may_write_elsewhere(
    browse: Browse, parcels: None, site: admin.AdminSite, settings: Any
) -> None:
    view = register(site, settings, "SELECT id, weight FROM shop_parcel", weight=models.IntegerField())

    def weigh(shown: Any, request: Any, queryset: Any) -> None:
        Parcel.objects.filter(pk__in=[row.pk for row in queryset]).update(weight=50)

    shown: Any = site._registry[view]
    shown.actions = [weigh]
    browse.client.post(LIST, {"action": "weigh", "_selected_action": ["1", "3"]})
    assert sorted(Parcel.objects.values_list("weight", flat=True)) == [7, 50, 50]


def test_rows_that_do_not_come_in_time_are_explained(
    browse: Browse, committing: None, site: admin.AdminSite, settings: Any
) -> None:
    register(site, settings, f"SELECT many AS id FROM ({ENDLESS}) AS endless")
    settings.ORM_VIEWS = {"PREVIEW_TIMEOUT": 0.3, "COUNT_TIMEOUT": 0.2}
    assert "did not come within 0.3 s" in read(browse)
    assert Database().run("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "field"),
    [
        ("'0000-00-00'", models.DateField()),
        ("'many'", models.DecimalField(max_digits=5, decimal_places=2)),
        ("'no time'", models.DateTimeField()),
        ("'{'", models.JSONField()),
        ("12", models.UUIDField()),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, models.Field) else str(each),
)
def test_values_that_python_cannot_represent_are_no_error_of_the_server(
    browse: Browse, committing: None, site: admin.AdminSite, settings: Any, sql: str, field: Any
) -> None:
    register(site, settings, f"SELECT 1 AS id, {sql} AS odd", odd=field)
    read(browse)
    assert browse.client.get(f"{LIST}1/change/").status_code in (200, 302)


def test_a_view_that_is_not_there_is_explained(
    browse: Browse, parcels: None, site: admin.AdminSite, settings: Any
) -> None:
    view = register(site, settings, "SELECT id FROM shop_parcel")
    Database().drop(view)
    assert "views.boxes is not in the database. Sync it first." in read(browse)


def test_a_date_hierarchy_and_a_search_are_read_within_limits(
    browse: Browse, parcels: None, site: admin.AdminSite, settings: Any
) -> None:
    view = register(
        site,
        settings,
        "SELECT id, born_on, email FROM shop_customer",
        born_on=models.DateField(),
        email=models.EmailField(),
    )
    from tests.engines.shop.models import Customer

    Customer.objects.all().delete()
    Customer.objects.create(id=1, email="ada@example.org", city="York", born_on=dt.date(1999, 5, 6))
    Customer.objects.create(id=2, email="bob@example.org", city="York", born_on=dt.date(2001, 5, 6))
    shown: Any = site._registry[view]
    shown.date_hierarchy, shown.search_fields = "born_on", ["email"]
    assert "1999" in read(browse)
    page = read(browse, q="bob")
    assert "bob@example.org" in page
    assert "ada@example.org" not in page
    Customer.objects.all().delete()
