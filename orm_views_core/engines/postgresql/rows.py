"""Counts and rows of views, for pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from orm_views_core.conf import get_settings
from orm_views_core.database.relations import Column
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.dependencies import read_view_reads
from orm_views_core.engines.postgresql.catalog.introspection import read_columns
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.exceptions import MaskedColumnError, RowsUnavailableError
from orm_views_core.names import ViewName, quote_identifier
from orm_views_core.quoting import Quoting, unquoted
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions

from .errors.diagnostics import (
    NOT_IN_STATE,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    is_canceled,
    is_lock_timeout,
    primary_message,
    quoting,
    sqlstate,
)
from .errors.functions import naming_functions
from .reading import reading
from .untrusted import Judgement, for_each, judge, lock_views

# EXPLAIN cannot be part of a query. A view that cannot be planned (no privilege, not populated) has no
# estimate; its status says why.
_EXPLAIN = "EXECUTE pg_catalog.concat('EXPLAIN (FORMAT JSON) SELECT * FROM ', name) INTO plan;"
_ESTIMATE = "pg_catalog.json_extract_path_text(plan, '0', 'Plan', 'Plan Rows')"

# The path of the project is in force here, because functions that a view calls may look names up along it.
_CONTAINS = (
    "pg_catalog.strpos(pg_catalog.lower({}::pg_catalog.text), pg_catalog.lower(%s::pg_catalog.text))"
    " OPERATOR(pg_catalog.>) 0"
)


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
        masked: the names of the columns whose values were not read. In the rows they are None.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    has_more: bool
    masked: frozenset[str] = frozenset()


def judge_views(database: str, names: Collection[ViewName]) -> dict[ViewName, Judgement]:
    """Decide whose rows a page may read. Views that are not in the database are left out."""
    with reading(get_connection(database), get_settings().PREVIEW_TIMEOUT) as cursor:
        return judge(cursor, database, names, in_page=True)


def estimate_rows(database: str, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the planner's estimates of the rows of some views.

    A view whose rows may not be read is not planned: its estimate comes from PostgreSQL's statistics if it is
    a materialised view. The number of queries does not depend on the number of views. Views without an
    estimate are left out; all are left out when PREVIEW_TIMEOUT is over.
    """
    if not names:
        return {}
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT) as cursor:
            # A page waits for the estimates, so a view that is being refreshed may delay it only so long.
            cursor.execute("SELECT pg_catalog.set_config('lock_timeout', '10ms', true)")
            judged = judge(cursor, database, names, in_page=True)
            estimates = {name: found.rows for name, found in judged.items() if found.why_not}
            readable = {name: found for name, found in judged.items() if not found.why_not}
            estimates |= _plan(cursor, lock_views(cursor, readable))
    except DatabaseError as error:
        if not _is_too_slow(error):
            raise
        return {}
    return {name: rows for name, rows in estimates.items() if rows is not None}


def _plan(cursor: CursorWrapper, names: Collection[ViewName]) -> dict[ViewName, int]:
    """Return the planner's estimates of the rows of some views, which are locked and may be read."""
    by_text = {name.quoted: name for name in names}
    estimates = for_each(cursor, by_text, _EXPLAIN, _ESTIMATE)
    return {by_text[text]: int(rows) for text, rows in estimates.items()}


def count_rows(database: str, name: ViewName) -> RowCount:
    """Count the rows of a view; when COUNT_TIMEOUT is over, return the planner's estimate instead.

    Raises:
        RowsUnavailableError: when the view cannot be read.
    """
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT, name) as cursor:
            cursor.execute(f"SELECT pg_catalog.count(*) FROM {name.quoted}")
            return RowCount(cursor.fetchone()[0], exact=True)
    except DatabaseError as error:
        if not _is_too_slow(error):
            raise unavailable(name, error, connection) from error
    return RowCount(estimate_rows(database, [name]).get(name), exact=False)


