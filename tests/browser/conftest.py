"""A real browser: the machine's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from orm_views_core.views.registry import registry
from tests.browser import scene
from tests.browser.visits import go_to

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Without a sandbox, because root has none; without whatever looks for a network that a test must not need.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Without one the tests are skipped on a developer's machine and fail in CI."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found:
        return found
    message = f"no browser: set CHROMIUM, or put one of {', '.join(CHROMIUM_NAMES)} on the PATH"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests; each test gets a context of its own, see `page`.

    Playwright's synchronous API keeps an event loop in this thread, which Django takes for a sign that it is
    called from a coroutine. It is not, so Django is told, for exactly as long as that loop lives.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
            yield browser
            browser.close()
            # Django keeps other connections for this thread while the loop lives.
            connections.close_all()


@pytest.fixture
def context_options() -> dict[str, Any]:
    """What the browser context of `page` is made with; override or parametrise it in a test module."""
    return {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def page(browser: Browser, live_server: Any, context_options: dict[str, Any]) -> Iterator[Page]:
    """An empty page of a fresh context whose relative addresses are the live server's."""
    context = browser.new_context(base_url=live_server.url, **context_options)
    context.set_default_timeout(10_000)
    page = context.new_page()
    yield page
    # What a page still asks for need not be answered any more.
    page.unroute_all(behavior="ignoreErrors")
    context.close()


@pytest.fixture
def log_in(page: Page, live_server: Any) -> Callable[[Any], Page]:
    """A function that gives `page` the session of a user, without the detour over the login form."""

    def log_in(user: Any) -> Page:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        return page

    return log_in


@pytest.fixture
def visit(
    page: Page, log_in: Callable[[Any], Page], admin_user: Any, settings: Any
) -> Iterator[Callable[[str], Page]]:
    """A function that opens a page of the scene and makes sure that it is that page."""
    log_in(admin_user)
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.2}
    with registry.isolated():
        scene.set_up()
        yield lambda name: go_to(name, page, log_in)
