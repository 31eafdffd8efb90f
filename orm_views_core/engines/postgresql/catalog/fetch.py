"""Helpers to query a database: arrays as parameters, rows grouped by a key, times."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from django.db.backends.utils import CursorWrapper

from orm_views_core.names import ViewName

from .search_path import CatalogCursor

T = TypeVar("T")


def fetch(cursor: CatalogCursor, query: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a query of our own."""
    cursor.execute(query, params)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def forget_statistics(cursor: CursorWrapper) -> None:
    """Make the next query see the sessions as they are now.

    Otherwise a transaction sees them as they were when it first read ``pg_stat_activity``.
    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
    """
    cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")


def group(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    """Return the second elements of pairs in lists, by their first element."""
    groups: defaultdict[int, list[T]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)


def array(elements: Iterable[int | str]) -> str:
    """Return an array as one literal.

    PostgreSQL would parse and plan ``ARRAY[…]`` element by element. psycopg 3 would cast a list to ``int4[]``
    or ``text[]``, which PostgreSQL looks up along the search path.
    """
    return "{" + ",".join(map(_element, elements)) + "}"


def name_arrays(names: Collection[ViewName]) -> dict[str, str]:
    """Return names as two parameters, ``schemas`` and ``names``, each an array's literal."""
    return {
        "schemas": array(name.schema for name in names),
        "names": array(name.name for name in names),
    }


def read_time(cursor: CursorWrapper) -> dt.datetime:
    """Return the time by the database's clock, which may differ from the clock of this machine."""
    cursor.execute("SELECT extract(epoch FROM pg_catalog.clock_timestamp())::double precision")
    return moment(cursor.fetchone()[0])


def moment(epoch: float) -> dt.datetime:
    """Return a time that was selected as ``extract(epoch FROM …)``.

    A ``timestamptz`` is not selected as such, because with ``USE_TZ = False`` it would come without a zone.
    """
    return dt.datetime.fromtimestamp(epoch, dt.timezone.utc)


def _element(value: int | str) -> str:
    """Return a number, or a text in quotes, as an element of an array's literal."""
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
