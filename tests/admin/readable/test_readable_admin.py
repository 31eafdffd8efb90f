"""Rows of readable views in Django's admin: who sees them, that nobody writes them, that a page comes."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.test import Client, RequestFactory

from orm_views_admin.admin import ReadableViewAdmin
from orm_views_admin.readable.admin import COLUMNS, _amend
from orm_views_core.engines.postgresql.reading import limiting
from orm_views_core.sync import sync_views
from tests.admin.browse import text_of, url
from tests.demo import data
from tests.demo.lending.models import Product
from tests.demo.lending.postgres_views import (
    ActiveLoans,
    Customers,
    DataAsOf,
    LoanBook,
    LoansTakenOver,
    NewBusiness,
)

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

BOOK = "/admin/lending/loanbook/"
ACTIVE = "/admin/lending/activeloans/"
TAKEN_OVER = "/admin/lending/loanstakenover/"

# Views of the same columns: of all loans, and one whose every row takes a hundredth of a second.
FAST = """
CREATE OR REPLACE VIEW views.active_loans AS
SELECT id, product_id, principal, annual_rate, term_months, status, opened_on FROM lending_loan"""
SLOW = f"{FAST} WHERE pg_sleep(0.01) IS NOT NULL"


@pytest.fixture(autouse=True)
def views(request, registered):
    """The demonstration's views that are in the admin, synced, with its data."""
    commits = request.node.get_closest_marker("django_db").kwargs.get("transaction", False)
    request.getfixturevalue("committed_views" if commits else "db")
    data.load(connections["default"], scale=0.001)
    for view in (DataAsOf, Customers, LoanBook, ActiveLoans):
        registered.register(view)
    sync_views()


@pytest.fixture
def taken_over(views, registered):
    """The same in the other database, whose view is read without saying so."""
    data.load(connections["warehouse"], scale=0.001)
    registered.register(LoansTakenOver)
    sync_views(databases=["warehouse"])


@pytest.fixture
def log_in():
    """A function that logs a member of staff in who has some permissions, named by their codenames."""

    def log_in(*codenames):
        user = get_user_model().objects.create_user("-".join(codenames) or "nobody", is_staff=True)
        found = Permission.objects.filter(codename__in=codenames)
        assert len(found) == len(codenames)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return log_in


def page(client, path, expect=200, **parameters):
    response = client.get(path, parameters)
    assert response.status_code == expect, response.headers.get("Location")
    return response.content.decode()


def ids(html):
    return [int(number) for number in re.findall(r'<th class="field-id"><a[^>]*>(\d+)</a>', html)]


def active(n=0):
    return ActiveLoans.objects.order_by("id")[n]


# Who may what.

HELD = [
    (),
    ("view_loan",),
    ("view_activeloans",),
    ("add_activeloans", "change_activeloans", "delete_activeloans"),
    ("add_activeloans", "change_activeloans", "delete_activeloans", "view_activeloans"),
]


@pytest.mark.parametrize("held", HELD, ids="+".join)
def test_the_view_permission_shows_list_and_row_and_nothing_lets_anybody_write(log_in, execute, held):
    client, row = log_in(*held), active()
    before = execute("SELECT * FROM lending_loan ORDER BY id")
    # Django takes a permission to change for one to view, everywhere.
    sees = 200 if {"view_activeloans", "change_activeloans"} & set(held) else 403
    change = {"id": row.pk, "product": "2", "principal": "1.00", "_save": "Save"}
    answers = {
        (method, path): getattr(client, method)(f"{ACTIVE}{path}", sent).status_code
        for method, sent in (("get", None), ("post", change))
        for path in ("", "add/", f"{row.pk}/change/", f"{row.pk}/delete/", f"{row.pk}/history/")
    }
    assert answers == {
        ("get", ""): sees,
        ("get", "add/"): 403,
        ("get", f"{row.pk}/change/"): sees,
        ("get", f"{row.pk}/delete/"): 403,
        ("get", f"{row.pk}/history/"): sees,
        ("post", ""): sees,
        ("post", "add/"): 403,
        ("post", f"{row.pk}/change/"): 403,
        ("post", f"{row.pk}/delete/"): 403,
        ("post", f"{row.pk}/history/"): sees,
    }
    assert execute("SELECT * FROM lending_loan ORDER BY id") == before


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "delete_selected", "post": "yes"},
        {"action": "delete_selected", "select_across": "1", "index": "0"},
        {"_save": "Save", "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-principal": "1"},
    ],
)
def test_a_superuser_changes_nothing_through_the_list(admin_client, execute, sent):
    before = execute("SELECT * FROM lending_loan ORDER BY id")
    admin_client.post(ACTIVE, {**sent, "_selected_action": str(active().pk), "form-0-id": active().pk})
    assert execute("SELECT * FROM lending_loan ORDER BY id") == before


