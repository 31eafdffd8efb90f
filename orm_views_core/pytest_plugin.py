"""A plugin for pytest: the fixture ``refreshed_views``.

pytest loads it in every project of an environment that this package is installed in, also where there is no
Django to set up and before coverage is measured. So nothing is imported here but pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .names import ViewName

#: What is left to do for a test when its tables have been emptied, and the test databases' names meanwhile.
_AFTERWARDS = pytest.StashKey[Callable[[], None]]()
_KEPT = pytest.StashKey[bool]()

#: The names that pytest-django goes by: as it is found by itself, or as ``-p`` or a conftest names it.
_PYTEST_DJANGO = ("django", "pytest_django", "pytest_django.plugin")


class _Fixtures:
    """The fixture where pytest-django is at work, which sees from the arguments that ``db`` is needed."""

    @pytest.fixture
    def refreshed_views(
        self, request: pytest.FixtureRequest, db: None, django_db_blocker: Any, django_db_keepdb: bool
    ) -> Callable[..., list[ViewName]]:
        """Database access, with the materialised views refreshed inside the test's transaction.

        The value is a function that refreshes again, after the test has made data: all of them, or those
        that it is given as classes, names or labels, and what they read.
        """
        from django.db import connections

        from .testing import refresh_for_test

        databases = _databases(request)
        aliases = [alias for alias in connections if databases == "__all__" or alias in databases]

        def refresh(*views: type | str) -> list[ViewName]:
            return refresh_for_test(*views, databases=aliases)

        committed = {
            alias: connections[alias].settings_dict["NAME"]
            for alias in aliases
            if not connections[alias].in_atomic_block
        }

        def refresh_emptied() -> None:
            with django_db_blocker.unblock():
                for alias, name in committed.items():
                    if connections[alias].settings_dict["NAME"] == name:
                        refresh_for_test(databases=[alias])

        if committed:
            request.node.stash[_AFTERWARDS] = refresh_emptied
            request.node.stash[_KEPT] = django_db_keepdb
        refresh()
        return refresh


class _Excuse:
    """The fixture where it cannot work."""

    @pytest.fixture
    def refreshed_views(self) -> None:
        """Database access, with the materialised views refreshed; needs pytest-django."""
        pytest.fail(
            "The fixture refreshed_views needs pytest-django, which is not installed or not loaded. "
            "Run: pip install pytest-django",
            pytrace=False,
        )


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixture, now that all plugins are known."""
    has_django = any(config.pluginmanager.hasplugin(name) for name in _PYTEST_DJANGO)
    config.pluginmanager.register(_Fixtures() if has_django else _Excuse(), "orm_views_fixtures")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Refresh once more after a test that commits, when its tables are empty: its rows are no other test's.

    After the last test the test databases are gone already, unless they are kept.
    """
    refresh = item.stash.get(_AFTERWARDS, None)
    if refresh and (nextitem is not None or item.stash[_KEPT]):
        refresh()


def _databases(request: pytest.FixtureRequest) -> Any:
    """Return the ``databases`` that the test's class or its ``django_db`` mark names."""
    from django.db import DEFAULT_DB_ALIAS
    from django.test import SimpleTestCase

    if request.cls is not None and issubclass(request.cls, SimpleTestCase):
        return request.cls.databases
    marker = request.node.get_closest_marker("django_db")
    named: Any = None
    if marker is not None:
        named = marker.kwargs.get("databases", marker.args[2] if len(marker.args) > 2 else None)
    return [DEFAULT_DB_ALIAS] if named is None else named
