"""Every page about views answers on every engine, and offers what the engine can do and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from orm_views_admin.models import RowAccess
from tests.admin.browse import LIST, Browse, hidden_fields, key, run_page, text_of, url
from tests.engines.shared.databases import Database
from tests.engines.shop.models import Customer, Parcel

from .declared import ENDLESS, create, declare

SQL = "SELECT id, weight, shelf FROM shop_parcel"


@pytest.fixture
def shown(parcels: None) -> type:
    """A view of three parcels."""
    return create(SQL)


def is_postgresql() -> bool:
    """Return whether the engine has what only PostgreSQL has."""
    return Database().spelling.abilities.staging


def test_the_list_shows_states_and_has_rows_counted(browse: Browse, shown: type) -> None:
    declare(SQL, "Missing")
    html = browse.get(LIST)
    assert "1 view of 2 needs attention: 1 missing. The others: 1 synced." in text_of(html)
    assert f'data-count-url="{url("count", "shown")}"' in html
    assert json.loads(browse.get(url("count", "shown")))["text"] == "3"
    assert "Refresh" not in text_of(html)


def test_a_view_has_its_page(browse: Browse, shown: type) -> None:
    create("SELECT shelf FROM views.shown", "Reader")
    page = browse.read(url("detail", "shown"))
    assert "The database has what its class says." in page
    assert "FROM shop_parcel" in page
    assert "shop.Parcel" in page
    assert "reads it" in page
    assert ("Grants" in page) == Database().spelling.abilities.grants
    assert ("PostgreSQL" in page) == is_postgresql()
    assert "It reads views.reader" not in page
    assert "registered view" in browse.read(url("detail", "reader"))


def test_a_preview_is_sorted_filtered_and_recorded(browse: Browse, shown: type) -> None:
    page = browse.read(url("preview", "shown"), sort="-weight", **{"column.weight.at_least": "7"})
    assert page.index("o'neil 100%".replace("'", "&#x27;")) < page.index("south")
    assert "north" not in page
    assert "weight is at least 7" in page
    (access,) = RowAccess.objects.all()
    assert (access.rows, access.about) == (2, "weight is at least 7, sorted by weight, descending")


def test_a_filter_that_is_not_understood_is_explained(browse: Browse, shown: type) -> None:
    page = browse.read(url("preview", "shown"), **{"column.weight.equals": "heavy"})
    assert "is no value of the type" in page
    assert "A filter is not understood." in page
    assert "has no column “nowhere”" in browse.read(url("preview", "shown"), **{"column.nowhere.equals": "1"})


def test_a_long_value_is_shown_whole(browse: Browse, committing: None) -> None:
    Customer.objects.all().delete()
    customer = Customer.objects.create(email="a@example.org", city="y")
    parts = " UNION ALL ".join(["SELECT city FROM shop_customer"])
    long = "'" + "word " * 600 + "'"
    create(f"SELECT {long} AS told, city FROM ({parts}) AS customers")
    html = browse.get(url("preview", "shown"))
    link = html.split('href="')
    (whole,) = [part.split('"')[0].replace("&amp;", "&") for part in link if "/cell/?" in part]
    page = browse.read(url("cell", "shown") + whole[whole.index("?") :])
    assert page.count("word") >= 600
    customer.delete()


def test_what_a_database_cannot_do_is_not_offered(browse: Browse, shown: type) -> None:
    preview, plan = browse.get(url("preview", "shown")), browse.get(reverse("orm_views_admin:sync"))
    assert (url("export", "shown") in preview) == is_postgresql()
    assert (reverse("orm_views_admin:compare") in plan) == is_postgresql()
    if not is_postgresql():
        assert "index" not in text_of(preview)


def test_what_a_database_cannot_do_is_explained(browse: Browse, shown: type) -> None:
    if is_postgresql():
        pytest.skip("PostgreSQL can do everything")
    title = Database().spelling.title
    response = browse.client.post(url("export", "shown"), {"format": "csv"}, follow=True)
    assert f"Rows of views on {title} cannot be exported." in text_of(response.content.decode())
    assert "PostgreSQL" in browse.read(reverse("orm_views_admin:compare"))
    assert "There is nothing to refresh." in browse.read(reverse("orm_views_admin:refresh"))


def test_the_graph_and_the_search_know_what_views_read(browse: Browse, shown: type) -> None:
    create("SELECT shelf FROM views.shown", "Reader")
    graph = browse.read(reverse("orm_views_admin:graph"), tables="on")
    for name in ("shop_parcel", "views.shown", "views.reader"):
        assert name in graph
    near = browse.read(reverse("orm_views_admin:graph"), view=key("reader"))
    assert "What views.reader reads" in near
    found = browse.read(LIST, q="shop_parcel")
    assert "2 views hang on" in found
    assert "by way of views.shown" in found
    assert "No view matches" in browse.read(LIST, q="shop_parcel.nowhere")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS id WHERE 1 = 0",
        "SELECT NULL AS gone, '' AS blank, '<script>' AS markup, '100%' AS percent, '%s' AS place",
        "SELECT 99999999999999999999 AS big, 1e300 AS float_, '0000-00-00' AS day",
        "SELECT 'a' AS x, 'b' AS y, id AS z FROM shop_parcel",
        ENDLESS,
    ],
)
def test_no_view_breaks_a_page(browse: Browse, parcels: None, settings: Any, sql: str) -> None:
    create(sql)
    settings.ORM_VIEWS = {"PREVIEW_TIMEOUT": 0.2, "COUNT_TIMEOUT": 0.2}
    for page in ("detail", "preview", "count", "changes"):
        browse.get(url(page, "shown"))
    browse.get(url("preview", "shown"), sort="id", page="3")
    browse.get(LIST)


def test_a_view_that_cannot_be_read_says_why(browse: Browse, shown: type) -> None:
    if is_postgresql():
        pytest.skip("PostgreSQL keeps the column that a view reads")
    Database().remake(Parcel, "shelf")
    try:
        assert "shelf" in browse.read(url("detail", "shown"))
        assert "The rows of views.shown cannot be read" in browse.read(url("preview", "shown"))
        assert "cannot be read" in browse.get(url("count", "shown"))
        browse.get(LIST)
    finally:
        Database().remake(Parcel)


def test_personal_data_is_masked_for_who_may_not_see_it(
    browse: Browse, committing: None, settings: Any
) -> None:
    Customer.objects.create(email="grace@example.org", city="York")
    settings.ORM_VIEWS = {"PERSONAL": ["shop.Customer.email"]}
    exposes = {"exposes": ["mail"]} if is_postgresql() else {}
    create("SELECT id, email AS mail FROM shop_customer", "Inner", **exposes)
    create("SELECT mail AS address FROM views.inner", **({"exposes": ["address"]} if exposes else {}))
    assert "grace@example.org" in browse.read(url("preview", "shown"))
    clerk = User.objects.create_user("clerk", is_staff=True)
    names = ["view_registeredview", "preview_registeredview"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(clerk)
    page = text_of(client.get(url("preview", "shown")).content.decode())
    assert "grace@example.org" not in page
    assert "masked" in page
    Customer.objects.all().delete()


def test_a_plan_is_confirmed_and_carried_out(browse: Browse, parcels: None) -> None:
    declare(SQL)
    plan = browse.get(reverse("orm_views_admin:sync"))
    assert "1 to create" in text_of(plan)
    run = run_page(browse.post(reverse("orm_views_admin:sync"), **hidden_fields(plan), confirm="1"))
    page = browse.read(run)
    assert "succeeded" in page
    assert "create views.shown" in page
    assert json.loads(browse.get(run.rstrip("/") + "/state/"))["active"] is False
    assert "create: 1 ada in the admin" in browse.read(reverse("orm_views_admin:runs"))
    assert "1 change" in browse.read(url("changes", "shown"))
    assert browse.read(LIST).count("synced") >= 1


def test_a_view_for_another_engine_is_skipped_and_the_pages_say_why(browse: Browse, parcels: None) -> None:
    other = "sqlite" if is_postgresql() else "postgresql"
    declare(SQL, "Elsewhere", engines=(other,))
    declare(SQL)
    for page in (LIST, reverse("orm_views_admin:sync")):
        text = browse.read(page)
        assert "One view is skipped" in text
        assert "views.elsewhere:" in text
    for page in ("detail", "preview"):
        assert browse.client.get(url(page, "elsewhere")).status_code in (200, 404)


def test_who_read_which_rows_is_found_by_column_and_value(browse: Browse, shown: type) -> None:
    preview = url("preview", "shown")
    for value in ("5", "7"):
        browse.get(preview, **{"column.weight.at_least": value})
    browse.get(preview, **{"column.weight.in": "5, 7"})
    browse.get(preview, **{"column.weight.equals": "9"})
    browse.get(preview, **{"column.shelf.is_null": "yes"})
    accesses = reverse("orm_views_admin:accesses")
    page = browse.read(accesses, **{"column.weight.equals": "7"})
    assert "asked for these rows (1)" in page
    assert "may include them (3)" in page
    assert "asked for others (1)" in page
    assert "asked for these rows (1)" in browse.read(accesses, **{"column.weight.at_least": "5"})
    assert "asked for these rows (1)" in browse.read(accesses, **{"column.shelf.is_null": "yes"})
    assert "weight is one of 5" in browse.read(accesses, q="one of", since="week", until="2099-01-01")
    for form in ("csv", "json"):
        for name in ("accesses_export", "runs_export"):
            file = browse.client.get(reverse(f"orm_views_admin:{name}", kwargs={"form": form}))
            assert b"default" in b"".join(file), (name, form)