def test_a_superuser_saves_no_copy_of_a_row(admin_client):
    path = f"{ACTIVE}{active().pk}/change/"
    for sent in ({"_saveasnew": "1"}, {"_save": "1", "_popup": "1"}, {"_continue": "1"}):
        assert admin_client.post(path, sent).status_code == 403


def test_a_page_has_nothing_to_write_with(admin_client):
    for path in (ACTIVE, f"{ACTIVE}{active().pk}/change/"):
        html = page(admin_client, path)
        assert not re.search(
            r'name="(_save|action|_selected_action)"|/add/"|/delete/"', html.split("<main")[1]
        )


# What is shown.


def test_without_a_list_display_the_first_fields_are_shown_the_key_in_front(admin_client):
    html = page(admin_client, ACTIVE)
    heads = re.findall(r'<th scope="col" class="[^"]*column-(\w+)', html)
    assert heads == ["id", "product", "principal", "annual_rate", "term_months", "status", "opened_on"]
    shown = ReadableViewAdmin(LoanBook, admin.site)
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True)
    assert len(LoanBook._meta.fields) > COLUMNS == len(shown.get_list_display(request))


def test_a_row_has_all_fields_and_none_can_be_edited(admin_client):
    html = page(admin_client, f"{BOOK}5/change/")
    assert re.findall(r'class="form-row field-(\w+)"', html) == [f.name for f in LoanBook._meta.fields]
    assert "Amount lent, in pounds." in html
    fields = html[html.index("<fieldset") : html.rindex("</fieldset>")]
    assert not re.search("<(input|select|textarea)", fields)


def test_a_row_that_is_not_there_leads_back_with_a_message(admin_client):
    response = admin_client.get(f"{BOOK}999999/change/", follow=True)
    assert "999999" in text_of(response.content.decode())


def test_a_foreign_key_is_a_link_for_those_who_may_see_what_it_leads_to(log_in):
    row = active()
    link = f'<a href="/admin/lending/product/{row.product_id}/change/">'
    for held, shown in (
        (["view_activeloans"], False),
        (["view_activeloans", "view_product"], True),
    ):
        client = log_in(*held)
        for path in (ACTIVE, f"{ACTIVE}{row.pk}/change/"):
            html = page(client, path)
            assert (link in html) is shown
            assert (row.product.name in html) is shown
    assert f'<td class="field-product">{row.product_id}</td>' in page(log_in("view_loan", *held[:1]), ACTIVE)


def test_a_foreign_key_to_what_the_admin_does_not_show_is_text(admin_client, monkeypatch):
    monkeypatch.delitem(admin.site._registry, Product)
    html = page(admin_client, ACTIVE)
    assert f'<td class="field-product">{active().product}</td>' in html


def test_a_row_whose_related_row_has_gone_is_shown_all_the_same(admin_client, execute):
    execute(
        SLOW.replace("product_id", "999::bigint AS product_id").replace(
            "WHERE pg_sleep(0.01) IS NOT NULL", ""
        )
    )
    html = page(admin_client, ACTIVE)
    assert len(ids(html)) == 100
    assert '<td class="field-product">999</td>' in html
    assert ">999<" in page(admin_client, f"{ACTIVE}5/change/")


