"""The sessions that temporary views belong to."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from orm_views_core.names import printable

from .catalog.fetch import fetch, forget_statistics

# The schema pg_temp_N is that of the backend with the number N. Up to PostgreSQL 15 no function tells the
# number of a backend: pg_stat_get_backend_idset() only counts the sessions. There, the session is one of the
# role that owns something in the schema.
# https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-BACKEND-FUNCS-TABLE
_BY_NUMBER = """
SELECT 'pg_temp_' OPERATOR(pg_catalog.||) id::pg_catalog.text, pg_catalog.pg_stat_get_backend_pid(id)
FROM pg_catalog.pg_stat_get_backend_idset() AS id
"""
_BY_ROLE = """
SELECT DISTINCT n.nspname::pg_catalog.text, a.pid
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
JOIN pg_catalog.pg_stat_activity a ON a.usesysid OPERATOR(pg_catalog.=) c.relowner
WHERE n.nspname OPERATOR(pg_catalog.=) ANY(%(schemas)s::pg_catalog.text[])
"""
_SESSIONS = """
SELECT found.schema, a.pid, a.usename, a.application_name,
       pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')
FROM ({found}) AS found(schema, pid)
JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) found.pid
WHERE found.schema OPERATOR(pg_catalog.=) ANY(%(schemas)s::pg_catalog.text[])
  AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
ORDER BY a.pid
"""
_NUMBERED_FROM = 160_000


def read_temporary_sessions(cursor: CursorWrapper, schemas: Collection[str]) -> dict[str, str]:
    """Return the sessions to which some temporary schemas belong, in words, by schema."""
    if not schemas:
        return {}
    forget_statistics(cursor)
    query = _SESSIONS.format(found=_BY_NUMBER if cursor.db.pg_version >= _NUMBERED_FROM else _BY_ROLE)
    sessions: dict[str, list[str]] = {}
    for schema, pid, role, application, since in fetch(cursor, query, {"schemas": list(schemas)}):
        named = f", {printable(application)}" if application else ""
        since = f", since {since}" if since else ""
        sessions.setdefault(schema, []).append(
            f"pid {pid} ({printable(role or 'role unknown')}{named}{since})"
        )
    return {schema: " or ".join(found) for schema, found in sessions.items()}
