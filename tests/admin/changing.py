"""Declaring, changing and syncing views in tests of what their changes leave behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orm_views_admin.models import ViewChange
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.admin.browse import forget


class Changing:
    """Syncs whose changes are recorded although the transaction of the test is never committed.

    Args:
        committing: pytest-django's ``django_capture_on_commit_callbacks``.
    """

    def __init__(self, committing: Any) -> None:
        self._committing = committing

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, and what waits for the commit of its transaction."""
        with self._committing(execute=True):
            return function(*args, **kwargs)

    def sync(self, database: str = "default", **kwargs: Any) -> Any:
        """Sync a database."""
        with self._committing(using=database, execute=True):
            return sync_views(databases=[database], **kwargs)

    def forget(self, *names: str) -> None:
        """Take views out of the code."""
        forget(registry, *names)


def changes_of(name: str, schema: str = "views", database: str = "default") -> list[ViewChange]:
    """Return the changes of a view, the oldest first."""
    found = ViewChange.objects.filter(database=database, schema=schema, name=name)
    return list(found.order_by("at", "pk"))


def last_of(name: str) -> ViewChange:
    """Return the last change of a view."""
    return changes_of(name)[-1]
