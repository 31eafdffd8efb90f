"""Counts and rows of views, read in transactions that are read-only, have time-outs and are rolled back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from orm_views_core.conf import get_settings
from orm_views_core.database.relations import Column
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.introspection import read_columns
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName, quote_identifier

from .errors import primary_message, sqlstate

_LOCKED = "55P03"  # lock_not_available
_TOO_SLOW = {"57014", _LOCKED}  # query_canceled by statement_timeout
_NOT_POPULATED = "55000"
_UNDEFINED_TABLE, _UNDEFINED_COLUMN = "42P01", "42703"

# Sets the time-outs of a transaction and returns the ones that it had.
_LIMIT = """
SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
       set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
       CASE WHEN %s THEN set_config('transaction_read_only', 'on', true) END
"""

# The planner's estimates for any number of views in one round trip. EXPLAIN cannot be part of a query, so a
# DO block loops over the views. A DO block has neither parameters nor a result, so a setting of the
# transaction passes the names in and the estimates out. A view that cannot be planned (no privilege, not
# populated, locked) has no estimate; its status says why.
_ESTIMATE = """
DO $orm_views$
DECLARE
    view text;
    plan json;
    estimates jsonb := '{}';
BEGIN
    FOR view IN SELECT jsonb_array_elements_text(current_setting('orm_views.estimates')::jsonb) LOOP
        BEGIN
            EXECUTE 'EXPLAIN (FORMAT JSON) SELECT * FROM ' || view INTO plan;
            estimates := estimates || jsonb_build_object(view, (plan->0->'Plan'->>'Plan Rows')::numeric);
        EXCEPTION WHEN OTHERS THEN
            estimates := estimates || jsonb_build_object(view, NULL);
        END;
    END LOOP;
    PERFORM set_config('orm_views.estimates', estimates::text, true);
END
$orm_views$
"""


@dataclass(frozen=True)
class RowCount:
    """How many rows a view has, as counted or as the planner estimates.

    Attributes:
        rows: the number; None when neither could be had.
        exact: whether the rows were counted.
    """

    rows: int | None
    exact: bool


@dataclass(frozen=True)
class RowPage:
    """Some rows of a view.

    Attributes:
        columns: all columns of the view.
        rows: the values of each row, in the order of ``columns``.
        has_more: whether more rows follow; how many is not counted.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    has_more: bool


@contextmanager
def reading(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[CursorWrapper]:
    """Give a cursor in a transaction that is read-only and is rolled back at the end.

    Args:
        connection: the database.
        seconds: the limit of each statement. A wait for a lock is also limited by LOCK_TIMEOUT, because
            otherwise a view that is being refreshed would use up all of this time.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _limit(cursor, seconds, read_only=True)
        yield cursor
        # This also restores the settings where the block is a savepoint of a longer transaction.
        transaction.set_rollback(True, using=connection.alias)


@contextmanager
def limiting(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Limit the statements of a block and their waits for locks, like :func:`reading`, and commit the block.

    It is committed because it may contain statements of other code. A transaction around the block gets its
    settings back.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        timeouts = _limit(cursor, seconds, read_only=False)
        yield
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)", timeouts
        )


def _limit(cursor: CursorWrapper, seconds: float, *, read_only: bool) -> list[str]:
    """Limit the statements of a transaction; return its former ``statement_timeout`` and ``lock_timeout``."""
    limits = (seconds, min(seconds, get_settings().LOCK_TIMEOUT))
    cursor.execute(_LIMIT, [*(f"{round(limit * 1000)}ms" for limit in limits), read_only])
    statement_timeout, lock_timeout, *_ = cursor.fetchone()
    return [statement_timeout, lock_timeout]


def estimate_rows(database: str, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the planner's estimates of the rows of some views.

    The number of queries does not depend on the number of views. Views that cannot be planned are left out;
    all are left out when PREVIEW_TIMEOUT is over.
    """
    if not names:
        return {}
    by_text = {name.quoted: name for name in names}
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT) as cursor:
            cursor.execute(
                # A page waits for the estimates, so a view that is being refreshed may delay it only so long.
                "SELECT set_config('orm_views.estimates', %s, true),"
                " set_config('lock_timeout', '10ms', true)",
                [json.dumps(list(by_text))],
            )
            cursor.execute(_ESTIMATE)
            cursor.execute("SELECT current_setting('orm_views.estimates')")
            estimates = json.loads(cursor.fetchone()[0])
    except DatabaseError as error:
        if sqlstate(error) not in _TOO_SLOW:
            raise
        return {}
    return {by_text[text]: int(rows) for text, rows in estimates.items() if rows is not None}


def count_rows(database: str, name: ViewName) -> RowCount:
    """Count the rows of a view; when COUNT_TIMEOUT is over, return the planner's estimate instead.

    Raises:
        RowsUnavailableError: when the view cannot be read.
    """
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT) as cursor:
            cursor.execute(f"SELECT count(*) FROM {name.quoted}")
            return RowCount(cursor.fetchone()[0], exact=True)
    except DatabaseError as error:
        if sqlstate(error) not in _TOO_SLOW:
            raise unavailable(name, error) from error
    return RowCount(estimate_rows(database, [name]).get(name), exact=False)


