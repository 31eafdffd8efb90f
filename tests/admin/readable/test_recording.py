"""That rows of readable views in Django's admin are recorded before they are shown; and links to and fro."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch

from orm_views_admin.admin import ReadableViewAdmin
from orm_views_admin.models import RowAccess
from orm_views_admin.readable import recording
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, key, text_of, url
from tests.demo import data
from tests.demo.lending.postgres_views import ActiveLoans, Customers, DataAsOf, LoanBook, LoansTakenOver

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

BOOK = "/admin/lending/loanbook/"
ACTIVE = "/admin/lending/activeloans/"


@pytest.fixture(autouse=True)
def views(db, registered):
    """The demonstration's views that are in the admin, synced, with its data."""
    data.load(connections["default"], scale=0.001)
    for view in (DataAsOf, Customers, LoanBook, ActiveLoans):
        registered.register(view)
    sync_views()


def last():
    """The last access: what was asked for, and how many rows were given."""
    access = RowAccess.objects.first()
    assert access.kind == "admin"
    return access.about, access.rows


def conditions():
    return [
        (each["column"], each["operator"], each["values"]) for each in RowAccess.objects.first().conditions
    ]


@pytest.mark.parametrize(
    ("asked", "words", "found"),
    [
        ({}, "", []),
        ({"status__exact": "active"}, "status = active", [("status", "equals", ["active"])]),
        ({"product__id__exact": "2"}, "product_id = 2", [("product_id", "equals", ["2"])]),
        ({"id__in": "4,5"}, "id is one of 4, 5", [("id", "in", ["4", "5"])]),
        ({"pk__gte": "190"}, "id is at least 190", [("id", "at_least", ["190"])]),
        ({"status__isnull": "True"}, "status is NULL", [("status", "is_null", [])]),
        ({"status__isnull": "2"}, "status is NULL", [("status", "is_null", [])]),
        ({"status__isnull": ["0", "1"]}, "status__isnull = 0, 1", []),
        ({"status": ["", "active"]}, "status is one of , active", [("status", "in", ["", "active"])]),
        ({"opened_on__year": "2024"}, "opened_on__year = 2024", []),
        ({"o": "-3.1"}, "sorted by annual_rate, descending, product", []),
        ({"p": "2"}, "page 2", []),
    ],
)
def test_a_list_is_recorded_with_its_filters(admin_client, asked, words, found):
    response = admin_client.get(ACTIVE, asked)
    assert response.status_code == 200
    rows = len(response.context["cl"].result_list)
    assert last() == (words, rows)
    assert conditions() == found
    access = RowAccess.objects.get()
    assert (access.who, str(access.view_name), access.database) == ("admin", "views.active_loans", "default")


@pytest.mark.parametrize(("text", "value"), [("1", "t"), ("t", "t"), ("0", "f"), ("False", "f"), ("x", None)])
def test_a_truth_value_is_recorded_as_django_understands_it(text, value):
    asked = recording._condition(get_user_model()._meta, "is_staff__exact", [text])
    assert (asked and asked.values) == (value and (value,))


def test_a_search_and_a_filter_of_the_project_are_recorded_in_words(admin_client):
    admin_client.get(BOOK, {"q": "york", "all": ""})
    assert last()[0] == "search for “york”, all on one page"
    asked = RequestFactory().get("/", {"size": "large", "status": "active"})
    assert shown(asked, list_filter=[Size]).status_code == 200
    assert last()[0] == "status = active, size = large"


class Size(admin.SimpleListFilter):
    title = parameter_name = "size"

    def lookups(self, request, model_admin):
        return [("large", "large")]

    def queryset(self, request, queryset):
        return queryset


def shown(request, method="changelist_view", **attributes):
    """What a ModelAdmin answers that is in no site's URLs."""
    request.user = get_user_model().objects.get_or_create(username="sue", is_staff=True, is_superuser=True)[0]
    readable = type("Shown", (ReadableViewAdmin,), attributes)(ActiveLoans, admin.site)
    request.session = request._messages = None
    request._dont_enforce_csrf_checks = True
    return getattr(readable, method)(request)


def test_a_row_and_its_history_are_recorded(admin_client):
    pk = ActiveLoans.objects.order_by("id")[0].pk
    for page, words in (("change", "row"), ("history", "history of row")):
        assert admin_client.get(f"{ACTIVE}{pk}/{page}/").status_code == 200
        assert last() == (f"id = {pk}, {words} {pk}", 1)
        assert conditions() == [("id", "equals", [str(pk)])]


