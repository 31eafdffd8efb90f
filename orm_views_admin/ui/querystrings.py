"""Query strings of links to the same page with other parameters."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page
from django.http import QueryDict


def with_parameters(parameters: QueryDict, **changes: str | None) -> str:
    """Return a query string with some parameters changed; those whose new value is None or "" are removed.

    The number of the page is removed too, unless it is among the changes: other rows have other pages.
    """
    changed = parameters.copy()
    for name, value in {"page": None, **changes}.items():
        if value:
            changed[name] = value
        else:
            changed.pop(name, None)
    # Always with the question mark: a link to "" would keep the parameters of the current page.
    return "?" + changed.urlencode()


def page_number(parameters: QueryDict) -> int:
    """Return the number of the page that is asked for, from 1; 1 also for no number and a very large one."""
    digits = parameters.get("page", "").lstrip("0")
    return max(1, int(digits)) if digits.isdecimal() and len(digits) < 10 else 1


def page_links(page: Page[Any], parameters: QueryDict) -> list[tuple[int | str, str]]:
    """Return the number and the address of each page that is linked; an ellipsis has no address."""
    return [
        (number, with_parameters(parameters, page=str(number)) if isinstance(number, int) else "")
        for number in page.paginator.get_elided_page_range(page.number)
    ]
