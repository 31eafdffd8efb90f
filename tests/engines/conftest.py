"""The tests of engines run under settings of their own: see `settings.py`. Other runs do not collect them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test.utils import setup_databases, teardown_databases

#: The directories for one engine each.
_ENGINES = {"sqlite", "mariadb"}

if os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.engines.settings":
    collect_ignore = sorted(_ENGINES - {settings.ENGINE})
else:
    collect_ignore_glob = ["*"]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Both databases, in the place of pytest-django's fixture: it makes those that are named in marks."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many tests have passed on which engine."""
    if passed := terminalreporter.stats.get("passed"):
        shared = sum("engines/shared/" in report.nodeid for report in passed)
        terminalreporter.line(
            f"{settings.ENGINE}: {len(passed)} tests passed, {shared} of them on every engine"
        )
