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

from .results import Task, why_unfilled


def explained(task: Task, error: OrmViewsError) -> OrmViewsError:
    """Return the error of a refresh with the view's name and, if it reads views without rows, theirs."""
    if empty := _empty_sources(task, error):
        what = f"{task.name} in database {task.database!r} could not be refreshed: {why_unfilled(empty)}."
        named = RefreshError(unquoted(what))
    elif closed := _closed(task, error):
        what = f"{task.name} in database {task.database!r} could not be refreshed: {why_closed(closed)}"
        named = RefreshError(unquoted(what))
    elif type(error) is SyncFailedError:  # it is about the connection or a statement, and names no view
        named = RefreshError(embedded(f"{task.name} could not be refreshed. ", error.message))
    else:
        return error
    named.__cause__ = error
    return named


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
