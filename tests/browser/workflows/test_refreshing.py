"""Refreshing one view, some, all and what is stale, and cancelling."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from orm_views_admin.models import Run
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare_materialised, url
from tests.browser.following import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

SUCCEEDED, ALL_SUCCEEDED = "It has ended: succeeded.", "All have ended: {} succeeded."
POPULATED = "SELECT string_agg(matviewname, ' ' ORDER BY matviewname) FROM pg_matviews WHERE ispopulated"


@pytest.fixture
def empty():
    """Three materialised views without rows. Two promise fresh ones, so they are stale."""
    daily = {"with_data": False, "refresh_every": dt.timedelta(days=1)}
    declare_materialised("Ages", "SELECT 1 AS age", **daily)
    declare_materialised("Towns", "SELECT 'York' AS town", with_data=False)
    declare_materialised("Years", "SELECT 2026 AS year", **daily)
    sync_views()


def test_one_view_is_refreshed_from_its_page(go, ask, empty, java_script):
    page = go(url("detail", "towns"))
    page.get_by_role("link", name="Refresh…").click()
    page.get_by_role("button", name="Refresh now").click()
    wait_until(page, SUCCEEDED, java_script=java_script)
    assert ask(POPULATED) == "towns"


def test_selected_views_are_refreshed(go, ask, empty, java_script):
    page = go(LIST)
    for name in ("ages", "towns"):
        page.get_by_role("checkbox", name=f"Select views.{name}").check()
    page.get_by_role("button", name="Refresh selected").click()
    page.get_by_role("button", name="Refresh now").click()
    wait_until(page, ALL_SUCCEEDED.format(2), java_script=java_script)
    assert ask(POPULATED) == "ages towns"


def test_all_views_are_refreshed_but_one_that_is_unticked(go, ask, empty, java_script):
    page = go(LIST)
    page.get_by_role("link", name="Refresh all…").click()
    page.get_by_role("row", name="towns").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Refresh now").click()
    wait_until(page, ALL_SUCCEEDED.format(2), java_script=java_script)
    assert ask(POPULATED) == "ages years"


def test_what_is_stale_is_refreshed_by_one_click(go, ask, empty, java_script):
    page = go(LIST)
    page.get_by_role("button", name="Refresh 2 stale views now").click()
    wait_until(page, ALL_SUCCEEDED.format(2), java_script=java_script)
    assert ask(POPULATED) == "ages years"
    expect(go(LIST).get_by_role("button", name="stale")).to_have_count(0)


def test_a_refresh_is_cancelled(go, ask, java_script):
    declare_materialised("Slow", "SELECT 1 AS one FROM (SELECT pg_sleep(60)) AS s", with_data=False)
    sync_views()
    page = go(url("detail", "slow"))
    page.get_by_role("link", name="Refresh…").click()
    page.get_by_role("button", name="Refresh now").click()
    wait_until(page, "It is running.", java_script=java_script)
    page.get_by_role("button", name="Cancel").click()
    wait_until(page, "It has ended: cancelled.", java_script=java_script)
    assert Run.objects.get(kind=Run.Kind.REFRESH).state == Run.State.CANCELLED
    assert ask(POPULATED) is None
