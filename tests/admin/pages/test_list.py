"""The list: how views stand, filters, search, order, pages, estimates."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromSQL
from tests.admin.browse import LIST, bare, declare, declare_materialised, forget, text_of, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_of_each(registered, execute, personal):
    """A view for each status that views of an intact database can have."""
    declare("Exposes", "SELECT email FROM lending_customer")
    for name in ("Synced", "Changed", "Drifted", "Orphaned", "Wrong_kind"):
        declare(name, f"SELECT 1 AS one, '{name} needle' AS word")
    empty = declare_materialised("Empty", "SELECT 1 AS one", with_data=False)
    sync_views()
    forget(registered, "Orphaned")
    declare("Changed", "SELECT 2 AS one, 'new' AS word")
    execute("GRANT SELECT ON views.exposes TO PUBLIC")
    execute("CREATE OR REPLACE VIEW views.drifted AS SELECT 3 AS one, 'x'::text AS word")
    execute("CREATE VIEW views.unmanaged AS SELECT 1 AS one")
    declare_materialised("Wrong_kind", "SELECT 1 AS one")
    declare("Missing", "SELECT 1 AS one")
    declare("Broken", "SELECT 1; SELECT 2")
    declare("Invalid", "SELECT nonsense")
    return empty


STATES = [
    "synced",
    "changed",
    "drifted",
    "missing",
    "orphaned",
    "unmanaged",
    "wrong kind",
    "not populated",
    "shows personal data",
]


def rows(html):
    """The rows of the table, as text, by the name of their view."""
    found = re.findall(r'<tr role="row">(.*?)</tr>', html.partition("<tbody")[2], re.DOTALL)
    texts = [text_of(row) for row in found]
    return {text.split()[0]: text for text in texts}


def names(html):
    return list(rows(html))


def test_the_list_begins_with_how_many_need_attention(browse, one_of_each):
    assert "9 of 11 views need attention: " in browse.read(LIST)


def test_the_list_says_when_nothing_needs_attention(browse):
    declare("Synced", "SELECT 1 AS one")
    declare("Too", "SELECT 1 AS one")
    sync_views()
    assert "None of the 2 views needs attention: 2 synced." in browse.read(LIST)


def test_an_empty_registry_is_explained(browse, settings):
    text = browse.read(LIST)
    assert "No views are registered yet." in text
    where = "Views that are declared in the %s of an app are listed here."
    assert where % "postgres_views.py or database_views.py" in text
    settings.ORM_VIEWS = {"MODULE": "sql.views"}
    assert where % "sql/views.py" in browse.read(LIST)


def test_the_menu_calls_the_app_by_what_it_shows(browse):
    assert '<a href="/admin/orm_views_admin/">Database views</a>' in browse.get(LIST)
    assert "Database views" in text_of(browse.client.get(reverse("admin:index")).content.decode())


@pytest.mark.parametrize("state", [*STATES, "invalid"])
def test_each_status_is_a_word_an_icon_and_a_colour(browse, one_of_each, state):
    html = browse.get(LIST)
    assert re.search(rf'<span class="ov-badge ov-\w+"><svg[^>]*>.*?</svg>{state}</span>', html)


@pytest.mark.parametrize("state", [*STATES, "invalid"])
def test_statuses_are_links_with_counts_that_filter(browse, one_of_each, state):
    html = browse.get(LIST)
    link = re.search(rf'<a class="ov-badge[^"]*" href="([^"]*)"[^>]*><svg.*?</svg>{state} <b>(\d+)</b>', html)
    assert link
    shown = rows(browse.get(LIST + link[1]))
    assert len(shown) == int(link[2]) > 0
    assert all(state in row for row in shown.values())


def test_personal_data_that_others_can_read_is_urgent_and_says_what_and_who(browse, one_of_each):
    html = browse.get(LIST, sort="state")
    assert names(html)[:4] == ["broken", "invalid", "exposes", "wrong_kind"]
    reason = rows(html)["exposes"]
    assert "lending.Customer.email as it is" in reason
    assert "It may be read by everybody (PUBLIC)." in reason
    assert names(browse.get(LIST, status="exposes")) == ["exposes"]


def test_an_invalid_class_is_a_row_with_its_reason_and_a_page(browse, one_of_each):
    assert "more than one statement" in rows(browse.get(LIST))["broken"]
    text = browse.read(url("detail", "broken"))
    assert "Invalid" in text
    assert "more than one statement" in text


def test_a_class_whose_name_is_taken_is_a_row_without_a_page(browse):
    declare("One", "SELECT 1 AS one", name="same")
    declare("Two", "SELECT 2 AS two", name="same")
    html = browse.get(LIST)
    assert "both claim the name" in text_of(html)
    assert "lending.Two</th>" in bare(html).replace("\n", "").replace("  ", "")


def test_search_looks_through_names_docstrings_and_sql(browse):
    declare("Alpha", "SELECT 1 AS one", __doc__="Everything about Customers.")
    declare("Beta", "SELECT 'haystack' AS word")
    sync_views()
    assert names(browse.get(LIST, q="alp")) == ["alpha"]
    assert names(browse.get(LIST, q="customers EVERYTHING")) == ["alpha"]
    assert names(browse.get(LIST, q="HAYSTACK")) == ["beta"]
    assert "No view matches these filters." in browse.read(LIST, q="absent")


def test_filters_have_counts_that_take_the_other_filters_into_account(browse, registered):
    declare("Plain", "SELECT 1 AS one")
    declare("Paid", "SELECT 1 AS one", module="tests.demo.payments.postgres_views")
    declare_materialised("Kept", "SELECT 1 AS one")
    sync_views()
    text = browse.read(LIST)
    assert "plain (2) materialised (1)" in text
    assert "lending (2) payments (1)" in text
    assert "within an hour (1)" in text
    html = browse.get(LIST, kind="view")
    assert names(html) == ["paid", "plain"]
    assert "lending (1) payments (1)" in text_of(html)
    assert names(browse.get(LIST, app="payments")) == ["paid"]
    assert names(browse.get(LIST, fresh="hour")) == ["kept"]
    assert names(browse.get(LIST, kind="view", app="lending")) == ["plain"]


@pytest.mark.parametrize("parameter", ["status", "kind", "app", "database", "fresh", "q"])
def test_nonsense_in_a_filter_finds_nothing_and_breaks_nothing(browse, parameter):
    declare("Plain", "SELECT 1 AS one")
    assert "No view matches these filters." in browse.read(LIST, **{parameter: "<b>\0nonsense'"})


def test_columns_sort_both_ways_and_say_so(browse):
    declare("Alpha", "SELECT 1 AS one")
    declare("Beta", "SELECT 1 AS one")
    assert names(browse.get(LIST, sort="view")) == ["alpha", "beta"]
    html = browse.get(LIST, sort="-view")
    assert names(html) == ["beta", "alpha"]
    assert re.search(r'<th[^>]*aria-sort="descending"[^>]*>\s*<a href="\?sort=view">View', html)


@pytest.mark.parametrize(
    "column", ["view", "app", "kind", "readable", "state", "size", "refreshed", "seconds"]
)
def test_every_sortable_column_sorts_all_kinds_of_rows(browse, one_of_each, column):
    for sort in (column, f"-{column}"):
        html = browse.get(LIST, sort=sort)
        assert "aria-sort" in html
        assert len(rows(html)) == 11


@pytest.mark.parametrize("sort", ["nonsense", "-", "rows", "__class__", "view,-app"])
def test_an_order_that_does_not_exist_is_passed_over(browse, sort):
    declare("Alpha", "SELECT 1 AS one")
    assert names(browse.get(LIST, sort=sort)) == ["alpha"]


@pytest.mark.parametrize(("sort", "is_shown"), [("size", True), ("-size", True), ("oversize", False)])
def test_a_column_without_values_is_shown_if_the_list_is_sorted_by_it(browse, sort, is_shown):
    declare("Alpha", "SELECT 1 AS one")
    sync_views()
    assert bool(re.search(r'<a href="\?sort=-?size">', browse.get(LIST, sort=sort))) is is_shown


def test_long_lists_have_pages(browse):
    for n in range(120):
        declare(f"View{n:03}", "SELECT 1 AS one")
    assert len(rows(browse.get(LIST))) == 50
    assert names(browse.get(LIST, page="3"))[0] == "view100"
    assert 'aria-current="page">3</span>' in browse.get(LIST, page="3")
    assert names(browse.get(LIST, page="0000000003"))[0] == "view100"
    for nonsense in ("0", "-1", "4", "x", "9" * 40, "²", "0000000025", "0" * 5000):
        assert names(browse.get(LIST, page=nonsense))[0] == "view000"


def test_rows_are_those_of_the_statistics_until_the_script_counts_them(browse, execute):
    """A plain view has none. Nothing is planned and nothing is read for the list."""
    declare_materialised("Many", "SELECT generate_series(1, 2000) AS n")
    declare("Plain", "SELECT generate_series(1, 2000) AS n")
    sync_views()
    execute("ANALYZE views.many")
    counts = re.findall(
        r'<span class="ov-count" data-count-url="([^"]*)"[^>]*>([^<]*)</span>', browse.get(LIST)
    )
    assert counts == [(url("count", "many"), "~ 2,000"), (url("count", "plain"), DASH)]


def test_what_cannot_be_counted_is_not_asked_for(browse, one_of_each):
    html = browse.get(LIST)
    asked = re.findall(r'data-count-url="([^"]*)"', html)
    assert url("count", "empty") not in asked
    assert url("count", "missing") not in asked
    assert url("count", "orphaned") not in asked
    assert url("count", "unmanaged") not in asked


def test_rows_of_views_that_no_class_declares_come_from_the_statistics(browse, execute):
    declare("Ours", "SELECT 1 AS one")
    sync_views()
    execute("CREATE MATERIALIZED VIEW views.theirs AS SELECT generate_series(1, 2345) AS n")
    execute("ANALYZE views.theirs")
    assert "~ 2,345" in rows(browse.get(LIST))["theirs"]


def test_a_readable_view_says_so(browse):
    from django.db import models

    type(
        "Readable",
        (ReadableViewFromSQL,),
        {
            "__module__": "tests.demo.lending.postgres_views",
            "sql": "SELECT 1 AS id",
            "id": models.IntegerField(primary_key=True),
        },
    )
    declare("Other", "SELECT 1 AS one")
    shown = rows(browse.get(LIST))
    assert "Yes" in shown["readable"].split()
    assert "Yes" not in shown["other"].split()


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_does_not_answer_is_said_and_the_rest_is_shown(browse, cut_off):
    cut_off("warehouse")
    declare("Here", "SELECT 1 AS one")
    declare("There", "SELECT 1 AS one", database="warehouse")
    html = browse.get(LIST)
    text = text_of(html)
    assert "2 of 2 views need attention: 1 cannot be read, 1 missing." in text
    assert "Database “warehouse” cannot be read." in text
    assert names(html) == ["database", "there", "here"]
    for name in ("database", "there"):
        assert "cannot be read" in rows(html)[name]
        assert "does not answer" in rows(html)[name]


def test_the_database_is_a_column_where_there_are_several(browse, one_of_each):
    assert 'data-label="Database"' not in browse.get(LIST)


def test_selecting_nothing_is_no_selection_of_everything(browse):
    declare("Here", "SELECT 1 AS one")
    for action in ("sync", "refresh"):
        response = browse.post(f"{LIST}{action}/", selected="1")
        assert (response.status_code, response.headers["Location"]) == (302, LIST)
    assert "Select the views to sync first." in browse.read(LIST)
