"""Following runs, with JavaScript or by pressing the link that loads their page anew."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Page, expect

from orm_views_admin.models import Run


def standing(page: Page) -> Any:
    """The line that says how the runs of the page stand."""
    return page.get_by_role("status")


def wait_until(page: Page, said: str, *, java_script: bool = True) -> None:
    """Stay on the page of a run until it says something."""
    assert re.search(r"/runs/[0-9a-f-]{36}/$", page.url), page.url
    if java_script:
        expect(standing(page)).to_have_text(said)
        return
    deadline = time.monotonic() + 20
    while standing(page).text_content() != said:
        assert time.monotonic() < deadline, standing(page).text_content()
        page.wait_for_timeout(200)
        page.get_by_role("link", name="Reload").click()


def let_all_end() -> None:
    """Wait for the threads that still work: they would hold what the next test drops."""
    deadline = time.monotonic() + 20
    while Run.objects.filter(state__in=Run.ACTIVE).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