def test_what_foreign_keys_lead_to_is_read_at_once(admin_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(48):
        page(admin_client, ACTIVE)


def test_rows_come_from_the_database_of_the_view(admin_client, execute, taken_over):
    execute("UPDATE lending_product SET name = 'Of the other lender'", "warehouse")
    execute("UPDATE lending_loan SET principal = 12.34 WHERE id = 1", "warehouse")
    for path in (TAKEN_OVER, f"{TAKEN_OVER}1/change/"):
        html = page(admin_client, path)
        assert "12.34" in html
        assert "Of the other lender" in html
        # The product of that number here is another one.
        assert "/admin/lending/product/1" not in html
    assert Product.objects.filter(name="Of the other lender").count() == 0


# Lists.


def test_pages_follow_the_key_and_miss_no_row(admin_client):
    registered = admin.site.get_model_admin(LoanBook)
    assert registered.ordering == ("-opened_on", "id")
    assert admin.site.get_model_admin(ActiveLoans).ordering == ("id",)
    pages = [ids(page(admin_client, BOOK, p=n)) for n in (1, 2)]
    assert [len(numbers) for numbers in pages] == [100, 100]
    assert [*pages[0], *pages[1]] == list(LoanBook.objects.values_list("id", flat=True))
    assert len(ids(page(admin_client, BOOK, all=""))) == 200
    assert admin_client.get(BOOK, {"p": "3"}).headers["Location"] == f"{BOOK}?e=1"


def test_a_list_is_searched_filtered_and_sorted(admin_client):
    for parameters, wanted in (
        ({"q": "york"}, LoanBook.objects.filter(city__icontains="york")),
        ({"status__exact": "active"}, LoanBook.objects.filter(status="active")),
        ({"age_band": "25-34"}, LoanBook.objects.filter(age_band="25-34")),
        ({"opened_on__year": "2024"}, LoanBook.objects.filter(opened_on__year=2024)),
    ):
        html = page(admin_client, BOOK, all="", **parameters)
        assert sorted(ids(html)) == sorted(wanted.values_list("id", flat=True)) != []
        assert len(ids(html)) < 200
    by_principal = page(admin_client, BOOK, o="-3", all="")
    assert ids(by_principal)[0] == LoanBook.objects.order_by("-principal", "-opened_on", "id")[0].pk
    by_product = page(admin_client, ACTIVE, o="1", all="")
    assert ids(by_product)[0] == ActiveLoans.objects.order_by("product_id", "id")[0].pk
    assert "2024" in text_of(page(admin_client, BOOK))
    assert "Show counts" in text_of(page(admin_client, BOOK))
    assert page(admin_client, BOOK, _facets="True").count("(0)") >= 0


def test_what_a_subclass_adds_to_the_context_is_there_when_the_page_is_rendered():
    class Titled(ReadableViewAdmin):
        def changelist_view(self, request, extra_context=None):
            response = super().changelist_view(request, extra_context)
            response.context_data["title"] = "Of our own"
            return response

    assert "Of our own" in render(Titled, ActiveLoans)


def render(base, model, path="/", **attributes):
    """Return the list of a ModelAdmin that is in no site's URLs."""
    shown = type("Shown", (base,), attributes)(model, admin.site)
    request = RequestFactory().get(path)
    request.user = get_user_model()(is_superuser=True, is_active=True, is_staff=True)
    return shown.changelist_view(request).render().content.decode()


# Counting.


def test_a_count_that_takes_too_long_is_an_estimate_and_the_page_comes(admin_client, execute, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.1}
    execute(SLOW)
    html = page(admin_client, ACTIVE)
    assert "the number of rows is the planner's estimate" in text_of(html).replace("&#x27;", "'")
    assert len(ids(html)) == 100
    assert "?p=2" in html


def test_the_last_page_tells_how_many_there_are(execute, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.1}
    execute(SLOW)
    html = render(ReadableViewAdmin, ActiveLoans, "/?p=2&id__lt=31", list_per_page=15)
    assert len(ids(html)) == 15
    assert "30 active loans" in text_of(html)
    assert "estimate" not in text_of(html)


def test_a_page_beyond_the_last_one_leads_to_the_first(admin_client, execute, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.1}
    execute(SLOW)
    for number in ("9", "-1", "9999999999999999999"):
        assert admin_client.get(ACTIVE, {"p": number}).headers["Location"] == f"{ACTIVE}?e=1"


def test_a_filtered_list_has_an_estimate_of_its_own(execute, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.05}
    execute(SLOW)

    def shown(path):
        text = text_of(render(ReadableViewAdmin, ActiveLoans, path, list_per_page=5))
        assert "estimate" in text
        return int(re.search(r"(\d+) active loans", text)[1])

    assert 6 <= shown("/?id__lt=20") < shown("/") <= 200


@pytest.mark.parametrize(
    ("estimate", "first", "rows", "amended"),
    [
        (1000, 0, 11, (1000, False)),
        (3, 0, 11, (11, False)),
        (3, 20, 11, (31, False)),
        (1000, 20, 4, (24, True)),
        (1000, 0, 0, (0, True)),
    ],
)
def test_what_a_page_has_corrects_an_estimate(estimate, first, rows, amended):
    assert _amend(estimate, first, range(rows), 10) == amended


# What cannot be read.


def test_a_view_without_rows_yet_says_so(admin_client, execute):
    execute("REFRESH MATERIALIZED VIEW views.loan_book WITH NO DATA")
    for path in (BOOK, f"{BOOK}5/change/", f"{BOOK}5/history/"):
        html = page(admin_client, path)
        assert "views.loan_book has no rows yet: it is not populated. Refresh it first." in html
        assert url("detail", "loan_book") in html


def test_a_view_that_reads_one_without_rows_says_which(admin_client, execute):
    execute("CREATE MATERIALIZED VIEW views.base AS SELECT 1 AS one WITH NO DATA")
    execute(f"{FAST} CROSS JOIN views.base")
    assert "cannot be read yet: views.base has no rows. Refresh that first." in page(admin_client, ACTIVE)


def test_a_view_that_is_missing_or_not_as_its_class_says_is_to_be_synced(admin_client, execute):
    execute("DROP VIEW views.active_loans")
    for path in (ACTIVE, f"{ACTIVE}5/change/"):
        assert "views.active_loans is not in the database. Sync it first." in page(admin_client, path)
    execute("CREATE VIEW views.active_loans AS SELECT 1 AS id")
    text = text_of(page(admin_client, ACTIVE)).replace("&quot;", '"')
    assert "views.active_loans is not as its class says" in text
    assert "Sync it first." in text


def test_who_may_not_see_the_rows_is_not_told_how_the_view_stands(log_in, execute):
    execute("DROP VIEW views.active_loans")
    client = log_in("view_loan")
    for path in ("", "5/change/", "5/delete/", "5/history/"):
        assert client.get(f"{ACTIVE}{path}").status_code == 403
    html = page(log_in("view_activeloans"), ACTIVE)
    assert "is not in the database" in html
    assert url("detail", "active_loans") not in html


def test_what_the_template_reads_may_take_too_long_too(execute, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.05, "PREVIEW_TIMEOUT": 0.5}
    execute(SLOW)
    html = render(ReadableViewAdmin, ActiveLoans, list_per_page=5, date_hierarchy="opened_on")
    assert "did not come within 0.5 s" in html
    assert "result_list" not in html


@pytest.mark.django_db(transaction=True)
def test_a_view_that_is_locked_says_so_in_time(admin_client, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1}
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; ALTER MATERIALIZED VIEW views.loan_book OWNER TO CURRENT_USER")
        for path in (BOOK, f"{BOOK}5/change/"):
            assert "views.loan_book is locked" in page(admin_client, path)
    finally:
        other.close()
    assert len(ids(page(admin_client, BOOK))) == 100


def test_a_database_that_does_not_answer_says_so(admin_client, cut_off):
    cut_off("warehouse")
    assert "&#x27;warehouse&#x27; (/nonexistent:" in page(admin_client, TAKEN_OVER)


def test_the_limits_of_a_page_end_with_it(execute):
    before = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    outside = execute(before)
    with transaction.atomic(), limiting(connections["default"], 3):
        assert execute(before) == [("3s", "500ms")]
    assert execute(before) == outside


# What cannot be registered.


def test_a_model_that_is_no_view_is_refused():
    with pytest.raises(ImproperlyConfigured, match=r"shows readable views, and lending\.Product is not one"):
        admin.AdminSite().register(Product, ReadableViewAdmin)


def test_django_takes_no_view_with_a_composite_key():
    with pytest.raises(ImproperlyConfigured, match="NewBusiness has a composite primary key"):
        admin.AdminSite().register(NewBusiness, ReadableViewAdmin)
