"""Somebody who looks at the site."""

from __future__ import annotations

import html
import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request

#: Whom the page creates.
USER, PASSWORD = "admin", "pedals-and-chains"
_SECONDS = 30


class Browser:
    """Somebody who logs in to the admin.

    Args:
        port: where the site is served.
    """

    def __init__(self, port: int) -> None:
        self.site = f"http://127.0.0.1:{port}"
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def log_in(self) -> None:
        """Wait for the site, and log in."""
        until = time.monotonic() + _SECONDS
        while True:
            try:
                self._open("/admin/login/")
                break
            except urllib.error.URLError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        token = next(str(cookie.value) for cookie in self._cookies if cookie.name == "csrftoken")
        form = {"username": USER, "password": PASSWORD, "csrfmiddlewaretoken": token}
        self._open("/admin/login/?next=/admin/", form)

    def text_of(self, path: str) -> str:
        """The words of a page, with one space between them."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self._open(path))).split())

    def _open(self, path: str, data: dict[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(data).encode() if data else None
        with self._opener.open(self.site + path, body, timeout=_SECONDS) as answer:
            return str(answer.read().decode())
