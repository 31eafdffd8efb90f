"""What every page keeps to: WCAG 2.2 AA as axe checks it, light and dark, on a screen and on a phone."""

from __future__ import annotations

import importlib.resources
import itertools
from functools import cache

from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _axe() -> str:
    return importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()


def check_accessibility(page: Page) -> None:
    """Unfold a page, and look at it light and dark, wide and narrow."""
    page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true")
    page.evaluate(_axe())
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    for scheme, width in itertools.product(["light", "dark"], [1280, 320]):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        # The admin's links change colour slowly, and half-way they have no contrast.
        page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
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
