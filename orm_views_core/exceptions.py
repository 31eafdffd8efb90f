"""Every error this package raises on purpose. Each message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class OrmViewsError(Exception):
    """The parent of all of them: ``except OrmViewsError`` catches whatever this package reports."""


class CyclicDependencyError(OrmViewsError):
    """Views depend on one another in a circle, so none of them can be created first."""


class InvalidViewDependencies(OrmViewsError):  # noqa: N818 - the predecessor's name
    """``view_dependencies`` names what a view cannot depend on, such as a view of another database."""


#: The spelling that django-orm-views 2.0.3 exported.
InvalidViewDepencies = InvalidViewDependencies


class ViewModuleError(OrmViewsError):
    """A ``postgres_views`` module cannot be imported."""


class DuplicateViewError(OrmViewsError):
    """Two classes claim one name in one database."""


class InvalidViewError(OrmViewsError):
    """A view class does not say a view: no SQL, two statements, too long a name, an unknown option."""


class InvalidViewsError(InvalidViewError):
    """Several views are invalid; ``errors`` has one exception for each."""

    def __init__(self, errors: Sequence[OrmViewsError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


class ViewSQLError(InvalidViewError):
    """PostgreSQL refuses a view's SQL."""


class UnsupportedDatabaseError(OrmViewsError):
    """A database alias that is unknown, or is not PostgreSQL."""


class DatabaseUnavailableError(OrmViewsError):
    """A database does not answer, or does not let us in."""


class MissingRoleError(OrmViewsError):
    """A role that should be granted SELECT does not exist."""


class UnknownViewError(OrmViewsError):
    """A name that no registered view has."""


class PlanBlockedError(OrmViewsError):
    """A plan cannot be carried out: other objects stand in the way. ``problems`` says which."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DropAllRefusedError(OrmViewsError):
    """A sync would drop every view of a database because none is registered."""


class StalePlanError(OrmViewsError):
    """The plan that was confirmed is no longer what a sync would do."""


class SyncFailedError(OrmViewsError):
    """PostgreSQL refused a step; its transaction was rolled back and nothing has changed."""


class RefreshError(OrmViewsError):
    """A materialised view could not be refreshed.

    Where several were to be, ``results`` has a ``RefreshResult`` for each, those that succeeded among them.
    """

    def __init__(self, message: str, results: Sequence[Any] = ()) -> None:
        self.results = tuple(results)
        super().__init__(message)


class ReadOnlyViewError(OrmViewsError):
    """A readable view was to be written, and its class does not say ``updatable = True``."""


class RowsUnavailableError(OrmViewsError):
    """The rows of a view cannot be read: not populated, too slow for the time-out, or not readable by us."""


class LockNotAvailableError(OrmViewsError):
    """Other sessions held a lock for longer than ``ORM_VIEWS["LOCK_WAIT"]``."""
