"""Why rows of a view cannot be read, and what to do."""

from __future__ import annotations

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.asked import absent
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
from orm_views_core.engines.time_limits import TimeLimit, page_limit, too_slow
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting, unquoted
from orm_views_core.sentences import Sentence, listed, says


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
        return unquoted(absent(name))
    if name in views.empty:
        return unquoted(says("%(view)s has no rows yet: it is not populated. Refresh it first.", view=name))
    if sources := sorted(views.empty_sources(name)):
        return unquoted(
            says(
                "%(view)s cannot be read yet: %(source)s has no rows. Refresh that first.",
                view=name,
                source=sources[0],
            )
        )
    return None


def _why_unavailable(name: ViewName, error: DatabaseError, limit: TimeLimit) -> Quoting:
    code, message = sqlstate(error), primary_message(error)
    if is_lock_timeout(error):
        return unquoted(
            says("%(view)s is locked: it is being refreshed or changed. Try again later.", view=name)
        )
    if is_canceled(error):
        return unquoted(too_slow(name, limit))
    if code == UNDEFINED_COLUMN:
        what, advice = says("%(view)s is not as its class says", view=name), says("Sync it first.")
        return _quoting(what, message, advice, error)
    what = says("The rows of %(view)s cannot be read", view=name)
    if code == NOT_IN_ENCODING:
        # Any other database checks each text when it is stored.
        why = says(
            "A database with the encoding SQL_ASCII may have texts in any encoding, and may cut a character."
        )
        return _quoting(what, message, why, error)
    return quoting(listed([what, str(error).strip()], ": "), says("%(what)s.", what=what), error)


def _quoting(what: Sentence, message: str, advice: Sentence, error: DatabaseError) -> Quoting:
    whole = says("%(what)s: %(message)s. %(advice)s", what=what, message=message, advice=advice)
    return quoting(whole, says("%(what)s. %(advice)s", what=what, advice=advice), error)
