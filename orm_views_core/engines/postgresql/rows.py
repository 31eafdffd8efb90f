"""Counts and rows of views: read-only, under a time-out, and rolled back."""

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

from .errors import sqlstate

_LOCKED = "55P03"  # lock_not_available
_TOO_SLOW = {"57014", _LOCKED}  # query_canceled by statement_timeout
_NOT_POPULATED = "55000"
_UNDEFINED_TABLE, _UNDEFINED_COLUMN = "42P01", "42703"

# The planner's estimate for any number of views in one round trip. EXPLAIN is no query that could be joined,
# so a block loops over the views, which it finds in a setting of the transaction and leaves its estimates in.
# A view that cannot be planned (no privilege, not populated, locked) is left out: its status says why.
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
    """How many rows a view has: exactly, or as the planner estimates; None when neither is known."""

    rows: int | None
    exact: bool


@dataclass(frozen=True)
class RowPage:
    """Some rows of a view, in the order of its columns.

    Attributes:
        has_more: whether further rows follow; the whole is never counted.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    has_more: bool


@contextmanager
def reading(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[CursorWrapper]:
    """Give a cursor whose transaction can only read, stops after some seconds and is rolled back.

    ``lock_timeout`` too: a view that is being refreshed would otherwise use up all of the time.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('transaction_read_only', 'on', true),"
            " set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
            [f"{_milliseconds(seconds)}ms", f"{_lock_milliseconds(seconds)}ms"],
        )
        yield cursor
        # Also takes the settings back where this is a savepoint of a longer transaction.
        transaction.set_rollback(True, using=connection.alias)


@contextmanager
def limiting(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Have a transaction in which each statement stops after some seconds, or when a lock cannot be had.

    It is committed: unlike that of :func:`reading`, it may have statements in it that are not ours. The
    settings of a longer transaction come back at the end of it.
    """
    inside = connection.in_atomic_block
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        before: Sequence[Any] = ()
        if inside:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            before = cursor.fetchone()
        _set_timeouts(cursor, f"{_milliseconds(seconds)}ms", f"{_lock_milliseconds(seconds)}ms")
        yield
        if inside:
            _set_timeouts(cursor, *before)


def _set_timeouts(cursor: CursorWrapper, statement: str, lock: str) -> None:
    cursor.execute(
        "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
        [statement, lock],
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _lock_milliseconds(seconds: float) -> int:
    return _milliseconds(min(seconds, get_settings().LOCK_TIMEOUT))


def estimate_rows(database: str, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the planner's estimates, in a number of queries that does not depend on that of the views.

    Args:
        database: the alias.
        names: views; those that cannot be planned are left out, and all when PREVIEW_TIMEOUT is over.
    """
    if not names:
        return {}
    by_text = {name.quoted: name for name in names}
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT) as cursor:
            cursor.execute(
                # A page waits for these: a view that is being refreshed may cost it an instant.
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
    """Count a view's rows; when COUNT_TIMEOUT is over, return the planner's estimate instead.

    Raises:
        RowsUnavailableError: when the view cannot be read at all.
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

    Filters are in the estimate, as far as the planner's statistics tell.

    Raises:
        DatabaseError: when it cannot be read at all; :func:`unavailable` puts that into words.
    """
    connection = get_connection(queryset.db)
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT):
            return RowCount(queryset.count(), exact=True)
    except DatabaseError as error:
        if sqlstate(error) not in _TOO_SLOW:
            raise
    with reading(connection, get_settings().PREVIEW_TIMEOUT):
        # Without an order: nothing has to be sorted to say how many there are.
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
        offset: how many rows to pass over.
        order_by: columns, ``-`` in front for descending.
        contains: for a column, text that its value must contain, in any case.

    Raises:
        RowsUnavailableError: when it is not there, not populated, too slow, or not readable by us.
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
    except (ValueError, OverflowError) as error:  # from the driver: a date before our era, say
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
    relation = f"{_quoted(name.schema)}.{_quoted(name.name)}"
    return f"SELECT {listed} FROM {relation}{where}{order}", [*contains.values()]


def _quoted(identifier: str) -> str:
    """Quote a name that may have a per cent sign, which the driver would take for a placeholder."""
    return quote_identifier(identifier).replace("%", "%%")


def unavailable(name: ViewName, error: DatabaseError) -> RowsUnavailableError:
    """Return the error that says in words why the rows of a view could not be read, and what to do."""
    code = sqlstate(error)
    if code == _LOCKED:
        return RowsUnavailableError(f"{name} is locked: it is being refreshed or changed. Try again later.")
    if code in _TOO_SLOW:
        timeout = f"{get_settings().PREVIEW_TIMEOUT:g} s (ORM_VIEWS['PREVIEW_TIMEOUT'])"
        return RowsUnavailableError(f"The rows of {name} did not come within {timeout}.")
    if code == _NOT_POPULATED and name.name not in str(error):
        return RowsUnavailableError(f"{name} cannot be read yet: {str(error).strip().splitlines()[0]}.")
    if code == _NOT_POPULATED:
        return RowsUnavailableError(f"{name} has no rows yet: it is not populated. Refresh it first.")
    if code == _UNDEFINED_TABLE and name.name in str(error):
        return RowsUnavailableError(f"{name} is not in the database. Sync it first.")
    if code == _UNDEFINED_COLUMN:
        why = str(error).strip().splitlines()[0]
        return RowsUnavailableError(f"{name} is not as its class says: {why}. Sync it first.")
    return RowsUnavailableError(f"The rows of {name} cannot be read: {str(error).strip()}")
