"""The sessions that another session waits for, or would wait for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.fetch import fetch, forget_statistics
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import printable
from orm_views_core.sentences import Sentence, listed, number, says

from .sessions import PREPARED, session_in_words

# Describes the sessions that a subquery finds. The state of another role's session is NULL, unless our role
# is a member of pg_read_all_stats. Of its query only the kind of statement is read: the rest may have a
# password. The kind is one of these words, because a query that has failed may begin with anything.
_SESSIONS = """
SELECT found.pid, a.usename, a.application_name, COALESCE(a.state, a.backend_type),
       round(extract(epoch FROM clock_timestamp()
                     - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END), 1)::float8,
       CASE WHEN a.state IS NOT NULL
            THEN COALESCE(upper((regexp_match(a.query, '^[\\s(;]*(abort|alter|analyze|autovacuum|begin|call|'
                 'close|cluster|comment|commit|copy|create|deallocate|declare|delete|do|drop|'
                 'end|execute|explain|fetch|grant|import|insert|listen|load|lock|merge|move|notify|prepare|'
                 'reassign|refresh|reindex|release|reset|revoke|rollback|savepoint|select|set|show|'
                 'start|table|truncate|update|vacuum|values|with)\\M', 'i'))[1]), 'another statement')
       END,
       found.relations,
       COALESCE(CASE WHEN a.backend_type = 'autovacuum worker' THEN found.materialised END, '{{}}')
FROM ({found}) AS found
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = found.pid
ORDER BY found.pid
"""

_HOLDERS = _SESSIONS.format(
    found="""
    SELECT l.pid, array_agg(DISTINCT n.nspname || '.' || c.relname) AS relations,
           array_agg(DISTINCT format('%%I.%%I', n.nspname, c.relname)) FILTER (WHERE c.relkind = 'm')
           AS materialised
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_class c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.granted AND l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND CASE WHEN %(any)s THEN (c.relkind IN ('v', 'm') OR l.mode = 'AccessExclusiveLock')
                                 AND n.nspname <> 'pg_catalog'
               ELSE (l.relation = ANY(%(relations)s) AND (%(readers)s OR l.mode <> 'AccessShareLock'))
                    OR (l.relation = ANY(%(reads)s) AND l.mode = 'AccessExclusiveLock') END
    GROUP BY l.pid
    """
)

# pg_blocking_pids() returns 0 for a prepared transaction.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION-TABLE
_BLOCKERS = _SESSIONS.format(
    found="""
    SELECT DISTINCT NULLIF(pid, 0) AS pid, '{}'::text[] AS relations, '{}'::text[] AS materialised
    FROM unnest(pg_catalog.pg_blocking_pids(%(pid)s)) AS pid
    """
)


_NAMED = 10  # how many relations of a session are named


class BlockingSession(NamedTuple):
    """A session that blocks another one.

    Whoever may see that something waits may read it. So it says nothing more of the session's query than its
    kind. The names are others' choice, and are made printable.

    Attributes:
        pid: its backend; None for prepared transactions, of which only the relations are known.
        application: its ``application_name``.
        state: PostgreSQL's word for what it does, and ``seconds`` for how long it has done so.
        statement: the kind of its last statement, such as SELECT; None when our role may not see it.
        relations: the names of the relations that it holds locks on; empty when they were not read.
        vacuums: the quoted names of the materialised views that it vacuums, if it is an autovacuum worker.
    """

    pid: int | None
    role: str | None
    application: str | None
    state: str | None
    seconds: float | None
    statement: str | None
    relations: Sequence[str] = ()
    vacuums: Sequence[str] = ()

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """What the session is, does and holds, in words."""
        names, more = listed(map(printable, self.relations[:_NAMED])), len(self.relations) - _NAMED
        if more > 0:
            names = says("%(names)s and %(n)s more", names=names, n=more)
        who = PREPARED
        if self.pid is not None:
            does = Sentence(self.state) if self.state else says("state unknown")
            if self.seconds is not None:
                does = says("%(does)s for %(seconds)s s", does=does, seconds=number(self.seconds))
            who = session_in_words(self.pid, self.role, self.application, does)
        if names:
            who = says("%(session)s holds %(names)s", session=who, names=names)
        return listed([who, self.statement], ": ") if self.pid is not None and self.statement else who


def find_blocking_sessions(
    connection: BaseDatabaseWrapper,
    relations: Collection[int] | None,
    *,
    reads: Collection[int] = (),
    readers: bool = True,
) -> list[BlockingSession]:
    """Return the other sessions that hold a lock on some relations.

    Args:
        connection: the database.
        relations: the oids of the relations; None for every lock that may block a sync.
        reads: the oids of relations that are only read: only an ACCESS EXCLUSIVE lock blocks these.
        readers: whether sessions that only read ``relations`` count.
    """
    if relations is not None and not relations:
        return []
    params = {
        "any": relations is None,
        "relations": list(relations or ()),
        "reads": list(reads),
        "readers": readers,
    }
    return _read(connection, _HOLDERS, params)


def find_blockers(database: str, pid: int) -> list[BlockingSession]:
    """Return the sessions that a backend waits for: holders of its lock, and those before it in the queue.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    return _read(connection, _BLOCKERS, {"pid": pid})


def _read(connection: BaseDatabaseWrapper, query: str, params: Mapping[str, Any]) -> list[BlockingSession]:
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)
        return [BlockingSession(*row) for row in fetch(cursor, query, params)]
