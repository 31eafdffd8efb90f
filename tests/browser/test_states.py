"""The list when something is wrong: a database that does not answer, and refreshes that fail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from orm_views_admin.models import Run
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, url
from tests.admin.histories import make_run
from tests.browser.accessibility import check_accessibility

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "warehouse"]),
    pytest.mark.usefixtures("committed_views"),
]


@pytest.fixture
def troubled(misdirect: Any) -> Any:
    """A view that is as it should be, one whose refreshes fail, and a database that does not answer."""
    with registry.isolated():
        declare("Ages", "SELECT 1 AS id", __doc__="Ages of customers, in bands.")
        declare_materialised("Summary", "SELECT id FROM views.ages")
        sync_views()
        for ago in (-60, -120, -180):
            make_run("summary", state=Run.State.FAILED, ago=ago, error="division by zero")
        make_run("", state=Run.State.FAILED, ago=-240, error="a lock could not be had")
        declare("There", "SELECT 1 AS id", database="warehouse")
        misdirect("warehouse", {"HOST": "/nowhere"})
        yield


def test_what_is_wrong_is_said_first_and_can_be_read_by_everybody(page, log_in, admin_user, troubled):
    log_in(admin_user)
    page.goto(LIST)
    sentence = "2 of 3 views need attention: 1 cannot be read, 1 failed. The others: 1 synced."
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_text("Database “warehouse” cannot be read.")).to_be_visible()
    expect(page.locator("#content-main").get_by_role("rowheader")).to_have_text(
        ["database “warehouse”", "there", "summary", re.compile("^ages")]
    )
    check_accessibility(page)
    page.get_by_role("link", name="Show the sync").click()
    expect(page.get_by_text("a lock could not be had")).to_be_visible()


def test_the_page_of_a_view_whose_refreshes_fail_leads_to_the_last_one(page, log_in, admin_user, troubled):
    log_in(admin_user)
    page.goto(url("detail", "summary"))
    expect(page.get_by_text("Failed 3 times", exact=True)).to_be_visible()
    check_accessibility(page)
    page.get_by_role("link", name="Show the run").click()
    expect(page.get_by_text("division by zero").first).to_be_visible()


def test_the_page_of_a_view_whose_database_does_not_answer_says_so(page, log_in, admin_user, troubled):
    log_in(admin_user)
    page.goto(url("detail", "there", database="warehouse"))
    expect(page.get_by_text("does not answer")).to_be_visible()
    check_accessibility(page)
