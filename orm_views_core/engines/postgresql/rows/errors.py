"""Why rows of a view cannot be read, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.postgresql.catalog.dependencies import read_view_reads
from orm_views_core.engines.postgresql.errors.diagnostics import (
    NOT_IN_ENCODING,
    NOT_IN_STATE,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    is_canceled,
    is_lock_timeout,
    primary_message,
    quoting,
    sqlstate,
)
from orm_views_core.engines.postgresql.errors.functions import naming_functions
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting, unquoted


class TimeLimit(NamedTuple):
    """How long rows may be read.

    Attributes:
        seconds: the limit.
        setting: the setting that it comes from, as a message names it.
    """

    seconds: float
    setting: str

    def __str__(self) -> str:
        return f"{self.seconds:g} s ({self.setting})"


def page_limit() -> TimeLimit:
    """Return the limit of a page."""
    return TimeLimit(get_settings().PREVIEW_TIMEOUT, "ORM_VIEWS['PREVIEW_TIMEOUT']")


def too_slow(name: ViewName, limit: TimeLimit) -> str:
    """Return the message about rows that did not come in time."""
    return f"The rows of {name} did not come within {limit}."


def unavailable(
    name: ViewName, error: DatabaseError, connection: BaseDatabaseWrapper, limit: TimeLimit | None = None
) -> RowsUnavailableError:
    """Return the error that says why the rows of a view could not be read, and what to do.

    Args:
        limit: how long they could be read; None for that of a page.
    """
    why = _why_not_there(connection, name, error) or _why_unavailable(name, error, limit or page_limit())
    (named,) = naming_functions(connection, [RowsUnavailableError(why)])
    return named


def is_too_slow(error: DatabaseError) -> bool:
    """Return whether a limit of time has ended a statement, or its wait for a lock."""
    return is_canceled(error) or is_lock_timeout(error)


def _why_not_there(connection: BaseDatabaseWrapper, name: ViewName, error: DatabaseError) -> Quoting | None:
    """Return why a view has no rows to read, if the catalogs say that it has none; None if they do not.

    What a function in the view raises may have the same SQLSTATE, and name anything.
    """
    if sqlstate(error) not in {NOT_IN_STATE, UNDEFINED_TABLE}:
        return None
    try:
        with transaction.atomic(using=connection.alias):
            views = read_view_reads(connection, [name])
    except DatabaseError:  # the caller's transaction may be aborted
        return None
    if name not in views.reads:
        return unquoted(f"{name} is not in the database. Sync it first.")
    if name in views.empty:
        return unquoted(f"{name} has no rows yet: it is not populated. Refresh it first.")
    if sources := sorted(views.empty_sources(name)):
        return unquoted(f"{name} cannot be read yet: {sources[0]} has no rows. Refresh that first.")
    return None


def _why_unavailable(name: ViewName, error: DatabaseError, limit: TimeLimit) -> Quoting:
    code, message = sqlstate(error), primary_message(error)
    if is_lock_timeout(error):
        return unquoted(f"{name} is locked: it is being refreshed or changed. Try again later.")
    if is_canceled(error):
        return unquoted(too_slow(name, limit))
    if code == UNDEFINED_COLUMN:
        what, advice = f"{name} is not as its class says", "Sync it first."
        return quoting(f"{what}: {message}. {advice}", f"{what}. {advice}", error)
    what = f"The rows of {name} cannot be read"
    if code == NOT_IN_ENCODING:
        # Any other database checks each text when it is stored.
        why = (
            "A database with the encoding SQL_ASCII may have texts in any encoding, and may cut a character."
        )
        return quoting(f"{what}: {message}. {why}", f"{what}. {why}", error)
    return quoting(f"{what}: {str(error).strip()}", f"{what}.", error)
