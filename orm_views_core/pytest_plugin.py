"""A plugin for pytest: the fixture ``refreshed_views``.

pytest loads it in every project of an environment that has this package, even in projects without Django, and
before it measures coverage. So this module imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .names import ViewName

#: What refreshes the views again when the tables of a test have been emptied, and whether pytest-django keeps
#: the test databases.
_AFTERWARDS = pytest.StashKey[Callable[[], None]]()
_KEEPS_DATABASES = pytest.StashKey[bool]()

#: The names of pytest-django's plugin: from its entry point, from ``-p``, and from a conftest.
_PYTEST_DJANGO = ("django", "pytest_django", "pytest_django.plugin")


class _Fixture:
    """The fixture in a project with pytest-django, which finds the fixture ``db`` among its arguments."""

    @pytest.fixture
    def refreshed_views(
        self, request: pytest.FixtureRequest, db: None, django_db_blocker: Any, django_db_keepdb: bool
    ) -> Callable[..., list[ViewName]]:
        """Database access, with the materialised views refreshed inside the test's transaction.

        The value is a function that refreshes again, after the test has made data: all of them, or those
        that it is given as classes, names or labels, and what they read.
        """
        from django.db import connections

        from .testing import aliases_of, refresh_for_test

        aliases = aliases_of(_databases(request))

        def refresh(*views: type | str) -> list[ViewName]:
            return refresh_for_test(*views, databases=aliases)

        committing = [alias for alias in aliases if not connections[alias].in_atomic_block]
        committed = {alias: connections[alias].settings_dict["NAME"] for alias in committing}

        def refresh_emptied() -> None:
            with django_db_blocker.unblock():
                for alias, name in committed.items():
                    if connections[alias].settings_dict["NAME"] == name:
                        refresh_for_test(databases=[alias])

        if committed:
            request.node.stash[_AFTERWARDS] = refresh_emptied
            request.node.stash[_KEEPS_DATABASES] = django_db_keepdb
        refresh()
        return refresh


class _MissingFixture:
    """The fixture in a project without pytest-django, where it fails and tells why."""

    @pytest.fixture
    def refreshed_views(self) -> None:
        """Database access, with the materialised views refreshed; needs pytest-django."""
        pytest.fail(
            "The fixture refreshed_views needs pytest-django, which is not installed or not loaded. "
            "Run: pip install pytest-django",
            pytrace=False,
        )


def pytest_configure(config: pytest.Config) -> None:
    """Register the fixture. All plugins are known by now."""
    has_django = any(config.pluginmanager.hasplugin(name) for name in _PYTEST_DJANGO)
    config.pluginmanager.register(_Fixture() if has_django else _MissingFixture(), "orm_views_fixtures")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Refresh the views again after a test that commits, so that the next test does not see its rows.

    The tables are empty by now. After the last test the test databases are gone, unless they are kept.
    """
    refresh = item.stash.get(_AFTERWARDS, None)
    if refresh and (nextitem is not None or item.stash[_KEEPS_DATABASES]):
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
