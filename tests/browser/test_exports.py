"""Exporting rows in a browser: a short export is the file at once, a long one is followed to its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import declare, url
from tests.browser.accessibility import check_accessibility
from tests.browser.following import let_all_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def java_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def context_options(java_script: bool) -> dict[str, Any]:
    viewport = {"width": 1280, "height": 900}
    return {"locale": "en-GB", "viewport": viewport, "java_script_enabled": java_script}


@pytest.fixture(autouse=True)
def registered():
    with registry.isolated() as empty:
        yield empty


@pytest.fixture(autouse=True)
def exports(registered, transactional_db, settings, tmp_path):
    """A storage for exports. Nothing is left running."""
    settings.STORAGES = {
        **settings.STORAGES,
        "orm_views_exports": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    yield
    let_all_end()


@pytest.fixture
def staff_page(page: Page, log_in, admin_user) -> Page:
    return log_in(admin_user)


def test_a_short_export_is_the_file_and_the_page_stays(staff_page):
    declare("Numbers", "SELECT n, 'number ' || n AS word FROM generate_series(1, 120) AS n")
    sync_views()
    staff_page.goto(f"{url('preview', 'numbers')}?column.n.at_least=119&sort=-n")
    for form, wanted in (
        ("CSV", "n,word\n120,number 120\n119,number 119\n"),
        ("JSON lines", '{"n": 120, "word": "number 120"}\n{"n": 119, "word": "number 119"}\n'),
    ):
        staff_page.get_by_label("Export as").select_option(form)
        with staff_page.expect_download() as download:
            staff_page.get_by_role("button", name="Export").click()
        assert Path(download.value.path()).read_text() == wanted
        assert download.value.suggested_filename.startswith("numbers-")
    assert "/preview/" in staff_page.url


def test_a_long_export_is_followed_to_its_file(staff_page, java_script):
    declare("Drops", "SELECT n, length(pg_sleep(0.002)::text) AS m FROM generate_series(1, 1500) AS n")
    sync_views()
    staff_page.goto(url("preview", "drops"))
    staff_page.get_by_role("button", name="Export").click()
    expect(staff_page.get_by_role("heading", name="Export of views.drops")).to_be_visible()
    expect(staff_page.get_by_role("progressbar")).to_be_visible()
    link = staff_page.get_by_role("link", name="Download")
    if not java_script:
        for _ in range(60):
            if link.is_visible():
                break
            staff_page.wait_for_timeout(500)
            staff_page.get_by_role("link", name="Reload").click()
    expect(link).to_be_visible(timeout=20_000)
    expect(staff_page.get_by_text("It has ended: succeeded.")).to_be_visible()
    if java_script:
        check_accessibility(staff_page)
    with staff_page.expect_download() as download:
        link.click()
    assert len(Path(download.value.path()).read_text().splitlines()) == 1501
