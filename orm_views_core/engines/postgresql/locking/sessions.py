"""The sessions that refresh or sync, and the server processes (backends) that they have.

A pid is used again after its backend has ended. A pid together with the start of its backend is unique.
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.fetch import fetch, forget_statistics, moment
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.roles import for_other_roles
from orm_views_core.names import ViewName, printable
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .advisory_locks import REFRESH_LOCK, SYNC_LOCK

# Everybody sees that a backend exists. Its start and state are NULL where our role may not see them. Members
# of pg_read_all_stats see all.
_BACKENDS = """
SELECT a.pid, extract(epoch FROM a.backend_start)::float8, a.state,
       extract(epoch FROM clock_timestamp() - a.state_change)::float8,
       extract(epoch FROM clock_timestamp())::float8
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = ANY(%(pids)s) OR (%(own)s AND a.pid = pg_catalog.pg_backend_pid())
"""

RUNNING = """
SELECT l.pid, l.granted, c.oid, n.nspname, c.relname, a.usename,
       extract(epoch FROM COALESCE(a.xact_start, a.state_change))::float8, a.application_name
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON l.objsubid = 2 AND c.oid = l.objid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND ((l.objsubid = 2 AND l.classid = %(refresh)s AND c.oid IS NOT NULL)
       OR (l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = %(sync)s))
ORDER BY l.granted DESC, a.xact_start, l.pid
"""


#: The parameters of ``RUNNING``.
LOCKS = {"refresh": REFRESH_LOCK, "sync": SYNC_LOCK}


class Backend(NamedTuple):
    """A server process.

    Attributes:
        pid: its process id.
        started: when it was started, by the clock of its server; None where none of our roles may see it.
        state: PostgreSQL's word for what it does; None likewise.
        seconds: for how many seconds it has been in that state.
        now: the time by the clock of its server.
    """

    pid: int
    started: dt.datetime | None
    state: str | None
    seconds: float | None
    now: dt.datetime

    def is_that_of(self, started: dt.datetime | None) -> bool:
        """Return whether it was started then, as far as both are known. Pids are used again."""
        if self.started is None or started is None:
            return True
        return abs(self.started - started) < dt.timedelta(milliseconds=1)


def find_backends(database: str, pids: Collection[int]) -> dict[int, Backend]:
    """Return those of some backends that exist, by pid.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    return _backends(database, pids)


def own_backend(database: str) -> Backend:
    """Return the backend of this thread's own connection.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    (backend,) = _backends(database, (), own=True).values()
    return backend


def _backends(database: str, pids: Collection[int], *, own: bool = False) -> dict[int, Backend]:
    connection = get_connection(database)
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)

        def look() -> dict[int, Backend]:
            return {
                pid: Backend(pid, started and moment(started), state, seconds, moment(now))
                for pid, started, state, seconds, now in fetch(
                    cursor, _BACKENDS, {"pids": list(pids), "own": own}
                )
            }

        def look_again() -> dict[int, Backend]:
            return {pid: backend for pid, backend in look().items() if backend.started}

        found = look()
        if any(backend.started is None for backend in found.values()):
            found |= for_other_roles(connection, look_again, otherwise=dict[int, Backend]())
        return found


#: What holds locks without a session.
PREPARED = says("a prepared transaction (see pg_prepared_xacts)")


def session_in_words(pid: int, role: str | None, application: str | None, does: str) -> Sentence:
    """Return who a session is.

    Args:
        pid: its backend.
        role: the role that it is connected as; None when our role may not see it.
        application: its ``application_name``, which the session chooses itself.
        does: what it does, or since when; may be empty.
    """
    parts: list[str] = [printable(role) if role else says("role unknown")]
    if application:
        parts.append(says("application %(name)r", name=printable(application)))
    parts += [does] if does else []
    return says("pid %(pid)s (%(what)s)", pid=pid, what=listed(parts))


@dataclass(frozen=True)
class Running:
    """A session that refreshes a view or syncs, or waits for its turn to do so.

    Attributes:
        pid: its backend; None for a prepared transaction.
        name: the view; None when it syncs.
        waits: whether it waits because another session refreshes that view or syncs.
        role: the role that it is connected as.
        since: when its transaction began, by the clock of the database; without a transaction, since when it
            is idle. This and the role are None where our role may not see them (members of
            ``pg_read_all_stats`` see all).
        application: its ``application_name``.
    """

    pid: int | None
    name: ViewName | None
    waits: bool
    role: str | None
    since: dt.datetime | None
    application: str | None

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """What the session is, in words."""
        if self.pid is None:
            return PREPARED
        since = NOTHING
        if self.since is not None:
            since = says("since %(time)s", time=f"{self.since.astimezone():%H:%M:%S}")
        return session_in_words(self.pid, self.role, self.application, since)


def running(connection: BaseDatabaseWrapper) -> list[Running]:
    """Return the sessions that refresh or sync: first those at work, the oldest transaction first."""
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)
        return [
            Running(
                pid=pid,
                name=None if oid is None else ViewName(schema, name),
                waits=not granted,
                role=role,
                since=None if since is None else moment(since),
                application=application,
            )
            for pid, granted, oid, schema, name, role, since, application in fetch(cursor, RUNNING, LOCKS)
        ]


def find_running(database: str) -> list[Running]:
    """Return the sessions that refresh views of a database or sync it, from whichever machine.

    Args:
        database: the alias.

    Raises:
        DatabaseUnavailableError: when the database does not answer.

    Example:
        >>> from orm_views_core.refresh_locks import find_running
        >>> [running.name for running in find_running("default") if running.waits]
        []
    """
    return running(get_connection(database))
