"""What stands where on the pages: at every width, nothing is cut off, covered or beside its place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orm_views_admin.models import Run
from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised, key, url
from tests.admin.histories import make_run, path_of
from tests.browser import scene
from tests.sampling import sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

TABLED = ["list", "history", "plan", "refresh", "detail, materialised"]
WIDTHS = [1024, 1280, 1600, 1920]

#: How many pixels of tables, that are not those of rows, are to the right of what is shown of them.
CUT_OFF = """[...document.querySelectorAll('.ov-scroll:has(> .ov-stacked)')]
    .map(box => box.scrollWidth - box.clientWidth).filter(cut => cut > 0)"""


@pytest.fixture
def staff_page(page: Page, log_in: Any, admin_user: Any) -> Any:
    with registry.isolated():
        yield log_in(admin_user)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def box(page: Page, selector: str) -> Any:
    found = page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


def overlap(one: Any, other: Any) -> bool:
    return bool(
        one["x"] < other["right"]
        and other["x"] < one["right"]
        and one["y"] < other["bottom"]
        and other["y"] < one["bottom"]
    )


@pytest.mark.parametrize(
    "name", sample(["list", "history", "plan", "refresh", "detail, materialised"], 2, "BROWSER")
)
def test_no_column_is_cut_off(visit, name):
    page = visit(name)
    for width in WIDTHS:
        resize(page, width)
        assert page.evaluate(CUT_OFF) == [], width


def test_columns_are_left_out_by_their_importance(visit):
    page = visit("list")
    seen = {}
    for width in (800, 1920):
        resize(page, width)
        headers = page.locator(".ov-table thead th:visible").all_inner_texts()
        seen[width] = {header.strip(" \u2191").lower() for header in headers}
    assert {"view", "status", "rows", "last refresh"} <= seen[800] < seen[1920]
    assert {"app", "kind", "size", "usual duration"} <= seen[1920]


@pytest.mark.parametrize("name", ["list", "history"])
def test_filters_stand_beside_the_table_on_wide_screens_and_above_it_on_others(visit, name):
    page = visit(name)
    for width in WIDTHS:
        resize(page, width)
        filters, table = box(page, "#changelist-filter"), box(page, ".ov-table")
        if width >= 1600:
            assert filters["x"] >= table["right"], width
            assert filters["y"] < table["y"], width
        else:
            assert filters["bottom"] <= table["y"], width


def test_the_chart_stands_below_the_filters_and_above_the_table(visit):
    page = visit("history")
    for width in WIDTHS:
        resize(page, width)
        filters, chart, table = (
            box(page, selector) for selector in ("#changelist-filter", ".ov-chart", ".ov-table")
        )
        assert chart["bottom"] <= table["y"]
        assert chart["x"] == pytest.approx(table["x"], abs=2)
        assert chart["right"] <= filters["x"] if width >= 1600 else chart["y"] >= filters["bottom"], width


@pytest.mark.parametrize("name", ["list", "history", "detail, personal"])
def test_times_and_short_names_are_on_one_line(visit, name):
    page = visit(name)
    for width in (320, *WIDTHS):
        resize(page, width)
        broken = page.evaluate(
            "[...document.querySelectorAll('.ov-table time, bdi.ov-short')]"
            ".filter(element => element.getClientRects().length > 1).map(element => element.textContent)"
        )
        assert broken == [], width


def page_to(page: Page, path: str) -> Page:
    page.goto(path)
    assert page.url.endswith(path)
    return page


@pytest.mark.parametrize("name", ["detail, changed", "plan"])
def test_the_button_that_copies_covers_no_sql(visit, name):
    page = visit(name)
    page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true")
    for width in (320, 1280):
        resize(page, width)
        button, sql = box(page, "[data-copy] button"), box(page, "[data-copy] pre")
        assert not overlap(button, sql)


def test_the_sql_of_a_plan_is_as_wide_as_the_table(visit):
    page = visit("plan")
    page.locator("summary", has_text="Difference and SQL").first.click()
    code, table = box(page, ".ov-step[open] .ov-code"), box(page, ".ov-table")
    assert code["width"] > table["width"] - 40


def test_a_hundred_kilobytes_of_sql_are_folded(staff_page):
    columns = ",\n".join(f"'{'x' * 500}' AS column_{n}" for n in range(200))
    sql = f"SELECT {columns}"
    assert len(sql) > 100_000
    staff_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    declare("Long", sql)
    page_to(staff_page, url("detail", "long"))
    assert box(staff_page, "[data-copy]")["height"] < 1200
    folded = staff_page.locator("[data-copy] .ov-fold").first
    expect(folded.locator("pre")).to_be_hidden()
    staff_page.get_by_role("button", name="Copy").first.click()
    staff_page.wait_for_function("async sql => await navigator.clipboard.readText() === sql", arg=sql)
    folded.locator("summary").click()
    expect(folded.get_by_text("column_199")).to_be_visible()

    page_to(staff_page, f"{LIST}sync/")
    staff_page.locator(".ov-step > summary").last.click()
    assert box(staff_page, ".ov-step[open]")["height"] < 1400


def test_the_title_says_that_a_run_has_ended(staff_page):
    run = make_run("ages", state=Run.State.QUEUED, ago=1)
    page_to(staff_page, path_of(run))
    assert staff_page.title().startswith(f"Queued {DASH} Refresh of views.ages | ")
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED, seconds=1)
    staff_page.wait_for_function(
        f"document.title.startsWith('Ended: succeeded {DASH} Refresh of views.ages | ')"
    )
    title = staff_page.title()
    staff_page.reload()
    assert staff_page.title() == title


#: A name as long as PostgreSQL lets it be, one of another direction, and one with spaces.
NAMES = {"long": "n" * 63, "from right to left": "دفتر_القروض", "with spaces": "two  spaces"}

#: The texts outside of form fields and code that have a name and do not isolate it.
NOT_ISOLATED = """name => {
    const walker = document.createTreeWalker(document.querySelector('#content'), NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const whole = element.closest('bdi')?.textContent ?? walker.currentNode.textContent;
        if (!whole.includes(name) || element.closest('bdi, code, pre, svg, option')) continue;
        if (element.closest('.visually-hidden, .ov-reason, .ov-notice-text, title')) continue;
        found.push(element.outerHTML.slice(0, 300));
    }
    return found;
}"""


@pytest.fixture
def named(staff_page: Page) -> Any:
    """A function that makes a view of some name, and returns the pages that show the name."""

    def make(name: str) -> list[str]:
        declare_materialised("Named", f'SELECT 1 AS "{name}", 2 AS b', name=name, pk_field="b")
        declare("Reader", f'SELECT "{name}" FROM views."{name}"')
        sync_views()
        gone = declare("Gone", "SELECT 1 AS one", name=f"{name[:62]}x")
        sync_views()
        registry.unregister(gone)
        declare_materialised("Named", f'SELECT 1 AS "{name}", 3 AS b', name=name, pk_field="b")
        run = make_run(name, who=name, cancelled_by=name, state=Run.State.CANCELLED)
        for _ in range(2):
            make_run(name)
        return [
            LIST,
            url("detail", name),
            url("detail", "reader"),
            f"{LIST}sync/",
            f"{LIST}refresh/?view={key(name)}",
            path_of(run),
            f"{LIST}runs/",
            f"{LIST}runs/?view={key(name)}",
            f"{LIST}graph/?view={key(name)}",
            f"{LIST}graph/",
            url("changes", name),
        ]

    return make


@pytest.mark.parametrize("kind", sample(NAMES, 2, "BROWSER"))
def test_a_name_is_isolated_keeps_its_spaces_and_fits_a_phone(staff_page, named, kind):
    name = NAMES[kind]
    for path in named(name):
        response = staff_page.goto(path)
        assert response.status == 200, path
        assert staff_page.evaluate(NOT_ISOLATED, name) == [], path
        assert name in staff_page.locator("#content").inner_text(), path
        for width in (320, 1024):
            resize(staff_page, width)
            wide = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            assert staff_page.evaluate(wide) == [width, width], (path, width)
            assert staff_page.evaluate(CUT_OFF) == [], (path, width)


#: `nox --session browser` looks at all pages. That each has one heading is part of what is seen on any visit.
HEADED = sample([name for name in scene.PAGES if not name.startswith("row")], 9, "BROWSER")


@pytest.mark.parametrize("name", HEADED)
def test_a_page_has_one_heading_and_its_tools_once(visit, name):
    page = visit(name)
    assert page.locator("h1:visible").count() == 1
    assert page.locator("ul.object-tools").count() <= 1
    if name in {"list", "detail, synced"}:
        expect(page.locator("ul.object-tools a", has_text="Graph")).to_be_visible()
