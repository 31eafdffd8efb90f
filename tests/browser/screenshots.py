"""``python -m tests.browser.screenshots``: the pictures of docs/images, of the demonstration's own pages.

The demonstration's database has to be loaded and synced (``make demo`` does both). Its views are refreshed a
few times, so that there is a history. What the list and the plan show as out of step are classes that are
changed in this process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZE = {"width": 1280, "height": 900}


def main() -> None:
    """Take every picture, light and dark."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.demo.web_settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
    django.setup()

    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES

    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    IMAGES.mkdir(parents=True, exist_ok=True)
    refresh_some()
    with (
        written_catalogue() as site,
        out_of_step(),
        serve() as address,
        session() as cookie,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        for scheme in ("light", "dark"):
            context = browser.new_context(
                base_url=address, viewport=SIZE, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
            )
            context.add_cookies([{**cookie, "url": address}])
            take_all(context.new_page(), scheme)
            take_catalogue(context.new_page(), site, scheme)
            context.close()
        browser.close()


def take_all(page: Any, scheme: str) -> None:
    """Take the pictures of one colour scheme."""
    from tests.admin.browse import LIST, url

    pages = {
        "list": LIST,
        "detail": url("detail", "loan_book"),
        "plan": f"{LIST}sync/",
        "preview": f"{url('preview', 'loan_book')}?sort=-opened_on",
        "history": f"{LIST}runs/",
    }
    for name, path in pages.items():
        response = page.goto(path)
        assert response.ok, f"{path}: {response.status}"
        assert page.url.endswith(path), page.url
        assert "/login/" not in page.url, page.url
        page.wait_for_load_state("networkidle")
        if name == "plan":
            page.locator("summary", has_text="Difference and SQL").first.click()
        page.screenshot(path=IMAGES / f"{name}-{scheme}.png")


def take_catalogue(page: Any, site: Path, scheme: str) -> None:
    """Take the picture of a page of the catalogue, from the file system."""
    page.goto(site.joinpath("views", "views.loan_book.html").as_uri())
    page.screenshot(path=IMAGES / f"catalogue-{scheme}.png")


@contextmanager
def written_catalogue() -> Iterator[Path]:
    """Write the catalogue of the demonstration as its analysts see it."""
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as directory:
        call_command("view_catalogue", "--output", directory, "--role", "analyst")
        yield Path(directory)


def refresh_some() -> None:
    """Let there be some runs: two of every view, one of them alone and one beside another."""
    from orm_views_core.refresh import refresh_views

    for jobs in (1, 2):
        refresh_views(jobs=jobs)


@contextmanager
def out_of_step() -> Iterator[None]:
    """Change one class, add one and take one away, in this process only."""
    from orm_views_core.views.registry import registry
    from tests.admin.browse import declare
    from tests.demo.lending.postgres_views import Customers, CustomersByEra

    kept = Customers.sql
    Customers.sql = kept.replace("ELSE '65+'", "WHEN age < 80 THEN '65-79'\n                ELSE '80+'")
    registry.unregister(CustomersByEra)
    new = declare(
        "LoansByChannel",
        "SELECT channel, count(*) AS loans, sum(principal) AS lent FROM views.loan_book GROUP BY channel",
        name="loans_by_channel",
    )
    try:
        yield
    finally:
        Customers.sql = kept
        registry.unregister(new)
        registry.register(CustomersByEra)


@contextmanager
def serve() -> Iterator[str]:
    """Serve the demonstration from a thread, with its static files."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread

    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@contextmanager
def session() -> Iterator[dict[str, str]]:
    """Log ``admin`` in for as long as the pictures are taken."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    yield {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
    client.session.flush()


if __name__ == "__main__":
    main()
