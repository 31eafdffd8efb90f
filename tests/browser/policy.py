"""What a page does against a strict content security policy, and the errors of its scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Error, Page, Route

from tests.browser.skins.frame import SKIN, ours

POLICY = "default-src 'self'"
#: A skin cannot work without scripts that the policy forbids. It is only told, and what is ours counts.
_HEADER = "content-security-policy-report-only" if SKIN else "content-security-policy"

_NOTE_VIOLATIONS = """
window.violations = [];
addEventListener('securitypolicyviolation', event => violations.push({
    what: [event.violatedDirective, event.blockedURI, event.sample].join(' ').trim(),
    source: event.sourceFile,
    blocked: event.blockedURI,
    element: event.target instanceof Element ? event.target : null,
}));
"""
# The event of an address that is not loaded does not tell which element asked for it.
_VIOLATIONS = """ours => violations.filter(({source, element, blocked}) => {
    if (!ours || /orm_views/.test(source)) return true;
    if (element) return ours.some(part => element.closest(part));
    const asking = [...document.querySelectorAll('[src], [href]')].filter(each =>
        blocked && (each.getAttribute('src') ?? each.getAttribute('href')).startsWith(blocked));
    return asking.some(each => ours.some(part => each.closest(part)));
}).map(({what}) => what)
"""


class Watched:
    """A page that is served with the policy, from now on.

    Args:
        page: the page, before it goes anywhere.
        change: what is done to the HTML before the browser gets it.
    """

    def __init__(self, page: Page, change: Callable[[str], str] = str) -> None:
        self._page = page
        self._change = change
        self._errors: list[Error] = []
        page.add_init_script(_NOTE_VIOLATIONS)
        page.on("pageerror", lambda error: self._errors.append(error))
        # The policy of a page is that of its document. Files need none, and are quicker without.
        page.route(re.compile(r"^https?://[^/]+/admin/"), self._serve)

    def _serve(self, route: Route) -> None:
        response = route.fetch(max_redirects=0)
        headers = {**response.headers, _HEADER: POLICY}
        if response.headers.get("content-type", "").startswith("text/html"):
            route.fulfill(response=response, headers=headers, body=self._change(response.text()))
        else:
            route.fulfill(response=response, headers=headers)

    def problems(self) -> list[str]:
        """Return the violations and errors of the document that is shown now."""
        found: list[str] = self._page.evaluate(_VIOLATIONS, list(ours(self._page)) if SKIN else None)
        errors = [error for error in self._errors if not SKIN or "orm_views" in (error.stack or "")]
        return [*found, *(error.message for error in errors)]
