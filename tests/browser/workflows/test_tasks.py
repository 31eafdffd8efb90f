"""What staff come for, and how many clicks it takes from the list; ``pytest -s`` prints the table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from orm_views_admin.models import Run
from orm_views_admin.origins import started_by
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised
from tests.admin.histories import make_run
from tests.browser.following import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: The largest number of clicks that a task may take.
MOST = 3


class Clicks:
    """The list of views, and the clicks since.

    Typing is not counted, nor is Enter. Choosing from a list of choices is a click.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def click(self, target: Locator) -> None:
        """Click a link or a button, and count it."""
        expect(target).to_be_in_viewport()
        target.click()
        self.count += 1

    def choose(self, target: Locator, value: str) -> None:
        """Choose a value, and count it."""
        expect(target).to_be_in_viewport()
        target.select_option(value)
        self.count += 1

    def open_view(self, name: str) -> None:
        """Open the page of a view of the list."""
        self.click(self.page.get_by_role("link", name=name, exact=True))


@pytest.fixture(scope="module")
def counted() -> Iterator[dict[str, set[int]]]:
    """The clicks that each task took."""
    found: dict[str, set[int]] = {}
    yield found
    width = max(map(len, found), default=0)
    print("\n" + "\n".join(f"{task:{width}}  {', '.join(map(str, sorted(found[task])))}" for task in found))


@pytest.fixture
def task(request: pytest.FixtureRequest, go: Callable[[str], Page], counted: Any) -> Iterator[Clicks]:
    """The list of views. After the test, the clicks are noted and compared with `MOST`."""
    _set_up()
    clicks = Clicks(go(LIST))
    yield clicks
    name = request.function.__name__.removeprefix("test_").replace("_", " ")
    counted.setdefault(name, set()).add(clicks.count)
    assert clicks.count <= MOST


def _set_up() -> None:
    """Forty views: one that a class has changed, two that are stale, one that has failed, and their past."""
    declare("Customers", "SELECT n AS id, 'Customer ' || n AS customer FROM generate_series(1, 5000) AS n")
    declare("Towns", "SELECT 'York' AS town")
    for name in ("Daily", "Sums"):
        promise = dt.timedelta(days=1)
        declare_materialised(name, "SELECT 1 AS one", with_data=False, refresh_every=promise)
    for n in range(36):
        declare(f"View{n:02}", f"SELECT {n} AS number")
    sync_views()
    declare("Towns", "SELECT 'Leeds' AS town")
    with started_by(Run.Origin.ADMIN, who="Ann Example"):
        sync_views()
    declare("Towns", "SELECT 'Bath' AS town")
    make_run("daily", ago=7500, state=Run.State.FAILED, error="division by zero")


def test_is_anything_wrong(task):
    expect(task.page.get_by_text("3 of 40 views need attention")).to_be_in_viewport()
    assert task.count == 0


def test_why_is_a_view_changed_and_what_will_a_sync_do(task):
    page = task.page
    task.open_view("towns")
    expect(page.locator(".ov-notice").first).to_contain_text("Changed")
    expect(page.locator(".ov-removed")).to_contain_text("Leeds")
    expect(page.locator(".ov-added")).to_contain_text("Bath")
    task.click(page.get_by_role("link", name="Sync this…"))
    expect(page.get_by_text("1 to replace")).to_be_in_viewport()
    task.click(page.locator("summary", has_text="Difference and SQL"))
    expect(page.locator("details.ov-step[open]")).to_contain_text("CREATE OR REPLACE VIEW")


def test_refresh_all_that_is_stale(task, java_script):
    task.click(task.page.get_by_role("button", name="Refresh 2 stale views now"))
    wait_until(task.page, "All have ended: 2 succeeded.", java_script=java_script)


def test_the_rows_of_a_customer(task):
    page = task.page
    task.open_view("customers")
    task.click(page.get_by_role("link", name="Preview"))
    task.choose(page.get_by_label("Column", exact=True), "customer")
    page.get_by_label("Value", exact=True).fill("Customer 4321")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.locator(".ov-rows tbody tr")).to_have_count(1)
    expect(page.locator(".ov-rows tbody tr")).to_contain_text("4321")


def test_who_changed_a_view_and_what(task):
    page = task.page
    task.open_view("towns")
    changes = page.get_by_role("region", name="Changes")
    expect(changes.locator("tbody tr").first).to_contain_text("Ann Example")
    changes.locator("tbody th a").first.scroll_into_view_if_needed()
    task.click(changes.locator("tbody th a").first)
    expect(page.locator(".ov-facts")).to_contain_text("Ann Example")
    expect(page.locator(".ov-removed")).to_contain_text("York")
    expect(page.locator(".ov-added")).to_contain_text("Leeds")


def test_when_did_a_view_last_fail(task):
    page = task.page
    task.open_view("daily")
    failed = page.get_by_role("link", name="Last failed 2 hours ago")
    failed.scroll_into_view_if_needed()
    task.click(failed)
    expect(page.get_by_text("division by zero")).to_be_visible()
