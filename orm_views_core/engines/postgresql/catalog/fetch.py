"""Asking a database for rows: arrays as parameters, rows by key."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

from orm_views_core.names import ViewName


def fetch(cursor: CursorWrapper, query: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    cursor.execute(query, params)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def forget_statistics(cursor: CursorWrapper) -> None:
    """Make the next query see the sessions as they are now.

    Otherwise a transaction sees them as they were when it first read ``pg_stat_activity``.
    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS
    """
    cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")


def group(pairs: Iterable[tuple[Any, ...]]) -> dict[int, list[Any]]:
    """Put second parts together by their first."""
    groups: defaultdict[int, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)


def array(elements: Iterable[int | str]) -> str:
    """Write an array as one literal: PostgreSQL parses and plans ``ARRAY[…]`` an element at a time."""
    return "{" + ",".join(map(str, elements)) + "}"


def asked(names: Collection[ViewName]) -> dict[str, str]:
    """Write names as two such literals."""
    return {
        "schemas": array(_quoted(name.schema) for name in names),
        "names": array(_quoted(name.name) for name in names),
    }


def read_time(cursor: CursorWrapper) -> dt.datetime:
    """Return the time by the database's clock. That of this machine may be another one."""
    cursor.execute("SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8")
    return moment(cursor.fetchone()[0])


def moment(epoch: float) -> dt.datetime:
    """Return a time that was asked for as ``extract(epoch FROM …)``.

    With ``USE_TZ = False`` Django has the driver leave the zone of a ``timestamptz`` out.
    """
    return dt.datetime.fromtimestamp(epoch, dt.timezone.utc)


def _quoted(text: str) -> str:
    """Quote an element of an array's literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
