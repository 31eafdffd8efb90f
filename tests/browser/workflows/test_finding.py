"""Finding a view, its place in the graph, its runs and what has changed it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from orm_views_admin.models import Run
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, url
from tests.browser import scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]


def names(page):
    """The names of the views in the list."""
    return [text.strip() for text in page.locator(".ov-table tbody th a").all_inner_texts()]


def test_views_are_searched_filtered_sorted_and_turned_over(go):
    for n in range(60):
        declare(f"View{n:02}", f"SELECT {n} AS number")
    declare_materialised("Needle", "SELECT count(*) AS haystack FROM auth_user")
    sync_views()
    page = go(LIST)
    page.get_by_role("link", name="2", exact=True).click()
    assert len(names(page)) == 11
    page.get_by_label("Name, docstring, SQL, table or column").fill("haystack")
    page.get_by_role("button", name="Search").click()
    assert names(page) == ["needle"]
    page.get_by_role("link", name="Clear all filters").click()
    page.get_by_role("columnheader", name="View").get_by_role("link").click()
    assert names(page)[:2] == ["view59", "view58"]
    page.get_by_role("columnheader", name="View").get_by_role("link").click()
    assert names(page)[:2] == ["needle", "view00"]
    page.locator("#changelist-filter").get_by_role("link", name="materialised").click()
    assert names(page) == ["needle"]
    page.get_by_role("link", name="needle", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("views.needle")


def test_the_graph_is_narrowed_to_a_view_and_widened_to_tables(go):
    declare("Users", "SELECT id FROM auth_user")
    declare("Some", "SELECT id FROM views.users")
    declare("Other", "SELECT 1 AS one")
    sync_views()
    page = go(LIST)
    page.get_by_role("link", name="Graph", exact=True).click()
    expect(page.locator(".ov-graph .ov-node")).to_have_count(3)
    page.get_by_label("View or table").fill("views.some")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Graph of views.some")
    expect(page.locator(".ov-graph .ov-node")).to_have_count(2)
    page.get_by_label("with tables").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".ov-graph .ov-node")).to_have_count(3)
    expect(page.locator(".ov-graph")).to_contain_text("auth_user")


def test_the_history_is_filtered_and_saved(go, java_script, tmp_path):
    scene.set_up()
    page = go(f"{LIST}runs/?view={key('summary')}")
    everything = page.locator(".ov-table tbody tr").count()
    page.locator("#changelist-filter").get_by_role("link", name="failed").click()
    failed = page.locator(".ov-table tbody tr")
    assert 0 < failed.count() < everything
    assert set(page.locator(".ov-table .ov-badge").all_inner_texts()) == {"failed"}
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    saved = tmp_path / "runs.csv"
    download.value.save_as(saved)
    lines = list(csv.DictReader(Path(saved).read_text(encoding="utf-8-sig").splitlines()))
    assert len(lines) == failed.count()
    assert {(line["view"], line["state"]) for line in lines} == {("summary", "failed")}
    Run.objects.filter(state__in=Run.ACTIVE).delete()  # nobody works on them


def test_the_versions_of_a_view_are_walked_through(go, ask):
    for n in (1, 2, 3):
        declare("Ages", f"SELECT {n} AS age")
        sync_views()
    ask("CREATE OR REPLACE VIEW views.ages AS SELECT 99 AS age")
    declare("Ages", "SELECT 4 AS age")
    sync_views()
    page = go(url("detail", "ages"))
    page.get_by_role("link", name="All changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Changes of views.ages")
    page.locator(".ov-table tbody th a").first.click()
    expect(page.get_by_text("Version 4 of 4.")).to_be_visible()
    difference = page.get_by_role("region", name="Difference", exact=True)
    expect(difference.locator(".ov-removed")).to_contain_text("99")
    expect(difference.locator(".ov-added")).to_contain_text("4")
    expect(page.locator("#hand-heading")).to_be_visible()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("Version 3 of 4.")).to_be_visible()
    expect(difference.locator(".ov-removed")).to_contain_text("2")
    expect(difference.locator(".ov-added")).to_contain_text("3")
    expect(page.locator("#hand-heading")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("There was no view before.")).to_be_visible()
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.get_by_role("link", name="Newer").click()
    expect(page.get_by_text("Version 2 of 4.")).to_be_visible()
