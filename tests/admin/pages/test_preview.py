"""A page of rows: values, order, filters, pages, and everything that can be asked wrongly."""

from __future__ import annotations

import re

import pytest
from django.db import connections

from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, text_of, url

pytestmark = pytest.mark.django_db

NUMBERS = "SELECT n, 'row ' || n AS label, n % 3 AS \"rest of 3\" FROM generate_series(1, 120) AS n"
REPEATED = " FROM generate_series(1, 30) AS n"


@pytest.fixture
def numbers():
    declare("Numbers", NUMBERS)
    sync_views()
    return url("preview", "numbers")


def cells(html):
    """The cells of the table, row by row, as text."""
    body = html.partition("<tbody")[2]
    return [
        [text_of(cell) for cell in re.findall(r"<t[dh] role=[^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r'<tr role="row">(.*?)</tr>', body, re.DOTALL)
    ]


def column(html, n=0):
    return [row[n] for row in cells(html)]


def test_rows_come_in_pages_that_are_never_counted(browse, numbers):
    page = browse.get(numbers)
    assert len(cells(page)) == 50
    assert "Rows 1 to 50" in page
    assert "Previous" not in page
    page = browse.get(numbers, page="3")
    assert len(cells(page)) == 20
    assert "Rows 101 to 120" in page
    assert "Next" not in page


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "²", "9" * 30, "\0"])
def test_a_page_that_is_no_page_is_the_first(browse, numbers, page):
    assert "Rows 1 to 50" in browse.get(numbers, page=page)


def test_zeros_before_the_number_of_a_page_say_nothing(browse, numbers):
    assert "Rows 51 to 100" in browse.get(numbers, page="0000000002")


def test_a_page_past_the_end_says_so(browse, numbers):
    assert "No rows here." in browse.read(numbers, page="4")
    assert "No rows here." in browse.read(numbers, page="999999999")


def test_every_column_sorts_both_ways(browse, numbers):
    assert column(browse.get(numbers, sort="n"))[:2] == ["1", "2"]
    page = browse.get(numbers, sort="-n")
    assert column(page)[:2] == ["120", "119"]
    assert 'aria-sort="descending"' in page
    assert column(browse.get(numbers, sort="-rest of 3"), 2)[0] == "2"
    assert "?sort=rest+of+3" in page


def test_columns_filter_together(browse, numbers):
    page = browse.get(numbers, **{"column.label": "ROW 1", "column.rest of 3": "0"})
    assert column(page)[:3] == ["12", "15", "18"]
    assert "label contains ROW 1 Remove" in text_of(page)
    assert "rest of 3 contains 0 Remove" in text_of(page)
    assert "No rows here." in browse.read(numbers, **{"column.label": "%"})


def test_pages_keep_order_and_filters(browse, numbers):
    page = browse.get(numbers, sort="-n", **{"column.label": "row"})
    assert 'href="?sort=-n&amp;column.label=row&amp;page=2"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"sort": "absent"},
        {"sort": "n; DROP VIEW views.numbers"},
        {"sort": '"'},
        {"column.absent": "x"},
        {"column.": "x"},
        {'column.n" = 1; --': "x"},
    ],
)
def test_a_column_that_does_not_exist_is_an_error_on_the_page(browse, numbers, wrong):
    text = browse.read(numbers, **wrong)
    assert "The rows cannot be shown." in text
    assert "has no column" in text
    assert "Show the first rows without filters" in text


@pytest.mark.parametrize(
    "text", ["'", '"', "\\", "%s", "%", "\0", "<b>", "é" * 5000, "'; DROP VIEW views.numbers; --"]
)
def test_text_to_filter_by_is_only_text(browse, numbers, text):
    browse.get(numbers, **{"column.label": text})
    assert len(cells(browse.get(numbers))) == 50


def test_a_value_of_a_megabyte_is_not_sent_whole(browse):
    declare("Huge", "SELECT repeat('x', 1000000) AS word")
    sync_views()
    html = browse.get(url("preview", "huge"))
    assert len(html) < 100_000
    assert "Show the whole (1,000,000 characters)" in html


