"""What every page keeps to: WCAG 2.2 AA as axe checks it, light and dark, on a screen and on a phone."""

from __future__ import annotations

import importlib.resources
import itertools
import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.browser.skins.frame import SKIN, ours, shows_rows

#: `nox --session browser` looks at every page in every way. The suite looks at each page in one of them.
WHOLE = bool(os.environ.get("BROWSER"))

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


_OPEN_DETAILS = """
for (const details of document.querySelectorAll('main details, #content-main details')) details.open = true
"""


class Look(NamedTuple):
    """One way to look at a page."""

    scheme: Any
    width: int

    def __str__(self) -> str:
        return f"{self.scheme}, {self.width} px"


LOOKS = [Look(scheme, width) for scheme, width in itertools.product(["light", "dark"], [1280, 320])]


def looks(position: int) -> list[Look]:
    """Return the ways to look at a page: all, or the one that its place among the pages gives it."""
    return LOOKS if WHOLE else [LOOKS[position % len(LOOKS)]]


def check_accessibility(page: Page, at: Iterable[Look] = LOOKS) -> None:
    """Fail unless a page keeps to every rule in some looks."""
    found = problems(page, at)
    assert found == [], "\n".join(found)


def problems(page: Page, at: Iterable[Look] = LOOKS) -> list[str]:
    """Open all details of a page, look at it, and return what it breaks."""
    page.evaluate(_axe())
    found = []
    for look in at:
        page.set_viewport_size({"width": look.width, "height": 900})
        _switch_to(page, look.scheme)
        page.evaluate(_OPEN_DETAILS)
        # The admin's links change colour slowly, and half-way they have no contrast.
        page.evaluate("Promise.allSettled(document.getAnimations().map(animation => animation.finished))")
        found += [f"{look}: {problem}" for problem in [*_broken_rules(page), *_layout(page)]]
    return found


@cache
def _axe() -> str:
    return importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()


def _switch_to(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    # Other looks ask for the scheme while the page loads, and do not hear of a change.
    if SKIN:
        page.reload()
        page.evaluate(_axe())


def _broken_rules(page: Page) -> list[str]:
    scope: Any = None
    if SKIN:
        scope = {"include": [[part] for part in ours(page) if page.locator(part).count()]}
        if not scope["include"]:
            return []
    found = page.evaluate(
        "([scope, options]) => axe.run(scope ?? document, options)",
        [scope, {"runOnly": RULES, "resultTypes": ["violations"]}],
    )
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def _layout(page: Page) -> Sequence[str]:
    headings = page.locator("h1:visible").count()
    wide, room = page.evaluate("(root => [root.scrollWidth, root.clientWidth])(document.documentElement)")
    if SKIN and shows_rows(page):
        return []
    return [
        *([f"{headings} headings of the first level"] if headings != 1 else []),
        *([f"the page is {wide} px wide, and the window {room} px"] if wide > room else []),
    ]


def unseen_focus(page: Page) -> tuple[int, list[str]]:
    """Press Tab; return how many elements of the content get the focus, and those that do not show it."""
    reached, unseen = 0, []
    for _ in range(40):
        page.keyboard.press("Tab")
        markup, style, width = page.evaluate(_FOCUS)
        if markup:
            reached += 1
            if style == "none" or width < 1:
                unseen.append(markup)
    return reached, unseen


_FOCUS = """(element => {
    const {outlineStyle, outlineWidth} = getComputedStyle(element);
    return [element.closest('#content-main') && element.outerHTML, outlineStyle, parseFloat(outlineWidth)];
})(document.activeElement)"""
