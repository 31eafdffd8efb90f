"""What pages cost: a fixed number of queries, and no work that grows with what is not shown."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.privacy import marks
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, url

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])


def count_queries(browse):
    """Load the list, and return how many queries it sent to each database."""
    with ExitStack() as stack:
        captured = {
            alias: stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in connections
        }
        html = browse.get(LIST)
    return html, {alias: len(context) for alias, context in captured.items()}


def declare_many(number):
    for n in range(number):
        database = "warehouse" if n % 3 == 0 else "default"
        make = declare_materialised if n % 50 == 0 else declare
        make(f"View{n:04}", f"SELECT {n} AS n, name FROM (VALUES ('x')) AS v (name)", database=database)
    sync_views()


def test_the_list_takes_as_many_queries_for_1000_views_as_for_10(browse):
    declare_many(10)
    browse.get(LIST)  # sessions and content types are cached from here on
    html, few = count_queries(browse)
    assert "None of the 10 views needs attention: 10 synced." in html
    declare_many(1000)
    began = time.perf_counter()
    html, many = count_queries(browse)
    seconds = time.perf_counter() - began
    assert "None of the 1,000 views needs attention: 1,000 synced." in html
    assert many == few
    assert set(few) == {"default", "warehouse"}
    # Far above what it takes, far below what formatting every view's SQL would.
    assert seconds < 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_the_list_of_one_database_sends_16_statements_at_most(browse, execute):
    """With views that select a star, and materialised ones with the changes of what they read."""
    declare("Star", "SELECT * FROM auth_group")
    declare_materialised("Stored", "SELECT id FROM auth_group", pk_field="id")
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    refresh_views()
    browse.get(LIST)
    with CaptureQueriesContext(connections["default"]) as queries:
        browse.get(LIST)
    assert len(queries) == 16, [query["sql"][:80] for query in queries]


#: The pages about one view, and how many statements each sends to the default database, with the session and
#: the runs, and to that of the view. What begins and ends a transaction counts. One also records who has read
#: rows: that is an INSERT in a savepoint. The last one also refreshes.
PAGES = {
    "detail": (
        lambda browse: browse.get(url("detail", "view0000", database="warehouse")),
        {"default": 6, "warehouse": 72},
    ),
    "rows": (
        lambda browse: browse.get(url("preview", "view0000", database="warehouse")),
        {"default": 5, "warehouse": 20},
    ),
    "count": (
        lambda browse: browse.get(url("count", "view0000", database="warehouse")),
        {"default": 2, "warehouse": 15},
    ),
    "refresh": (
        lambda browse: browse.get(f"{LIST}refresh/", view=key("view0000", database="warehouse")),
        {"default": 3, "warehouse": 10},
    ),
    "refresh it": (
        lambda browse: browse.post(
            f"{LIST}refresh/", view=key("view0000", database="warehouse"), confirm="yes"
        ),
        {"default": 23, "warehouse": 76},
    ),
}


#: The pages that look for personal data for whoever may see all. They send more if something is personal.
LOOKS = ("detail", "rows")


def test_with_marks_the_list_takes_as_many_queries_for_200_views_as_for_10(browse, execute, personal):
    def declare_some(number):
        for n in range(number):
            shows = "email" if n % 2 else "city"
            declare(f"View{n:04}", f"SELECT {n} AS n, {shows} AS shown FROM lending_customer")
        sync_views()
        execute("GRANT SELECT ON ALL TABLES IN SCHEMA views TO PUBLIC")

    declare_some(10)
    browse.get(LIST)
    html, few = count_queries(browse)
    assert "5 of 10 views need attention: 5 shows personal data." in html
    execute("REVOKE SELECT ON ALL TABLES IN SCHEMA views FROM PUBLIC")
    declare_some(200)
    html, many = count_queries(browse)
    assert "100 of 200 views need attention: 100 shows personal data." in html
    assert many == few


def test_without_marks_the_list_sends_no_query_for_personal_data(browse, personal, monkeypatch):
    declare("Plain", "SELECT email FROM lending_customer")
    sync_views()
    browse.get(LIST)
    _, with_marks = count_queries(browse)
    monkeypatch.setattr(marks, "_used", False)
    _, without = count_queries(browse)
    assert with_marks["default"] > without["default"] == 14


@pytest.mark.parametrize("is_marked", [False, True], ids=["without marks", "with marks"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_about_a_view_takes_a_fixed_number_of_queries(browse, request, page, is_marked):
    get, wanted = PAGES[page]
    if is_marked:
        request.getfixturevalue("personal")

    def queries():
        with ExitStack() as stack:
            captured = {
                alias: stack.enter_context(CaptureQueriesContext(connections[alias]))
                for alias in ("default", "warehouse")
            }
            get(browse)
        return {alias: len(context) for alias, context in captured.items()}

    declare_many(10)
    get(browse)
    few = queries()
    declare_many(100)
    assert queries() == few
    if is_marked and page in LOOKS:
        assert few["warehouse"] > wanted["warehouse"]
    else:
        assert few == wanted
