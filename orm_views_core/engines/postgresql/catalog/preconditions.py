"""TODO."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Taken
from orm_views_core.names import ViewName

from . import queries
from .fetch import asked, fetch


def read_taken(connection: BaseDatabaseWrapper, names: Collection[ViewName]) -> dict[ViewName, Taken]:
    """Return what has some names already, whether they are to be those of views or of indexes."""
    if not names:
        return {}
    with connection.cursor() as cursor:
        rows = fetch(cursor, queries.TAKEN, asked(names))
    return {
        ViewName(schema, name): Taken(what, ViewName(table_schema, table) if table else None)
        for schema, name, what, table_schema, table in rows
    }


def read_unreadable(
    cursor: CursorWrapper, names: Collection[ViewName]
) -> tuple[str, dict[ViewName, list[ViewName]]]:
    """Return who we are, and what some plain views of ours read and we may not."""
    if not names:
        return "", {}
    cursor.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:  # who may read everything
        return "", {}
    rows = fetch(cursor, queries.UNREADABLE, asked(names))
    found: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    for _, schema, name, read_schema, read in rows:
        found[ViewName(schema, name)].append(ViewName(read_schema, read))
    return (rows[0][0] if rows else ""), found
