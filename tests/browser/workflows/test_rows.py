"""The rows of a view: sorted, filtered, page by page, and the whole of a long value."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from orm_views_core.sync import sync_views
from tests.admin.browse import declare, url
from tests.browser import scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

NUMBERS = """
SELECT n AS id, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END AS parity,
repeat('long ' || n || ' ', 2000) AS text
FROM generate_series(1, 120) AS n
"""
EMAIL = "@example."


def first_cells(page):
    """The first cell of each row."""
    return [text.strip() for text in page.locator(".ov-rows tbody tr > :first-child").all_inner_texts()]


def filter_by(page, column, condition, value):
    page.get_by_label("Column", exact=True).select_option(column)
    page.get_by_label("Condition").select_option(label=condition)
    page.get_by_label("Value", exact=True).fill(value)
    page.get_by_role("button", name="Add filter").click()


@pytest.fixture
def rows(go):
    declare("Numbers", NUMBERS)
    sync_views()
    return go(url("preview", "numbers"))


def test_rows_are_sorted_and_turned_over(rows):
    rows.get_by_role("link", name="id", exact=True).click()
    assert first_cells(rows)[:3] == ["1", "2", "3"]
    rows.get_by_role("link", name="id", exact=True).click()
    assert first_cells(rows)[:3] == ["120", "119", "118"]
    rows.get_by_role("link", name="Next").click()
    assert first_cells(rows)[0] == "70"
    rows.get_by_role("link", name="Next").click()
    assert first_cells(rows)[-1] == "1"
    expect(rows.get_by_role("link", name="Next")).to_have_count(0)
    rows.get_by_role("link", name="Previous").click()
    assert first_cells(rows)[0] == "70"


def test_filters_are_added_and_removed(rows):
    filter_by(rows, "id", "is at least", "101")
    expect(rows.get_by_text("Rows 1 to 20")).to_be_visible()
    filter_by(rows, "parity", "equals", "odd")
    assert sorted(first_cells(rows)) == [str(n) for n in range(101, 120, 2)]
    rows.get_by_role("link", name="Remove the filter by id").click()
    expect(rows.get_by_text("Rows 1 to 50")).to_be_visible()
    rows.get_by_role("link", name="Remove the filter by parity").click()
    rows.get_by_role("link", name="Next").click()
    expect(rows.get_by_text("Rows 51 to 100")).to_be_visible()


def test_a_filter_that_is_not_understood_is_corrected(rows):
    filter_by(rows, "id", "equals", "seven")
    expect(rows.get_by_role("alert")).to_contain_text("seven")
    rows.get_by_label("Value", exact=True).fill("7")
    rows.get_by_role("button", name="Add filter").click()
    assert first_cells(rows) == ["7"]


def test_the_whole_of_a_long_value_is_shown_and_left_again(rows):
    rows.get_by_role("link", name="id", exact=True).click()
    cell = rows.locator(".ov-rows tbody tr").nth(2).locator("td").last
    if cell.locator("summary").count():
        cell.locator("summary").first.click()
    cell.get_by_role("link").click()
    whole = rows.locator(".ov-whole")
    expect(whole).to_have_text(re.compile(r"^\s*(long 3 ){2000}\s*$"))
    rows.get_by_role("link", name="Back to the rows").click()
    assert first_cells(rows)[:3] == ["1", "2", "3"]


def test_what_is_personal_is_masked_for_staff_without_the_permission(page, log_in, go, settings):
    settings.ORM_VIEWS = {}
    scene.set_up_personal()
    rows = go(url("preview", "contacts"))
    assert EMAIL in rows.content()
    log_in(scene.make_staff("view", "preview"))
    rows = go(url("preview", "contacts"))
    assert "@" not in rows.locator(".ov-rows").inner_text()
    expect(rows.get_by_text("columns with personal data are masked")).to_be_visible()
    expect(rows.get_by_role("link", name="email", exact=True)).to_have_count(0)
    expect(rows.get_by_label("Column", exact=True).locator("option[value=email]")).to_have_count(0)
    filter_by(rows, "city", "is not NULL", "")
    assert "@" not in rows.locator(".ov-rows").inner_text()
