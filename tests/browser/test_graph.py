"""The picture of the dependency graph in a real browser: reached by keys, readable, and never scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page

from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import LIST, declare, declare_materialised
from tests.browser.accessibility import check_accessibility, looks
from tests.browser.visits import address_of
from tests.sampling import sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

GRAPH = f"{LIST}graph/"
LONG = "a_name_that_is_longer_than_any_box_and_differs_at_its_end"


@pytest.fixture
def graph(page: Page, log_in: Callable[[Any], Page], admin_user: Any) -> Any:
    """A function that opens a graph as a superuser and makes sure that it is that page."""
    log_in(admin_user)
    with registry.isolated():
        set_up()

        def open_page(query: str = "") -> Page:
            response = page.goto(GRAPH + query)
            assert response is not None
            assert response.status == 200
            assert address_of(page) == GRAPH + query
            return page

        yield open_page


def set_up() -> None:
    """Declare and sync views that read one another, and bring some of them out of step."""
    declare("Zero", "SELECT id, username AS word, email FROM auth_user")
    for n in range(12):
        make = declare_materialised if n % 3 == 0 else declare
        read = ["zero", *(f"view{m}" for m in range(n))][n // 2]
        make(f"View{n}", f"SELECT id, word, upper(word) AS shouted FROM views.{read} WHERE id > {n}")
    declare("Long", f"SELECT word AS {LONG[:50]} FROM views.view5", name=LONG)
    declare("Wide", "SELECT word AS 数据库视图 FROM views.view5", name="数据库视图")
    sync_views()
    declare("Missing", "SELECT id FROM views.view3")
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE OR REPLACE VIEW views.theirs AS SELECT word FROM views.view2")


QUERIES = ["", "?tables=on", "?view=views.view3", "?view=views.view1&column=word"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_graph_breaks_no_rule_of_wcag_and_fits_a_phone(graph, query):
    check_accessibility(graph(query), looks(QUERIES.index(query)))


@pytest.mark.parametrize("query", sample(QUERIES, 3, "BROWSER"))
def test_every_box_and_every_column_is_reached_by_tab(graph, query):
    page = graph(query)
    links = page.evaluate("[...document.querySelectorAll('.ov-graph a')].map(a => a.ariaLabel)")
    assert len(links) > 5
    page.locator(".ov-graph-frame").focus()
    reached = []
    for _ in links:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.ariaLabel"))
        stroke = page.evaluate("getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth")
        assert stroke == "3px"
        box = page.evaluate("(b => [b.left, b.right])(document.activeElement.getBoundingClientRect())")
        frame = page.evaluate(
            "(b => [b.left, b.right])(document.querySelector('.ov-graph-frame').getBoundingClientRect())"
        )
        assert box[0] < frame[1]
        assert box[1] > frame[0], "what has the focus is scrolled into view"
    assert reached == links


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("query", sample(QUERIES, 3, "BROWSER"))
def test_the_picture_is_scrolled_and_not_scaled(graph, page, query, width):
    page.set_viewport_size({"width": width, "height": 900})
    page = graph(query)
    drawn = page.evaluate(
        "(svg => [svg.getBoundingClientRect().width / svg.viewBox.baseVal.width,"
        " svg.getBoundingClientRect().height / svg.viewBox.baseVal.height])"
        "(document.querySelector('.ov-graph'))"
    )
    assert drawn == pytest.approx([1, 1], abs=0.005)
    frame = "document.querySelector('.ov-graph-frame')"
    assert page.evaluate(f"{frame}.scrollWidth > {frame}.clientWidth") or width == 1280
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("query", sample(QUERIES, 2, "BROWSER"))
def test_text_is_inside_its_box(graph, query):
    page = graph(query)
    outside = page.evaluate(
        """[...document.querySelectorAll('.ov-node')].flatMap(node => {
            const box = node.querySelector('.ov-box:not(.ov-behind)').getBBox();
            return [...node.querySelectorAll('text')].filter(text => {
                const inner = text.getBBox();
                return inner.x < box.x || inner.x + inner.width > box.x + box.width
                    || inner.y + inner.height > box.y + box.height;
            }).map(text => text.textContent);
        })"""
    )
    assert outside == []


def test_a_long_name_is_shortened_and_its_link_has_all_of_it(graph):
    page = graph()
    assert page.locator(f"a[aria-label^='views.{LONG}']").count() == 1
    texts = page.locator(".ov-node-name").all_text_contents()
    assert LONG not in texts
    assert [text for text in texts if "…" in text and text.endswith("its_end")]


def test_the_view_of_the_graph_is_scrolled_into_view(graph, page):
    page.set_viewport_size({"width": 320, "height": 900})
    page = graph("?view=views.view3")
    middle = "(b => (b.left + b.right) / 2)(document.querySelector('{}').getBoundingClientRect())"
    focus, frame = (page.evaluate(middle.format(name)) for name in (".ov-focus", ".ov-graph-frame"))
    assert focus == pytest.approx(frame, abs=30)


def test_a_column_is_chosen_and_left_by_clicks(graph):
    page = graph("?view=views.view1")
    page.locator(".ov-row", has_text="word").click()
    assert "column=word" in page.url
    assert page.locator(".ov-node.ov-on-way").count() > 2
    page.get_by_role("link", name="Show no column").click()
    assert "column" not in page.url
    page.get_by_label("View or table").fill("views.view3")
    page.get_by_label("with tables").check()
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", name="Graph of views.view3").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_differs_from_its_background_enough(graph, page, scheme):
    """WCAG 2.2, 1.4.3 and 1.4.11; axe does not look at pictures."""
    page.emulate_media(color_scheme=scheme)
    page.add_init_script(CONTRAST)
    page = graph("?view=views.view1&column=word")
    for selector, prop, least in (
        (".ov-node-name", "fill", 4.5),
        (".ov-node-what", "fill", 4.5),
        (".ov-row-name", "fill", 4.5),
        (".ov-node.ov-on-way > .ov-box", "stroke", 3),
        (".ov-edge.ov-on-way", "stroke", 3),
    ):
        found = page.evaluate(f"contrast({selector!r}, {prop!r}, '.ov-graph-frame', 'backgroundColor')")
        assert found >= least, selector
    row = "contrast('.ov-row.ov-on-way text', 'fill', '.ov-row.ov-on-way rect', 'fill')"
    assert page.evaluate(row) >= 4.5
    page = graph("?tables=on")
    for selector in (".ov-edge", ".ov-box"):
        found = page.evaluate(f"contrast({selector!r}, 'stroke', '.ov-graph-frame', 'backgroundColor')")
        assert found >= 3, selector
    for colour in ("success", "error", "table"):
        found = page.evaluate(f"contrast('.ov-node-icon', 'fill', '.ov-band-{colour}', 'fill')")
        assert found >= 3, colour


CONTRAST = """
window.contrast = (front, its, back, other) => {
    const light = (selector, property) => {
        const colour = getComputedStyle(document.querySelector(selector))[property];
        const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map(value => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [high, low] = [light(front, its), light(back, other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
}
"""
