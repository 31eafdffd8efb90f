"""The sessions that temporary views belong to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from orm_views_core.sentences import says

from .catalog.fetch import fetch, forget_statistics
from .catalog.search_path import catalog_cursor
from .locking.sessions import session_in_words

# The schema pg_temp_N is that of the backend with the number N. Up to PostgreSQL 15 no function tells the
# number of a backend: pg_stat_get_backend_idset() only counts the sessions. There, the session is one of the
# role that owns something in the schema.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-BACKEND-FUNCS-TABLE
_BY_NUMBER = """
SELECT 'pg_temp_' || id::text, pg_catalog.pg_stat_get_backend_pid(id)
FROM pg_catalog.pg_stat_get_backend_idset() AS id
"""
_BY_ROLE = """
SELECT DISTINCT n.nspname::text, a.pid
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
JOIN pg_catalog.pg_stat_activity a ON a.usesysid = c.relowner
WHERE n.nspname = ANY(%(schemas)s::text[])
"""
_SESSIONS = """
SELECT found.schema, a.pid, a.usename, a.application_name,
       pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')
FROM ({found}) AS found(schema, pid)
JOIN pg_catalog.pg_stat_activity a ON a.pid = found.pid
WHERE found.schema = ANY(%(schemas)s::text[])
  AND a.datname = pg_catalog.current_database()
ORDER BY a.pid
"""
_NUMBERED_FROM = 160_000


def read_temporary_sessions(connection: Any, schemas: Collection[str]) -> dict[str, str]:
    """Return the sessions to which some temporary schemas belong, in words, by schema.

    Args:
        connection: the database. (Any: the type stubs of Django do not know its ``pg_version``.)
        schemas: the schemas.
    """
    if not schemas:
        return {}
    query = _SESSIONS.format(found=_BY_NUMBER if connection.pg_version >= _NUMBERED_FROM else _BY_ROLE)
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)
        rows = fetch(cursor, query, {"schemas": list(schemas)})
    sessions: dict[str, list[str]] = {}
    for schema, pid, role, application, since in rows:
        found = session_in_words(pid, role, application, says("since %(time)s", time=since) if since else "")
        sessions.setdefault(schema, []).append(found)
    return {schema: " or ".join(found) for schema, found in sessions.items()}