def test_of_60_cells_of_a_megabyte_at_most_2_megabytes_leave_the_server(browse):
    """What PostgreSQL sends is counted, and what the page sends."""
    declare("Huge", "SELECT " + ", ".join(f"repeat('{n}é', 500000) AS c{n}" for n in range(2)) + REPEATED)
    sync_views()
    sent = []

    def look(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        cursor = context["cursor"]
        if "LIMIT" in sql and 'FROM "views"."huge"' in sql:
            sent.extend(value for row in cursor.fetchall() for value in row if isinstance(value, str))
            cursor.scroll(0, mode="absolute")
        return result

    with connections["default"].execute_wrapper(look):
        html = browse.get(url("preview", "huge"))
    assert len(sent) == 60
    assert sum(len(value.encode()) for value in sent) < 200_000
    assert len(html.encode()) < 2_000_000
    assert html.count("Show the whole (1,000,000 characters)") == 60


def test_a_view_without_columns_or_rows_is_shown(browse):
    declare("Blank", "SELECT FROM generate_series(1, 3)")
    declare("Barren", "SELECT 1 AS one WHERE false")
    sync_views()
    text = browse.read(url("preview", "blank"))
    assert "The view has rows, but no columns." in text
    assert "Rows 1 to 3" in text
    assert "Add filter" not in text
    assert "The view has no rows." in browse.read(url("preview", "barren"))


def test_columns_may_have_any_name(browse):
    names = ["sort", "page", "c0", "-minus", "100%", "a b", "ü", "<script>", "items", "rows", "__class__"]
    names += [
        "a.b",
        "is_null",
        "a.is_null",
        "filter",
        "value",
        "digest",
        "a'b",
        "-",
        ".",
        "a&b=c",
        "ש",
        "&lt;",
    ]
    select = ", ".join(f'{n} AS "{name}"' for n, name in enumerate(names))
    declare("Odd", f"SELECT {select}")
    sync_views()
    html = browse.get(url("preview", "odd"))
    assert cells(html) == [[str(n) for n in range(len(names))]]
    assert "<script>" not in html.replace('<script src="', "")
    for n, name in enumerate(names):
        for parameter in (f"column.{name}", f"column.{name}.equals"):
            assert cells(browse.get(url("preview", "odd"), **{parameter: str(n)})), name
            assert not cells(browse.get(url("preview", "odd"), **{parameter: str(n + 100)})), name
        assert 'aria-sort="descending"' in browse.get(url("preview", "odd"), sort=f"-{name}"), name


def test_a_view_that_is_not_populated_offers_a_refresh(browse, staff):
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False)
    sync_views()
    html = browse.get(url("preview", "empty"))
    assert "It has no rows yet." in html
    assert "/refresh/?view=" in html
    assert "cannot be shown" not in html
    looking = staff("view", "preview").get(url("preview", "empty")).content.decode()
    assert "It has no rows yet." in looking
    assert "/refresh/?view=" not in looking


def test_a_missing_view_says_what_to_do(browse):
    declare("Missing", "SELECT 1 AS one")
    assert "is not in the database. Sync it first." in browse.read(url("preview", "missing"))


def test_a_view_that_belongs_to_a_stranger_is_not_read(browse, execute, make_role, numbers):
    make_role("stranger")
    execute("ALTER VIEW views.numbers OWNER TO stranger")
    text = browse.read(numbers)
    assert "The rows cannot be shown. The rows of views.numbers are not read" in text
    assert "row 1" not in text


def test_rows_that_take_too_long_are_given_up(browse, settings):
    settings.ORM_VIEWS = {"PREVIEW_TIMEOUT": 0.2}
    declare("Slow", "SELECT n FROM generate_series(1, 20) AS n WHERE pg_sleep(1) IS NOT NULL")
    sync_views()
    assert "did not come within 0.2 s" in browse.read(url("preview", "slow"))


def test_a_preview_cannot_write(browse, execute):
    execute("CREATE SEQUENCE ticks")
    declare("Ticks", "SELECT nextval('ticks') AS tick")
    sync_views()
    assert "read-only transaction" in browse.read(url("preview", "ticks"))
