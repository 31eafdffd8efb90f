"""System checks that read the rows of views, within ``ORM_VIEWS["COUNT_TIMEOUT"]``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator

from django.core.checks import CheckMessage
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.engines.postgresql.untrusted import judge, lock_view
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewKind, quote_identifier

from .messages import message
from .synced_views import SyncedView


def check_values(connection: BaseDatabaseWrapper, views: Iterable[SyncedView]) -> list[CheckMessage]:
    """Run the checks W013 and W014 on readable views.

    They run before every migrate, so all of them together take no longer than COUNT_TIMEOUT. Materialised
    views come first, small ones before large ones. Views for which no time is left are not checked.
    """
    deadline = time.monotonic() + get_settings().COUNT_TIMEOUT
    messages: list[CheckMessage] = []
    populated = {view.definition.name: view for view in views if view.installed.populated}
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT) as cursor:
            judged = judge(cursor, connection.alias, populated, in_page=False)
    except DatabaseError:
        return messages
    # The pages of the others say why they are not read.
    trusted = [populated[name] for name, judgement in judged.items() if not judgement.why_not]
    for view, check in itertools.product(sorted(trusted, key=_cost), (_check_nulls, _check_key)):
        remaining = deadline - time.monotonic()
        if remaining < 0.001:  # The shortest timeout of PostgreSQL, for which 0 means none.
            break
        try:
            with reading(connection, remaining) as cursor:
                lock_view(cursor, {view.definition.name: judged[view.definition.name]})
                messages += check(cursor, view)
        except (DatabaseError, RowsUnavailableError):
            # The query is too slow, the view is locked, the role may not read it, or a row raises an error. A
            # query of the project will report it. migrate does not read the view.
            continue
    return messages


def _cost(view: SyncedView) -> tuple[bool, float]:
    rows = view.installed.rows
    return view.definition.kind is ViewKind.VIEW, float("inf") if rows is None else rows


def _check_nulls(cursor: CursorWrapper, view: SyncedView) -> Iterator[CheckMessage]:
    """orm_views_core.W013: a column has NULLs, and its field does not allow NULL."""
    fields = [field for field in view.fields if not field.null and field.column in view.column_names]
    if not fields:
        return
    has_nulls = ", ".join(f"pg_catalog.bool_or({quote_identifier(field.column)} IS NULL)" for field in fields)
    cursor.execute(f"SELECT {has_nulls} FROM {view.definition.name.quoted}")
    for field, is_null in zip(fields, cursor.fetchone(), strict=True):
        if not is_null:
            continue
        column = field.column
        if field in view.view._meta.pk_fields:
            what = "the key"
            hint = f"Leave those rows out (WHERE {column} IS NOT NULL), or make other columns the key."
        else:
            what = "not null=True"
            hint = f"Write null=True, blank=True in the field, or coalesce({column}, …) in the SQL."
        problem = f"its field {field.name!r} is {what}, but the column {column!r} has NULLs."
        yield message("W013", view.view, problem, hint)


def _check_key(cursor: CursorWrapper, view: SyncedView) -> Iterator[CheckMessage]:
    """orm_views_core.W014: several rows have the same key."""
    key = [str(field.column) for field in view.view._meta.pk_fields]
    if not set(key) <= set(view.column_names) or any(unique <= set(key) for unique in view.unique):
        return
    quoted = [quote_identifier(column) for column in key]
    complete = " AND ".join(f"{column} IS NOT NULL" for column in quoted)
    cursor.execute(
        f"SELECT pg_catalog.count(*) FROM {view.definition.name.quoted} WHERE {complete}"
        f" GROUP BY {', '.join(quoted)} HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1"
        " ORDER BY 1 DESC LIMIT 1"
    )
    if row := cursor.fetchone():
        columns = f"column{'s' if len(key) > 1 else ''} {', '.join(map(repr, key))}"
        problem = f"its key, {columns}, is not unique: {row[0]} rows have the same value."
        hint = "Add columns to the key: pk = models.CompositePrimaryKey(…). Or GROUP BY the key in the SQL."
        yield message("W014", view.view, problem, hint)
