"""A browser with or without JavaScript, and staff who are logged in."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page

from orm_views_core.views.registry import Registry, registry
from tests.browser.accessibility import WHOLE
from tests.browser.following import let_all_end
from tests.browser.skins.frame import SKIN
from tests.browser.visits import address_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each workflow with JavaScript and without; in the suite, with what its name decides.

    django-unfold shows nothing at all without JavaScript.
    """
    choices = [True, False] if SKIN != "unfold" else [True]
    if len(choices) > 1 and not WHOLE:
        choices = [choices[zlib.crc32(metafunc.function.__name__.encode()) % 2]]
    ids = [f"{'with' if on else 'without'} JavaScript" for on in choices]
    metafunc.parametrize("java_script", choices, indirect=True, ids=ids)


@pytest.fixture(autouse=True)
def java_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def context_options(java_script: bool) -> dict[str, Any]:
    return {
        "locale": "en-GB",
        "viewport": {"width": 1280, "height": 900},
        "java_script_enabled": java_script,
    }


@pytest.fixture(autouse=True)
def registered(transactional_db: None) -> Iterator[Registry]:
    with registry.isolated() as empty:
        yield empty
        let_all_end()


@pytest.fixture
def staff_page(page: Page, log_in: Callable[[Any], Page], admin_user: Any) -> Page:
    return log_in(admin_user)


@pytest.fixture
def ask() -> Callable[[str], Any]:
    """A function that returns the first value that a query finds."""

    def ask(sql: str) -> Any:
        with connections["default"].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None

    return ask


@pytest.fixture
def go(staff_page: Page) -> Callable[[str], Page]:
    """A function that opens an address, and fails if it leads elsewhere."""

    def go(path: str) -> Page:
        response = staff_page.goto(path)
        assert response is not None
        assert response.status == 200
        assert address_of(staff_page) == path
        return staff_page

    return go
