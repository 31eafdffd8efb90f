"""How many rows views have: counted, or as the planner estimates."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from orm_views_core.conf import get_settings
from orm_views_core.database.rows import RowCount
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.engines.postgresql.untrusted import Judgement, for_each, judge, lock_views
from orm_views_core.names import ViewName
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions

from .errors import is_too_slow, unavailable

# EXPLAIN cannot be part of a query. A view that cannot be planned (no privilege, not populated) has no
# estimate; its status says why.
_EXPLAIN = "EXECUTE pg_catalog.concat('EXPLAIN (FORMAT JSON) SELECT * FROM ', name) INTO plan;"
_ESTIMATE = "pg_catalog.json_extract_path_text(plan, '0', 'Plan', 'Plan Rows')"


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
        if not is_too_slow(error):
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
        if not is_too_slow(error):
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
        if not is_too_slow(error):
            raise
    with reading(connection, get_settings().PREVIEW_TIMEOUT, name, home=home):
        # Without its order: the plan need not sort the rows.
        plan = json.loads(queryset.order_by().explain(format="json"))
    plan = plan[0] if isinstance(plan, list) else plan  # the drivers differ
    return RowCount(int(plan["Plan"]["Plan Rows"]), exact=False)
