"""Links to the same page with other parameters."""

from __future__ import annotations

from django.http import QueryDict


def with_parameters(parameters: QueryDict, **changes: str | None) -> str:
    """Return a query string with some parameters set, or taken away where the value is None or empty."""
    changed = parameters.copy()
    for name, value in changes.items():
        if value:
            changed[name] = value
        else:
            changed.pop(name, None)
    # Never empty: a link to "" keeps the parameters that the page was opened with.
    return "?" + changed.urlencode()
