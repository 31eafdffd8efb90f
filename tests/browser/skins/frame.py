"""What of a page is ours where a skin puts a frame of its own around it.

The frame breaks rules that are not ours to keep. It is left out of the checks; no rule is. On the pages of
rows, which are Django's lists and forms in the skin's templates, only what this package adds to them is ours.
"""

from __future__ import annotations

from django.conf import settings
from playwright.sync_api import Page

#: The skin of the settings, see the settings beside this module; "" for Django's own look.
SKIN: str = getattr(settings, "SKIN", "")

_PAGE = ("#content-main", ".object-tools", ".breadcrumbs")
_ROWS = (".ov-estimate",)


def shows_rows(page: Page) -> bool:
    """Return whether a page is one of the admin's own lists and forms, with the rows of a view."""
    return page.locator("body.orm-views-rows").count() > 0


def ours(page: Page) -> tuple[str, ...]:
    """Return selectors of what this package has put into a page."""
    return _ROWS if shows_rows(page) else _PAGE
