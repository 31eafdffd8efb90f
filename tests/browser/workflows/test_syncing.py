"""From a plan to a synced view: one, all, with a name to type, and with a plan that has gone stale."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, url
from tests.browser.following import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

SUCCEEDED = "It has ended: succeeded."
VIEWS = "SELECT string_agg(viewname, ' ' ORDER BY viewname) FROM pg_views WHERE schemaname = 'views'"


def test_one_view_is_synced_from_its_page(go, ask, java_script):
    declare("Ages", "SELECT 1 AS age")
    declare("Towns", "SELECT 'York' AS town")
    page = go(url("detail", "ages"))
    page.get_by_role("link", name="Sync this…").click()
    expect(page.get_by_text("1 to create")).to_be_visible()
    page.get_by_role("button", name="Sync now").click()
    wait_until(page, SUCCEEDED, java_script=java_script)
    assert ask(VIEWS) == "ages"
    expect(go(url("detail", "ages")).locator(".ov-notice").first).to_contain_text("Synced")


def test_all_views_are_synced_and_one_is_dropped_by_typing_its_name(go, ask, registered, java_script):
    old = declare("Old", "SELECT 1 AS one")
    sync_views()
    registered.unregister(old)
    declare("Ages", "SELECT 1 AS age")
    declare("Older", "SELECT age FROM views.ages")
    page = go(LIST)
    page.get_by_role("link", name="Sync…").click()
    name = page.get_by_label("Type “views.old” to confirm that it is dropped")
    name.fill("views.od")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Type the name exactly as it is written here: views.old")).to_be_visible()
    assert ask(VIEWS) == "old"
    name.fill("views.old")
    page.get_by_role("button", name="Sync now").click()
    wait_until(page, SUCCEEDED, java_script=java_script)
    assert ask(VIEWS) == "ages older"


@pytest.mark.parametrize("meanwhile", ["the code", "the database"])
def test_a_stale_plan_is_refused_with_409_and_the_new_plan_is_confirmed(go, ask, java_script, meanwhile):
    declare("Ages", "SELECT 1 AS age")
    sync_views()
    declare("Ages", "SELECT 2 AS age")
    page = go(f"{LIST}sync/")
    by_hand = "SELECT 3 AS age"
    if meanwhile == "the code":
        declare("Ages", by_hand)
    else:
        ask(f"CREATE OR REPLACE VIEW views.ages AS {by_hand}")
    before = ask("SELECT age FROM views.ages")
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        page.get_by_role("button", name="Sync now").click()
    assert answer.value.status == 409
    expect(page.get_by_text("Nothing was done.")).to_be_visible()
    assert ask("SELECT age FROM views.ages") == before
    page.get_by_role("button", name="Sync now").click()
    wait_until(page, SUCCEEDED, java_script=java_script)
    assert ask("SELECT age FROM views.ages") == (3 if meanwhile == "the code" else 2)