def count_queryset(queryset: QuerySet[Any, Any]) -> RowCount:
    """Count the rows of a view's queryset; when COUNT_TIMEOUT is over, return the planner's estimate instead.

    The estimate takes filters into account, as far as the planner's statistics allow.

    Raises:
        RowsUnavailableError: when the rows of the view may not be read.
        DatabaseError: when the queryset cannot be read; :func:`unavailable` turns this into a message.
    """
    connection, name = get_connection(queryset.db), name_of(queryset.model)
    home = ViewOptions(queryset.model).database
    try:
        with reading(connection, get_settings().COUNT_TIMEOUT, name, home=home):
            return RowCount(queryset.count(), exact=True)
    except DatabaseError as error:
        if not _is_too_slow(error):
            raise
    with reading(connection, get_settings().PREVIEW_TIMEOUT, name, home=home):
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
    mask: Callable[[], Collection[str]] = tuple,
) -> RowPage:
    """Read some rows of a view.

    Args:
        database: the alias.
        name: the view.
        limit: how many rows at most.
        offset: how many rows to skip.
        order_by: columns; a ``-`` in front means descending.
        contains: for each of these columns, text that its value must contain, ignoring case.
        mask: returns the columns whose values stay in the database. It is called when the view is locked, so
            that it is about the view that is read.

    Raises:
        MaskedColumnError: when the rows are to be sorted or filtered by a masked column. Which rows come, and
            in which order, would tell its values.
        RowsUnavailableError: when the view does not exist, is not populated, takes too long, or may not be
            read by our role.
    """
    connection = get_connection(database)
    try:
        with reading(connection, get_settings().PREVIEW_TIMEOUT, name) as cursor:
            columns = _columns(cursor, name)
            masked = frozenset(mask())
            sql, params = _select(name, columns, order_by, contains or {}, masked)
            cursor.execute(f"{sql} LIMIT %s OFFSET %s", [*params, limit + 1, offset])
            rows = cursor.fetchall()
    except DatabaseError as error:
        raise unavailable(name, error, connection) from error
    except (ValueError, OverflowError) as error:  # of the driver, for example for a date BC
        what = f"{name} has a value that Python cannot hold"
        raise RowsUnavailableError(Quoting(f"{what}: {error}", f"{what}.")) from error
    return RowPage(columns, tuple(rows[:limit]), len(rows) > limit, masked)


def _columns(cursor: CursorWrapper, name: ViewName) -> tuple[Column, ...]:
    with catalog_path(cursor) as catalog:
        catalog.execute("SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid", [name.quoted])
        (oid,) = catalog.fetchone()
        return tuple(read_columns(catalog, [oid]).get(oid, ()))


def _select(
    name: ViewName,
    columns: Sequence[Column],
    order_by: Sequence[str],
    contains: Mapping[str, str],
    masked: Collection[str],
) -> tuple[str, list[str]]:
    known = {column.name for column in columns}
    for column in [*contains, *(key.removeprefix("-") for key in order_by)]:
        if column not in known:
            raise RowsUnavailableError(f"{name} has no column {column!r}; it has {', '.join(sorted(known))}.")
        if column in masked:
            raise MaskedColumnError(
                f"The values of {column!r} are masked, so rows are neither sorted nor filtered by them."
            )
    listed = ", ".join("NULL" if column.name in masked else _quoted(column.name) for column in columns)
    conditions = [_CONTAINS.format(_quoted(column)) for column in contains]
    keys = [_quoted(key.removeprefix("-")) + (" DESC" if key.startswith("-") else "") for key in order_by]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    return f"SELECT {listed} FROM {name.quoted.replace('%', '%%')}{where}{order}", [*contains.values()]


def _quoted(identifier: str) -> str:
    """Quote a name for a statement with parameters, in which a per cent sign begins a placeholder."""
    return quote_identifier(identifier).replace("%", "%%")


def unavailable(
    name: ViewName, error: DatabaseError, connection: BaseDatabaseWrapper
) -> RowsUnavailableError:
    """Return the error that says why the rows of a view could not be read, and what to do."""
    why = _why_not_there(connection, name, error) or _why_unavailable(name, error)
    (named,) = naming_functions(connection, [RowsUnavailableError(why)])
    return named


def _is_too_slow(error: DatabaseError) -> bool:
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


def _why_unavailable(name: ViewName, error: DatabaseError) -> Quoting:
    code, message = sqlstate(error), primary_message(error)
    if is_lock_timeout(error):
        return unquoted(f"{name} is locked: it is being refreshed or changed. Try again later.")
    if is_canceled(error):
        timeout = f"{get_settings().PREVIEW_TIMEOUT:g} s (ORM_VIEWS['PREVIEW_TIMEOUT'])"
        return unquoted(f"The rows of {name} did not come within {timeout}.")
    if code == UNDEFINED_COLUMN:
        what, advice = f"{name} is not as its class says", "Sync it first."
        return quoting(f"{what}: {message}. {advice}", f"{what}. {advice}", error)
    what = f"The rows of {name} cannot be read"
    return quoting(f"{what}: {str(error).strip()}", f"{what}.", error)
