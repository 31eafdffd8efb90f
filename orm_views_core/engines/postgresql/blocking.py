"""The sessions that hold locks which somebody else waits for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection

# Whoever is not shown (pg_read_all_stats shows everybody) has no state.
_BLOCKING_SESSIONS = """
SELECT l.pid, a.usename, COALESCE(a.state, a.backend_type),
       round(extract(epoch FROM clock_timestamp()
                     - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END), 1)::float8,
       left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200),
       string_agg(DISTINCT n.nspname || '.' || c.relname, ', '),
       COALESCE(array_agg(DISTINCT format('%%I.%%I', n.nspname, c.relname))
                FILTER (WHERE a.backend_type = 'autovacuum worker' AND c.relkind = 'm'), '{}')
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND CASE WHEN %(any)s THEN (c.relkind IN ('v', 'm') OR l.mode = 'AccessExclusiveLock')
                             AND n.nspname <> 'pg_catalog'
           ELSE (l.relation = ANY(%(relations)s) AND (%(readers)s OR l.mode <> 'AccessShareLock'))
                OR (l.relation = ANY(%(reads)s) AND l.mode = 'AccessExclusiveLock') END
GROUP BY l.pid, a.usename, a.state, a.backend_type, a.query_start, a.state_change, a.query
ORDER BY l.pid
"""


class BlockingSession(NamedTuple):
    """A session that holds locks; of a prepared transaction there is no more than that.

    Attributes:
        state: PostgreSQL's word for it, and ``seconds`` how long it has been so.
        relations: what it holds, in words.
        vacuums: the materialised views that it vacuums, if that is what it is there for.
    """

    pid: int | None
    role: str | None
    state: str | None
    seconds: float | None
    query: str | None
    relations: str
    vacuums: Sequence[str] = ()

    def __str__(self) -> str:
        if self.pid is None:
            return f"a prepared transaction (see pg_prepared_xacts) holds {self.relations}"
        state = f"{self.state or 'state unknown'}"
        if self.seconds is not None:
            state += f" for {self.seconds:g} s"
        return f"pid {self.pid} ({self.role}, {state}) holds {self.relations}: {self.query}"


def find_blocking_sessions(
    connection: BaseDatabaseWrapper,
    relations: Collection[int] | None,
    *,
    reads: Collection[int] = (),
    readers: bool = True,
) -> list[BlockingSession]:
    """Return the other sessions that hold a lock on some relations.

    Args:
        relations: their oids; None for whatever may stand in a sync's way.
        reads: the oids of relations of which only those count that lock readers out.
        readers: whether those count that only read the relations.
    """
    if relations is not None and not relations:
        return []
    with connection.cursor() as cursor:
        # Else a transaction goes on seeing the sessions as they were when it first looked.
        cursor.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
        cursor.execute(
            _BLOCKING_SESSIONS,
            {
                "any": relations is None,
                "relations": list(relations or ()),
                "reads": list(reads),
                "readers": readers,
            },
        )
        return [BlockingSession(*row) for row in cursor.fetchall()]


# A pid of 0 stands for a prepared transaction.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION-TABLE
_BLOCKERS = """
SELECT found.pid, a.usename, COALESCE(a.state, a.backend_type),
       round(extract(epoch FROM clock_timestamp()
                     - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END), 1)::float8,
       left(regexp_replace(a.query, '\\s+', ' ', 'g'), 200)
FROM (SELECT DISTINCT unnest(pg_catalog.pg_blocking_pids(%(pid)s)) AS pid) AS found
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = found.pid
ORDER BY found.pid
"""


class Blocker(NamedTuple):
    """A session that another one waits for; of a prepared transaction there is no more than a pid of 0."""

    pid: int
    role: str | None
    state: str | None
    seconds: float | None
    query: str | None

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        since = "" if self.seconds is None else f" for {self.seconds:g} s"
        return f"pid {self.pid} ({self.role}, {self.state or 'state unknown'}{since}): {self.query}"


def find_blockers(database: str, pid: int) -> list[Blocker]:
    """Return the sessions that hold, or stand before it in the queue for, what a backend waits for.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    with transaction.atomic(using=database), connection.cursor() as cursor:
        cursor.execute(_BLOCKERS, {"pid": pid})
        return [Blocker(*row) for row in cursor.fetchall()]
