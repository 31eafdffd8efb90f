"""Which sessions hold which of some relations at this moment."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.catalog.fetch import array

# It is sent every few milliseconds, so it qualifies what it calls and needs no search path of its own.
_HELD = """
SELECT pg_catalog.array_agg(relation::pg_catalog.int8)
FROM pg_catalog.pg_locks
WHERE locktype OPERATOR(pg_catalog.=) 'relation' AND granted
  AND relation OPERATOR(pg_catalog.=) ANY(%(relations)s::pg_catalog.oid[])
  AND (SELECT oid FROM pg_catalog.pg_database
       WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) OPERATOR(pg_catalog.=) database
  AND virtualtransaction OPERATOR(pg_catalog.<>) ALL(
      SELECT virtualtransaction FROM pg_catalog.pg_locks
      WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())
GROUP BY virtualtransaction
"""


def read_held(cursor: CursorWrapper, relations: Collection[int]) -> list[frozenset[int]]:
    """Return which of some relations each other session holds a lock on, if it holds any."""
    cursor.execute(_HELD, {"relations": array(relations)})
    return [frozenset(held) for (held,) in cursor.fetchall()]
