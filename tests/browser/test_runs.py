"""Following runs in a browser: a refresh of some seconds, from the click that starts it to its end."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import time
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from orm_views_admin.models import Run
from orm_views_admin.pages.runs.shown_runs import ShownRun
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, key
from tests.admin.histories import make_run
from tests.browser.accessibility import check_accessibility
from tests.browser.following import let_all_end, standing, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]
REFRESH = f"{LIST}refresh/"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def java_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def context_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    on = request.getfixturevalue("java_script") if "java_script" in request.fixturenames else True
    return {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, "java_script_enabled": on}


@pytest.fixture(autouse=True)
def registered():
    with registry.isolated() as empty:
        yield empty


@pytest.fixture(autouse=True)
def nothing_is_left_running(registered, transactional_db):
    yield
    let_all_end()


@pytest.fixture
def staff_page(page, log_in, admin_user):
    return log_in(admin_user)


def declare_slow(seconds: float, name: str = "Slow") -> None:
    """Declare a view whose refresh takes some seconds, and sync it without rows."""
    declare_materialised(name, f"SELECT 1 AS one FROM (SELECT pg_sleep({seconds})) AS s", with_data=False)
    sync_views()


def start(page: Page, *names: str) -> None:
    """Start a refresh and make sure that its page is there."""
    page.goto(f"{REFRESH}?" + "&".join(f"view={key(name)}" for name in names))
    page.get_by_role("button", name="Refresh now").click()
    assert re.search(r"/runs/[0-9a-f-]{36}/$", page.url), page.url


def test_the_post_answers_at_once_and_the_page_follows_the_run_to_its_end(staff_page):
    declare_slow(3)
    staff_page.goto(f"{REFRESH}?view={key('slow')}")
    with staff_page.expect_response(lambda response: response.request.method == "POST") as post:
        staff_page.get_by_role("button", name="Refresh now").click()
    assert post.value.status == 302
    assert post.value.request.timing["responseStart"] < 1000
    expect(staff_page.get_by_role("heading", name="Refresh of views.slow")).to_be_visible()
    loads: list[str] = []
    staff_page.on("framenavigated", lambda frame: loads.append(frame.url))
    expect(standing(staff_page)).to_have_text("It is running.")
    expect(staff_page.get_by_role("progressbar")).to_be_visible()
    expect(staff_page.get_by_role("link", name="Reload")).to_be_hidden()
    expect(staff_page.locator("[data-elapsed]")).to_have_text("2 s")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")
    expect(staff_page.get_by_role("progressbar")).to_be_hidden()
    expect(staff_page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(staff_page.locator("[data-elapsed]")).to_have_text(re.compile(r"^3\.\d s$"))
    assert loads == []
    assert Run.objects.get(kind=Run.Kind.REFRESH).who == "admin"


def test_focus_selection_scroll_and_open_details_survive_the_polls(staff_page):
    staff_page.set_viewport_size({"width": 600, "height": 300})
    declare_slow(3)
    start(staff_page, "slow")
    expect(standing(staff_page)).to_have_text("It is running.")
    staff_page.locator(".ov-run-sql > summary").click()
    code = staff_page.locator(".ov-run-sql .ov-code")
    code.focus()
    staff_page.evaluate(
        """() => {
            document.getSelection().selectAllChildren(document.querySelector('.ov-run-sql code'));
            document.querySelector('.ov-run-sql').scrollIntoView();
            window.kept = document.querySelector('.ov-run-sql');
        }"""
    )

    def state() -> Any:
        return staff_page.evaluate(
            """() => [
                document.activeElement.className, String(document.getSelection()),
                kept.open, kept.isConnected,
                scrollY, document.querySelector('main, #main')?.scrollTop,
            ]"""
        )

    before = state()
    with staff_page.expect_response(re.compile("/state/$")):
        pass
    with staff_page.expect_response(re.compile("/state/$")):
        pass
    assert state() == before
    assert before[:4] == ["ov-code", 'REFRESH MATERIALIZED VIEW "views"."slow";', True, True]


def test_the_focus_moves_to_the_outcome_when_the_button_that_had_it_goes(staff_page):
    declare_slow(2)
    start(staff_page, "slow")
    staff_page.get_by_role("button", name="Cancel").focus()
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")
    expect(standing(staff_page)).to_be_focused()


def test_polls_become_rarer_and_stop_at_the_end(staff_page):
    declare_slow(5)
    polls: list[float] = []
    staff_page.on("request", lambda r: r.url.endswith("/state/") and polls.append(time.monotonic()))
    start(staff_page, "slow")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.", timeout=15_000)
    gaps = [later - earlier for earlier, later in itertools.pairwise(polls)]
    assert gaps[-1] > 1.5 * min(gaps)
    assert len(polls) < 12
    count = len(polls)
    staff_page.wait_for_timeout(1500)
    assert len(polls) == count


def test_the_end_is_looked_for_when_it_usually_comes(staff_page):
    for ago in (300, 200):
        make_run("slow", ago=ago, seconds=30)
    run = make_run("slow", ago=1, state=Run.State.RUNNING)
    answer = {**ShownRun(run).as_json(), "elapsed": 1.0}
    clock = staff_page.clock
    clock.install()
    staff_page.route(
        re.compile("/state/$"),
        lambda route: route.fulfill(json={"active": True, "standing": "It is running.", "runs": [answer]}),
    )

    # The clock of the page stands still while an answer is on its way, however long that takes.
    staff_page.add_init_script(
        "window.asked = 0; window.answered = 0; const send = window.fetch;"
        "window.fetch = async (...request) => {"
        "  window.asked++; const response = await send(...request);"
        "  const read = response.json.bind(response);"
        "  response.json = async () => { const value = await read(); window.answered++; return value; };"
        "  return response; }"
    )

    def let_answers_come() -> None:
        while staff_page.evaluate("answered < asked"):
            staff_page.wait_for_timeout(5)

    def answered(after: float = 0.1) -> bool:
        """Say whether the page asks within the next seconds of its clock."""
        let_answers_come()  # While one is on its way, the page does not ask.
        before = staff_page.evaluate("asked")
        clock.run_for(round(after * 1000))
        let_answers_come()
        return staff_page.evaluate("asked") > before

    staff_page.goto(f"{LIST}runs/{run.request}/")
    clock.pause_at(dt.datetime.now() + dt.timedelta(minutes=1))
    while answered(2):
        pass  # until it has become so rare
    answer["elapsed"] = 28.5  # of 30
    while not answered():
        pass
    assert next(tenths for tenths in itertools.count(1) if answered()) in range(17, 21)
    run.delete()  # nobody works on it


def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_it_is_seen_again(staff_page):
    declare_slow(2)
    staff_page.add_init_script(
        "let hidden = false; Object.defineProperty(document, 'hidden', {get: () => hidden});"
        "window.hide = value => { hidden = value; document.dispatchEvent(new Event('visibilitychange')) }"
    )
    start(staff_page, "slow")
    expect(standing(staff_page)).to_have_text("It is running.")
    staff_page.evaluate("hide(true)")
    staff_page.wait_for_timeout(200)
    polls: list[str] = []
    staff_page.on("request", lambda r: r.url.endswith("/state/") and polls.append(r.url))
    staff_page.wait_for_timeout(2500)
    assert polls == []
    expect(standing(staff_page)).to_have_text("It is running.")
    staff_page.evaluate("hide(false)")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")


def test_a_change_of_state_is_announced_and_seconds_are_not(staff_page):
    declare_slow(3)
    staff_page.add_init_script(
        """addEventListener('DOMContentLoaded', () => {
            window.announced = [];
            const status = document.querySelector('[role=status]');
            if (status) new MutationObserver(() => announced.push(status.textContent))
                .observe(status, {childList: true, characterData: true, subtree: true});
        })"""
    )
    start(staff_page, "slow")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")
    announced = staff_page.evaluate("announced")
    assert announced in (["It has ended: succeeded."], ["It is running.", "It has ended: succeeded."])
    assert staff_page.locator("[aria-live], [role=status], [role=alert]").count() == 1


def test_a_double_click_makes_one_run(staff_page, java_script):
    declare_slow(1.5)
    staff_page.goto(f"{REFRESH}?view={key('slow')}")
    staff_page.get_by_role("button", name="Refresh now").dblclick(no_wait_after=True)
    expect(staff_page.get_by_role("heading", name="Refresh of views.slow")).to_be_visible()
    staff_page.wait_for_load_state("networkidle")
    assert Run.objects.filter(kind=Run.Kind.REFRESH).count() == 1


def test_a_refresh_is_followed_and_cancelled(staff_page, java_script):
    declare_slow(30)
    start(staff_page, "slow")
    wait_until(staff_page, "It is running.", java_script=java_script)
    began = time.monotonic()
    staff_page.get_by_role("button", name="Cancel").click()
    expect(staff_page.get_by_text("it is being cancelled")).to_be_visible()
    wait_until(staff_page, "It has ended: cancelled.", java_script=java_script)
    assert time.monotonic() - began < 10
    expect(staff_page.get_by_text("Cancelled by").locator("xpath=..")).to_contain_text("admin")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'REFRESH%' AND state = 'active'"
        )
        assert cursor.fetchone() == (0,)


def test_a_refresh_is_followed_by_reloading(staff_page, java_script):
    declare_slow(1.5)
    start(staff_page, "slow")
    wait_until(staff_page, "It has ended: succeeded.", java_script=java_script)
    expect(staff_page.locator(".ov-run .ov-badge")).to_have_text("succeeded")


def test_several_views_are_one_page_in_their_order(staff_page):
    declare_materialised("Top", "SELECT one FROM views.bottom", with_data=False)
    declare_slow(3, "Bottom")  # longer than the page waits before it asks again
    start(staff_page, "top", "bottom")
    assert [h.strip() for h in staff_page.locator(".ov-run h2").all_inner_texts()] == [
        "1. views.bottom",
        "2. views.top",
    ]
    expect(standing(staff_page)).to_have_text("1 queued, 1 running.")
    expect(standing(staff_page)).to_have_text("All have ended: 2 succeeded.")


def test_whose_lock_is_waited_for_is_said(staff_page):
    declare_slow(0)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE pg_class IN ACCESS SHARE MODE")
            cursor.execute("COMMENT ON MATERIALIZED VIEW views.slow IS NULL")
            start(staff_page, "slow")
            waiting = staff_page.locator("[data-text=waiting]")
            expect(waiting).to_contain_text(str(pid))
            expect(standing(staff_page)).to_have_text("It waits for a lock.")
            cursor.execute("ROLLBACK")
        expect(standing(staff_page)).to_have_text("It has ended: succeeded.")
        expect(waiting).to_be_hidden()
    finally:
        other.close()


def test_a_sync_is_followed_step_by_step(staff_page):
    declare("First", "SELECT 1 AS one")
    declare_materialised("Second", "SELECT 1 AS one FROM (SELECT pg_sleep(1.5)) AS s")
    declare_materialised("Third", "SELECT 1 AS one FROM (SELECT pg_sleep(1.5)) AS s")
    staff_page.goto(f"{LIST}sync/")
    staff_page.get_by_role("button", name="Sync now").click()
    steps = staff_page.locator("[data-steps] li")
    expect(steps.filter(has_text="create views.second")).to_have_class("ov-step-running")
    expect(steps.filter(has_text="create views.third")).to_have_class("ov-step-running")
    expect(steps.filter(has_text="create views.second")).not_to_have_class("ov-step-running")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")
    expect(steps.locator("xpath=../li[@class='ov-step-done']")).to_have_count(3 + 1)


def test_an_error_of_the_server_brings_the_link_back_and_the_page_goes_on_asking(staff_page):
    declare_slow(3)
    start(staff_page, "slow")
    expect(staff_page.get_by_role("link", name="Reload")).to_be_hidden()
    staff_page.route("**/state/", lambda route: route.fulfill(status=500, body="no"))
    expect(staff_page.get_by_role("link", name="Reload")).to_be_visible()
    staff_page.unroute("**/state/")
    expect(standing(staff_page)).to_have_text("It has ended: succeeded.")


def test_a_page_that_follows_a_run_breaks_no_rule_of_wcag_and_fits_a_phone(staff_page):
    declare_slow(60)
    declare_slow(1, "After")
    start(staff_page, "slow", "after")
    expect(standing(staff_page)).to_have_text("1 queued, 1 running.")
    check_accessibility(staff_page)
    staff_page.get_by_role("button", name="Cancel all that have not ended").click()
    expect(standing(staff_page)).to_have_text("All have ended: 2 cancelled.")
