"""The errors of this package. Each message says what is wrong, where, and what to do.

Example:
    >>> from orm_views_core.exceptions import OrmViewsError
    >>> from orm_views_core.refresh import refresh_views
    >>> try:
    ...     refresh_views(["loan_bok"])
    ... except OrmViewsError as error:
    ...     print(error)
    No registered view is called 'loan_bok'. Did you mean loan_book or views.loan_book?
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .quoting import Quoting, joined
from .sentences import NOTHING, Sentence


class OrmViewsError(Exception):
    """The base class of all errors of this package. ``str()`` is the whole message, in English.

    ``orm_views_core.sentences.translate()`` returns it in the language of the reader.
    """

    def __init__(self, message: Sentence = NOTHING) -> None:
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        # Not every class takes the message alone, as unpickling would give it.
        return type(self).__new__, (type(self), *self.args), self.__dict__

    @property
    def message(self) -> Quoting:
        """The message, with what it quotes. Of an error with a cause, all may be a quote."""
        if self.args and isinstance(self.args[0], Quoting):
            return self.args[0]
        said = self.args[0] if self.args and isinstance(self.args[0], Sentence) else Sentence(self)
        return Quoting(said, said.summary if self.__cause__ is None else f"{type(self).__name__}.")

    @property
    def summary(self) -> Sentence:
        """The message for those who may not see rows: without what PostgreSQL said, which may quote them."""
        return self.message.summary


def joined_errors(errors: Iterable[OrmViewsError]) -> Quoting:
    """Return the messages of some errors as one."""
    return joined(error.message for error in errors)


class CyclicDependencyError(OrmViewsError):
    """Views depend on each other in a circle, so that none of them can be created first.

    Attributes:
        names: the views of the circle.
    """

    names: Sequence[Any] = ()


class InvalidViewDependencies(OrmViewsError):  # noqa: N818 - the name in django-orm-views
    """``view_dependencies`` has something that a view cannot depend on, such as another database's view."""


#: The spelling in django-orm-views 2.0.3.
InvalidViewDepencies = InvalidViewDependencies


class ViewModuleError(OrmViewsError):
    """The import of a module that declares views fails."""


class DuplicateViewError(OrmViewsError):
    """Two views, or their indexes, have the same name in one database."""


class InvalidViewError(OrmViewsError):
    """A view class is invalid: it has no SQL, two statements, too long a name, or an invalid option."""


class InvalidViewsError(InvalidViewError):
    """Several view classes are invalid. ``errors`` has one exception for each."""

    def __init__(self, errors: Sequence[OrmViewsError]) -> None:
        self.errors = tuple(errors)
        super().__init__(joined_errors(self.errors))


class ViewSQLError(InvalidViewError):
    """PostgreSQL rejects the SQL of a view. ``why`` says why, without the place; "" if that is unknown."""

    def __init__(self, message: Sentence, why: Sentence = NOTHING) -> None:
        self.why = why
        super().__init__(message)


class UnsupportedDatabaseError(OrmViewsError):
    """A database alias is unknown, or its database is not PostgreSQL."""


class DatabaseUnavailableError(OrmViewsError):
    """The connection to a database fails."""


class MissingRoleError(OrmViewsError):
    """A role that is named does not exist: one that should get SELECT, or one as which to look at views."""


class UnknownViewError(OrmViewsError):
    """No registered view has the given name."""


class UnknownNameError(OrmViewsError):
    """No view, table, model or column has the given name, or several have it."""


class PersonalFieldError(OrmViewsError):
    """What is marked as personal is no field with a column of its own, or no field at all."""


class PlanBlockedError(OrmViewsError):
    """A plan cannot be executed because of other objects. ``problems`` names them."""

    def __init__(self, problems: Sequence[Sentence]) -> None:
        self.problems = tuple(problems)
        super().__init__(joined(self.problems))


class DropAllRefusedError(OrmViewsError):
    """A sync would drop all views of a database, because no view is registered for it."""


class StalePlanError(OrmViewsError):
    """The sync would no longer execute the plan that was confirmed."""


class SyncFailedError(OrmViewsError):
    """The database rejected a step. If a sync is all or nothing there, nothing has changed."""


class RefreshError(OrmViewsError):
    """The refresh of a materialised view failed.

    If several views were refreshed, ``results`` has a ``RefreshResult`` for each of them, including the
    successful ones.
    """

    def __init__(self, message: Sentence, results: Sequence[Any] = ()) -> None:
        self.results = tuple(results)
        super().__init__(message)


class ReadOnlyViewError(OrmViewsError):
    """The ORM would write to a readable view whose class does not set ``updatable = True``."""


class SkippedViewError(UnknownViewError):
    """A view is read in a database where it is not, because its class is for other engines."""


class RowsUnavailableError(OrmViewsError):
    """The rows of a view cannot be read: not populated, timed out, not trusted, or for want of a privilege.

    ``rows`` is their number by PostgreSQL's statistics if the view is not trusted; else None.
    """

    def __init__(self, message: Sentence, rows: int | None = None) -> None:
        self.rows = rows
        super().__init__(message)


class MaskedColumnError(RowsUnavailableError):
    """Rows were to be sorted or filtered by a column whose values are masked: that would tell the values."""


class BadConditionError(RowsUnavailableError):
    """Rows were to be chosen by a condition that the type of its column does not allow.

    ``column``, ``type`` and ``value`` are the column's name, its type, and the value that is none of that
    type; ``value`` is "" if the condition has an operator or a number of values that does not fit.
    """

    def __init__(self, message: Sentence, *, column: str, type_: str, value: str) -> None:
        self.column, self.type, self.value = column, type_, value
        super().__init__(message)


class RowsChangedError(RowsUnavailableError):
    """A row that was shown is not in its place any more, or has another value."""


class LockNotAvailableError(OrmViewsError):
    """Other sessions held a lock for longer than ``ORM_VIEWS["LOCK_WAIT"]`` or ``["SYNC_WAIT"]``."""


class CatalogueError(OrmViewsError):
    """The catalogue cannot be written: its directory has other files, or the system refuses."""


__all__ = [
    "BadConditionError",
    "CatalogueError",
    "CyclicDependencyError",
    "DatabaseUnavailableError",
    "DropAllRefusedError",
    "DuplicateViewError",
    "InvalidViewDepencies",
    "InvalidViewDependencies",
    "InvalidViewError",
    "InvalidViewsError",
    "LockNotAvailableError",
    "MaskedColumnError",
    "MissingRoleError",
    "OrmViewsError",
    "PersonalFieldError",
    "PlanBlockedError",
    "ReadOnlyViewError",
    "RefreshError",
    "RowsChangedError",
    "RowsUnavailableError",
    "SkippedViewError",
    "StalePlanError",
    "SyncFailedError",
    "UnknownNameError",
    "UnknownViewError",
    "UnsupportedDatabaseError",
    "ViewModuleError",
    "ViewSQLError",
]
