"""Where the documentation is. Hints name its pages by their addresses, for readers without a checkout."""

from __future__ import annotations

SITE = "https://django-orm-views-admin.readthedocs.io/"


def page_address(page: str) -> str:
    """Return the address of a page of the documentation.

    Args:
        page: The path of the page below ``docs/``, without its suffix, such as ``"how-to/exports"``. A test
            asks that there is such a page.
    """
    return f"{SITE}page/{page}.html"  # Read the Docs leads from there to the version that is the default
