"""Every page in a real browser: accessibility, content security policy, focus, and room on a phone."""

from __future__ import annotations

import importlib.resources
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from orm_views_core.registry import registry
from tests.browser import scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

POLICY = "default-src 'self'"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def axe() -> str:
    return importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()


@pytest.fixture
def visit(page: Page, log_in: Callable[[Any], Page], admin_user: Any, settings: Any) -> Any:
    """A function that opens a page of the scene as a superuser and makes sure that it is that page."""
    log_in(admin_user)
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.2}
    with registry.isolated():
        scene.set_up()

        def open_page(name: str) -> Page:
            if name in {"plan, refused", "detail, invalid"}:
                scene.break_one()
            if name.startswith("row"):
                scene.set_up_rows(name)
            response = page.goto(scene.PAGES[name])
            assert response is not None
            assert response.status == 200
            assert page.url.endswith(scene.PAGES[name])
            return page

        yield open_page


def open_all_details(page: Page) -> None:
    page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true")


def wait_for_transitions(page: Page) -> None:
    """The admin's links change colour slowly, and half-way they have no contrast."""
    page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")


@pytest.mark.parametrize("name", scene.PAGES)
def test_a_page_breaks_no_rule_of_wcag_and_fits_a_phone(visit, axe, name):
    page = visit(name)
    open_all_details(page)
    page.evaluate(axe)
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    for scheme, width in itertools.product(["light", "dark"], [1280, 320]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        wait_for_transitions(page)
        found = page.evaluate("options => axe.run(document, options)", options)
        broken = [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
        assert broken == [], (scheme, width)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), (scheme, width)
    assert len(page.query_selector_all("h1")) == 1


@pytest.mark.parametrize("name", scene.PAGES)
def test_a_page_keeps_to_a_strict_content_security_policy(visit, page, name):
    def add_policy(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": POLICY})

    page.add_init_script(
        "window.violations = [];"
        "addEventListener('securitypolicyviolation',"
        " e => violations.push(e.violatedDirective + ' ' + e.blockedURI))"
    )
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", add_policy)
    page = visit(name)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("violations") == []
    assert errors == []


@pytest.mark.parametrize("name", ["list", "plan", "preview", "rows"])
def test_what_has_the_focus_can_be_seen(visit, name):
    page = visit(name)
    seen = 0
    for _ in range(40):
        page.keyboard.press("Tab")
        inside = page.evaluate("document.activeElement.closest('#content-main') !== null")
        if not inside:
            continue
        seen += 1
        style = page.evaluate(
            "(s => [s.outlineStyle, parseFloat(s.outlineWidth)])(getComputedStyle(document.activeElement))"
        )
        assert style[0] != "none"
        assert style[1] >= 1
    assert seen > 3
