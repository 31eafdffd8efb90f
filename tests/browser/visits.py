"""Going to a page of the scene, and making sure that it is that page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.browser import scene

#: The pages of the scene that refuse something, with the status that says so.
REFUSED = {"preview, masked and refused": 403, "cell, changed": 409}


def go_to(name: str, page: Page, log_in: Callable[[Any], Page]) -> Page:
    """Prepare a page of the scene and open it; fail if another one is shown, such as the login page.

    It is seen by a superuser; what is masked, by somebody who may not see personal data.
    """
    if name in {"plan, refused", "detail, invalid"}:
        scene.break_one()
    if name.startswith("change"):
        scene.set_up_changes()
    if name.startswith("accesses"):
        scene.set_up_accesses()
    if name.startswith("row"):
        scene.set_up_rows(name)
    if "personal" in name or "masked" in name or "on purpose" in name:
        scene.set_up_personal()
    if "masked" in name:
        log_in(scene.make_staff("view", "preview"))
    response = page.goto(scene.PAGES[name])
    assert response is not None
    assert response.status == REFUSED.get(name, 200), f"{page.url}: {response.status}"
    assert address_of(page) == scene.PAGES[name], page.url
    return page


def address_of(page: Page) -> str:
    """Return the address that a page has on its server.

    Compare all of it: that of the login page ends with the address that one wanted.
    """
    return re.sub("^https?://[^/]+", "", page.url)
