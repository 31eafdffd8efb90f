"""The browser of `tests/browser`, and the built site on a server of its own."""

import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import browser as browser
from tests.browser.conftest import chromium as chromium

#: Where the built site is; `nox --session docs` builds it and sets the variable.
SITE = Path(os.environ.get("SITE", "nowhere")).resolve()


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, *arguments: Any) -> None:
        """Say nothing of a request."""


@pytest.fixture(scope="package")
def site() -> Iterator[str]:
    """The address of the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def asked(site: str, page: Page) -> list[str]:
    """The addresses outside the site that the page has asked for."""
    addresses: list[str] = []
    inside = (site, "data:", "blob:")
    page.on("request", lambda it: None if it.url.startswith(inside) else addresses.append(it.url))
    return addresses


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """An empty page of a fresh context whose relative addresses are the site's."""
    context = browser.new_context(base_url=site, locale="en-GB", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()
