"""The whole job in a browser, with and without JavaScript, and the comforts that JavaScript adds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, url
from tests.browser.following import let_all_end, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def java_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def context_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    on = request.getfixturevalue("java_script") if "java_script" in request.fixturenames else True
    return {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, "java_script_enabled": on}


@pytest.fixture(autouse=True)
def registered(transactional_db):
    with registry.isolated() as empty:
        yield empty
        let_all_end()


def ask(sql: str) -> Any:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def status_of(page: Page, name: str) -> Any:
    return page.get_by_role("row", name=re.compile(name)).locator(".ov-badge")


def test_from_log_in_to_a_synced_view_and_its_rows(page, admin_user, registered, java_script):
    declare("Ages", "SELECT generate_series(1, 60) AS age")
    old = declare("Old", "SELECT 1 AS one")
    declare_materialised("Summary", "SELECT max(age) AS oldest FROM views.ages", pk_field="oldest")
    sync_views()
    registered.unregister(old)
    declare("Ages", "SELECT generate_series(1, 70) AS age")

    page.goto(LIST)
    page.get_by_label("Username").fill(admin_user.get_username())
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    assert page.url.endswith(LIST)
    expect(page.get_by_text("2 of 3 views need attention:")).to_be_visible()
    expect(status_of(page, "ages")).to_have_text("changed")

    page.get_by_role("link", name="ages", exact=True).click()
    assert page.url.endswith(url("detail", "ages"))
    expect(page.locator(".ov-added")).to_contain_text("generate_series(1, 70)")

    page.get_by_role("link", name="Views", exact=True).last.click()
    page.get_by_role("link", name="Sync…").click()
    assert page.url.endswith(f"{LIST}sync/")
    expect(page.get_by_text("2 to rebuild, 1 to drop, 0 unchanged")).to_be_visible()
    page.locator("summary", has_text="Difference and SQL").first.click()
    expect(page.locator("details.ov-step[open]")).to_contain_text("SET SCHEMA")

    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Type the name exactly as it is written here: views.old")).to_be_visible()
    page.get_by_label("Type “views.old” to confirm that it is dropped").fill("views.old")
    page.get_by_role("button", name="Sync now").click()
    wait_until(page, "It has ended: succeeded.", java_script=java_script)
    page.get_by_role("link", name="Views", exact=True).last.click()
    assert page.url.endswith(LIST)
    expect(page.get_by_text("None of the 2 views needs attention:")).to_be_visible()

    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE OR REPLACE VIEW views.ages AS SELECT generate_series(1, 80) AS age")
    page.goto(LIST)
    expect(status_of(page, "ages")).to_have_text("drifted")
    page.get_by_role("checkbox", name="Select views.summary").check()
    page.get_by_role("button", name="Refresh selected").click()
    expect(page.get_by_text("concurrently: readers go on reading")).to_be_visible()
    page.get_by_role("button", name="Refresh now").click()
    wait_until(page, "It has ended: succeeded.", java_script=java_script)
    assert ask("SELECT oldest FROM views.summary") == 80

    page.goto(LIST)
    page.get_by_role("checkbox", name="Select views.ages").check()
    page.get_by_role("button", name="Plan sync of selected").click()
    page.get_by_role("button", name="Sync now").click()
    wait_until(page, "It has ended: succeeded.", java_script=java_script)
    page.goto(url("detail", "ages"))
    expect(page.locator(".ov-notice")).to_contain_text("Synced")

    page.get_by_role("link", name="Preview").click()
    assert page.url.endswith(url("preview", "ages"))
    page.get_by_role("link", name="age", exact=True).click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Rows 51 to 70")).to_be_visible()
    page.get_by_label("Column", exact=True).select_option("age")
    page.get_by_label("Condition").select_option(label="contains")
    page.get_by_label("Value", exact=True).fill("7")
    page.get_by_role("button", name="Add filter").click()
    expect(page.get_by_text("Rows 1 to 8")).to_be_visible()
    expect(page.locator(".ov-table").get_by_role("row").nth(1)).to_have_text(re.compile(r"^\s*7\s*$"))


@pytest.fixture
def staff_page(page, log_in, admin_user):
    return log_in(admin_user)


def test_a_double_click_makes_one_sync(staff_page):
    declare_materialised("Slow", "SELECT 1 AS one FROM (SELECT pg_sleep(0.5)) AS s")
    staff_page.goto(f"{LIST}sync/")
    posts = []
    staff_page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    staff_page.get_by_role("button", name="Sync now").dblclick(no_wait_after=True)
    expect(staff_page.get_by_role("heading", name="Sync of database")).to_be_visible()
    wait_until(staff_page, "It has ended: succeeded.")
    assert len(posts) == 1
    assert ask("SELECT count(*) FROM pg_matviews WHERE schemaname = 'views'") == 1


@pytest.mark.parametrize("java_script", [False], indirect=True)
def test_a_double_click_without_javascript_makes_one_sync_too(staff_page, java_script):
    declare("Ages", "SELECT 1 AS one")
    staff_page.goto(f"{LIST}sync/")
    staff_page.get_by_role("button", name="Sync now").dblclick()
    staff_page.wait_for_load_state("networkidle")
    assert staff_page.get_by_text("Traceback").count() == 0
    let_all_end()
    assert ask("SELECT count(*) FROM pg_views WHERE schemaname = 'views'") == 1


def test_a_plan_that_has_gone_stale_is_shown_anew(staff_page):
    declare("Ages", "SELECT 1 AS one")
    staff_page.goto(f"{LIST}sync/")
    declare("Ages", "SELECT 2 AS two")
    with staff_page.expect_response(lambda response: response.request.method == "POST") as answer:
        staff_page.get_by_role("button", name="Sync now").click()
    assert answer.value.status == 409
    expect(staff_page.get_by_text("Nothing was done.")).to_be_visible()
    staff_page.get_by_role("button", name="Sync now").click()
    wait_until(staff_page, "It has ended: succeeded.")


def test_exact_counts_take_the_place_of_estimates(staff_page):
    declare("Many", "SELECT n FROM generate_series(1, 1234) AS n WHERE n > 4")
    sync_views()
    staff_page.goto(LIST)
    count = staff_page.locator(".ov-count")
    expect(count).to_have_text("1,230")
    expect(count).to_have_attribute("title", "Counted just now")


def test_sql_is_copied(staff_page):
    staff_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    declare("Ages", "SELECT 1 AS one")
    staff_page.goto(url("detail", "ages"))
    staff_page.get_by_role("button", name="Copy").click()
    expect(staff_page.get_by_role("button", name="Copied")).to_be_visible()
    assert staff_page.evaluate("navigator.clipboard.readText()").strip() == "SELECT 1 AS one"


def test_one_box_ticks_all_of_the_page(staff_page):
    for name in ("Ages", "Towns", "Years"):
        declare(name, "SELECT 1 AS one")
    staff_page.goto(LIST)
    status = staff_page.locator(".ov-selected")
    expect(status).to_have_text("None selected")
    staff_page.get_by_role("checkbox", name="Select views.towns").check()
    expect(status).to_have_text("1 selected")
    staff_page.get_by_role("checkbox", name="Select all on this page").check()
    expect(status).to_have_text("3 selected")
    staff_page.get_by_role("button", name="Plan sync of selected").click()
    expect(staff_page.get_by_role("heading", name="Sync 3 views")).to_be_visible()


def test_a_hidden_tab_counts_nothing(staff_page):
    declare("Many", "SELECT n FROM generate_series(1, 1234) AS n")
    sync_views()
    asked = []
    staff_page.on("request", lambda request: request.url.endswith("/count/") and asked.append(request.url))
    staff_page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => true})")
    staff_page.goto(LIST)
    staff_page.wait_for_timeout(500)
    assert asked == []
    expect(staff_page.locator(".ov-count")).to_have_text(DASH)


def test_a_message_of_another_language_is_set_from_right_to_left(browser, live_server, admin_user):
    declare("Ages", "SELECT 1 AS one")
    context = browser.new_context(
        base_url=live_server.url, locale="ar", viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    page.goto(LIST)
    page.locator("#id_username").fill(admin_user.get_username())
    page.locator("#id_password").fill("password")
    page.locator("[type=submit]").first.click()
    page.goto(LIST)
    assert page.evaluate("document.dir") == "rtl"
    box, table = page.locator(".ov-select").first.bounding_box(), page.locator(".ov-table").bounding_box()
    assert box["x"] > table["x"] + table["width"] / 2
    context.close()