def count_queryset(queryset: QuerySet[Any, Any]) -> RowCount:
    """Count the rows of a queryset; when COUNT_TIMEOUT is over, return the planner's estimate instead.

    The estimate takes filters into account, as far as the planner's statistics allow.

    Raises:
        DatabaseError: when the queryset cannot be read; :func:`unavailable` turns this into a message.
    """
    connection = get_connection(queryset.db)
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT):
            return RowCount(queryset.count(), exact=True)
    except DatabaseError as error:
        if sqlstate(error) not in _TOO_SLOW:
            raise
    with reading(connection, get_settings().PREVIEW_TIMEOUT):
        # Without its order: the plan need not sort the rows.
        plan = json.loads(queryset.order_by().explain(format="json"))
    plan = plan[0] if isinstance(plan, list) else plan  # the drivers differ
    return RowCount(int(plan["Plan"]["Plan Rows"]), exact=False)


def read_rows(
    database: str,
    name: ViewName,
    *,
    limit: int,
    offset: int = 0,
    order_by: Sequence[str] = (),
    contains: Mapping[str, str] | None = None,
) -> RowPage:
    """Read some rows of a view.

    Args:
        database: the alias.
        name: the view.
        limit: how many rows at most.
        offset: how many rows to skip.
        order_by: columns; a ``-`` in front means descending.
        contains: for each of these columns, text that its value must contain, ignoring case.

    Raises:
        RowsUnavailableError: when the view does not exist, is not populated, takes too long, or may not be
            read by our role.
    """
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT) as cursor:
            columns = _columns(cursor, name)
            sql, params = _select(name, columns, order_by, contains or {})
            cursor.execute(f"{sql} LIMIT %s OFFSET %s", [*params, limit + 1, offset])
            rows = cursor.fetchall()
    except DatabaseError as error:
        raise unavailable(name, error) from error
    except (ValueError, OverflowError) as error:  # of the driver, for example for a date BC
        raise RowsUnavailableError(f"{name} has a value that Python cannot hold: {error}") from error
    return RowPage(columns, tuple(rows[:limit]), has_more=len(rows) > limit)


def _columns(cursor: CursorWrapper, name: ViewName) -> tuple[Column, ...]:
    cursor.execute("SELECT to_regclass(%s)::oid", [name.quoted])
    (oid,) = cursor.fetchone()
    if oid is None:
        raise RowsUnavailableError(f"{name} is not in the database. Sync it first.")
    return tuple(read_columns(cursor, [oid]).get(oid, ()))


def _select(
    name: ViewName, columns: Sequence[Column], order_by: Sequence[str], contains: Mapping[str, str]
) -> tuple[str, list[str]]:
    known = {column.name for column in columns}
    for column in [*contains, *(key.removeprefix("-") for key in order_by)]:
        if column not in known:
            raise RowsUnavailableError(f"{name} has no column {column!r}; it has {', '.join(sorted(known))}.")
    listed = ", ".join(_quoted(column.name) for column in columns)
    conditions = [f"strpos(lower({_quoted(column)}::text), lower(%s)) > 0" for column in contains]
    keys = [_quoted(key.removeprefix("-")) + (" DESC" if key.startswith("-") else "") for key in order_by]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    return f"SELECT {listed} FROM {name.quoted.replace('%', '%%')}{where}{order}", [*contains.values()]


def _quoted(identifier: str) -> str:
    """Quote a name for a statement with parameters, in which a per cent sign begins a placeholder."""
    return quote_identifier(identifier).replace("%", "%%")


def unavailable(name: ViewName, error: DatabaseError) -> RowsUnavailableError:
    """Return the error that says why the rows of a view could not be read, and what to do."""
    code, message = sqlstate(error), primary_message(error)
    if code == _LOCKED:
        return RowsUnavailableError(f"{name} is locked: it is being refreshed or changed. Try again later.")
    if code in _TOO_SLOW:
        timeout = f"{get_settings().PREVIEW_TIMEOUT:g} s (ORM_VIEWS['PREVIEW_TIMEOUT'])"
        return RowsUnavailableError(f"The rows of {name} did not come within {timeout}.")
    if code == _NOT_POPULATED and name.name not in str(error):
        return RowsUnavailableError(f"{name} cannot be read yet: {message}.")
    if code == _NOT_POPULATED:
        return RowsUnavailableError(f"{name} has no rows yet: it is not populated. Refresh it first.")
    if code == _UNDEFINED_TABLE and name.name in str(error):
        return RowsUnavailableError(f"{name} is not in the database. Sync it first.")
    if code == _UNDEFINED_COLUMN:
        return RowsUnavailableError(f"{name} is not as its class says: {message}. Sync it first.")
    return RowsUnavailableError(f"The rows of {name} cannot be read: {str(error).strip()}")
