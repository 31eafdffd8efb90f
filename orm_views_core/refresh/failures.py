"""Why a refresh failed, with the view, and with what to do."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from django.db import DatabaseError

from orm_views_core.database.ownership import Closed, why_closed
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.dependencies import read_view_reads
from orm_views_core.engines.postgresql.catalog.preconditions import read_oids
from orm_views_core.engines.postgresql.catalog.rights import read_closed
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.errors.diagnostics import (
    INSUFFICIENT_PRIVILEGE,
    NOT_IN_STATE,
    sqlstate,
)
from orm_views_core.exceptions import OrmViewsError, RefreshError, SyncFailedError
from orm_views_core.names import ViewName
from orm_views_core.quoting import embedded, unquoted
from orm_views_core.sentences import Sentence, says

from .results import Task, why_unfilled


def explained(task: Task, error: OrmViewsError) -> OrmViewsError:
    """Return the error of a refresh with the view's name and, if it reads views without rows, theirs."""
    if empty := _empty_sources(task, error):
        named = RefreshError(unquoted(_failed(task, says("%(why)s.", why=why_unfilled(empty)))))
    elif closed := _closed(task, error):
        named = RefreshError(unquoted(_failed(task, why_closed(closed))))
    elif type(error) is SyncFailedError:  # it is about the connection or a statement, and names no view
        named = RefreshError(
            embedded(says("%(view)s could not be refreshed. %(why)s", view=task.name, why=error.message))
        )
    else:
        return error
    named.__cause__ = error
    return named


def why_not_there(task: Task, relkind: str | None) -> Sentence:
    """Return that there is no materialised view to refresh.

    Args:
        task: the refresh.
        relkind: PostgreSQL's letter for what has the name; None when nothing has it.
    """
    facts = {"where": task.where, "view": task.name, "database": task.database}
    if relkind is None:
        return says(
            "%(where)s: %(view)s is not there in database %(database)r. Run sync_views first.", **facts
        )
    if relkind == "v":
        return says(
            "%(where)s: %(view)s is a view there in database %(database)r. Run sync_views first.", **facts
        )
    return says(
        "%(where)s: %(view)s is no view there in database %(database)r. Run sync_views first.", **facts
    )


def _failed(task: Task, why: Sentence) -> Sentence:
    return says(
        "%(view)s in database %(database)r could not be refreshed: %(why)s",
        view=task.name,
        database=task.database,
        why=why,
    )


def _closed(task: Task, error: OrmViewsError) -> Collection[Closed]:
    """Return the missing rights because of which a refresh failed."""
    if error.__cause__ is None or sqlstate(error.__cause__) != INSUFFICIENT_PRIVILEGE:
        return ()
    with suppress(OrmViewsError, DatabaseError):
        connection = get_connection(task.database)
        oids = read_oids(connection, [task.name])
        with catalog_cursor(connection) as cursor:
            return read_closed(cursor, list(oids.values())).get(oids.get(task.name, 0), ())
    return ()


def _empty_sources(task: Task, error: OrmViewsError) -> Collection[ViewName]:
    """Return the materialised views without rows because of which a refresh failed."""
    if error.__cause__ is not None and sqlstate(error.__cause__) == NOT_IN_STATE:
        with suppress(OrmViewsError, DatabaseError):
            return read_view_reads(get_connection(task.database), [task.name]).empty_sources(task.name)
    return ()