def test_a_row_that_is_not_there_has_not_been_read(admin_client):
    for page in ("999999/change/", "999999/history/", "?p=99", "?absent=1"):
        assert admin_client.get(f"{BOOK}{page}").status_code == 302
    assert not RowAccess.objects.exists()


def test_who_is_refused_has_read_nothing(client):
    client.force_login(get_user_model().objects.create_user("nobody", is_staff=True))
    pk = ActiveLoans.objects.order_by("id")[0].pk
    for page in ("", f"{pk}/change/", f"{pk}/history/"):
        assert client.get(f"{ACTIVE}{page}").status_code == 403
    assert not RowAccess.objects.exists()


def test_an_action_is_recorded_with_the_rows_that_it_got():
    def copy(self, request, queryset):
        return HttpResponse(str(queryset.count()))

    def act(**sent):
        request = RequestFactory().post("/?status=active", {"action": "copy", "index": "0", **sent})
        return shown(request, actions=[copy]).content

    first, second = ActiveLoans.objects.filter(status="active").order_by("id")[:2]
    act(_selected_action=[first.pk, second.pk])
    assert last() == (f"status = active, id is one of {first.pk}, {second.pk}, action copy", 2)
    act(_selected_action=[first.pk], select_across="1")
    assert last() == ("status = active, action copy", None)
    assert RowAccess.objects.count() == 2


def test_what_completes_a_field_is_recorded():
    request = RequestFactory().get("/admin/autocomplete/", {"term": "yor"})
    request.resolver_match = ResolverMatch(None, (), {}, url_name="autocomplete")
    shown(request, method="get_queryset")
    readable = ReadableViewAdmin(ActiveLoans, admin.site)
    readable.get_search_results(request, ActiveLoans.objects.all(), "yor")
    assert last() == ("completion of “yor”", None)


def test_what_cannot_be_recorded_is_not_shown(admin_client, execute):
    execute("ALTER TABLE orm_views_admin_rowaccess RENAME TO somewhere_else")
    pk = ActiveLoans.objects.order_by("id")[0].pk
    for page in ("", f"{pk}/change/", f"{pk}/history/"):
        text = text_of(admin_client.get(f"{ACTIVE}{page}").content.decode())
        assert "Rows are not shown, because it could not be recorded that you read them" in text
        assert "Opened on" not in text


def test_it_is_recorded_whether_a_view_has_personal_data(admin_client, personal):
    admin_client.get(ACTIVE)
    assert not RowAccess.objects.first().with_personal


def test_rows_of_another_database_are_recorded_with_it(admin_client, registered):
    registered.register(LoansTakenOver)
    data.load(connections["warehouse"], scale=0.001)
    sync_views(databases=["warehouse"])
    assert admin_client.get("/admin/lending/loanstakenover/").status_code == 200
    access = RowAccess.objects.get()
    assert (access.database, str(access.view_name)) == ("warehouse", "views.loans_taken_over")


# Links.


def test_a_view_and_its_rows_lead_to_each_other(admin_client):
    detail = admin_client.get(url("detail", "active_loans")).content.decode()
    assert f'<a href="{ACTIVE}">Rows in the admin</a>' in detail
    pk = ActiveLoans.objects.order_by("id")[0].pk
    for page in (ACTIVE, f"{ACTIVE}{pk}/change/"):
        html = admin_client.get(page).content.decode()
        assert html.count(f'<a href="{url("detail", "active_loans")}">About this view</a>') == 1
    assert "About this view" not in admin_client.get(f"{ACTIVE}?_popup=1").content.decode()
    # A view that is in no admin has no rows there.
    assert "Rows in the admin" not in admin_client.get(url("detail", "customers")).content.decode()


@pytest.mark.parametrize(
    ("held", "leads_there", "leads_back"),
    [
        (["view_registeredview"], False, False),
        (["view_activeloans"], False, False),
        (["view_registeredview", "view_activeloans"], True, True),
    ],
    ids=["pages", "rows", "both"],
)
def test_links_are_for_those_who_may_follow_them(held, leads_there, leads_back):
    user = get_user_model().objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=held))
    client = Client()
    client.force_login(user)
    detail = client.get(url("detail", "active_loans"))
    assert ("Rows in the admin" in detail.content.decode()) is leads_there
    assert ("About this view" in client.get(ACTIVE).content.decode()) is leads_back


def test_rows_read_in_the_admin_are_found_by_their_condition(admin_client):
    admin_client.get(ACTIVE, {"product__id__exact": "2"})
    about = {"view": key("active_loans"), "column.product_id.equals": "2"}
    assert "1 access " in text_of(admin_client.get(f"{LIST}accesses/", about).content.decode())
