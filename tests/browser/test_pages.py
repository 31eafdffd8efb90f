"""Every page in a real browser: accessibility, content security policy, focus, and room on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from orm_views_core.views.registry import registry
from tests.browser import scene
from tests.browser.accessibility import check_accessibility

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

POLICY = "default-src 'self'"


#: The pages of the scene that refuse something, with the status that says so.
REFUSED = {"preview, masked and refused": 403}


@pytest.fixture
def visit(page: Page, log_in: Callable[[Any], Page], admin_user: Any, settings: Any) -> Any:
    """A function that opens a page of the scene and makes sure that it is that page.

    It does so as a superuser; what is masked, as somebody who may not see personal data.
    """
    log_in(admin_user)
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.2}
    with registry.isolated():
        scene.set_up()

        def open_page(name: str) -> Page:
            if name in {"plan, refused", "detail, invalid"}:
                scene.break_one()
            if name.startswith("row"):
                scene.set_up_rows(name)
            if "personal" in name or "masked" in name or "on purpose" in name:
                scene.set_up_personal()
            if "masked" in name:
                log_in(scene.make_staff("view", "preview"))
            response = page.goto(scene.PAGES[name])
            assert response is not None
            assert response.status == REFUSED.get(name, 200)
            assert page.url.endswith(scene.PAGES[name])
            return page

        yield open_page


@pytest.mark.parametrize("name", scene.PAGES)
def test_a_page_breaks_no_rule_of_wcag_and_fits_a_phone(visit, name):
    check_accessibility(visit(name))


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
