"""The advisory lock that an export holds while it reads, so that every session sees that it is under way.

It is a lock of the transaction: it ends with it, also when its client dies. Any number of exports may hold
the same one, so that no export ever waits for another.
"""

from __future__ import annotations

from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.cancellation import send
from orm_views_core.engines.postgresql.catalog.fetch import fetch, forget_statistics
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor

#: The first key of the lock: "orme" in ASCII. The second key is the number of the export.
EXPORT_LOCK = int.from_bytes(b"orme", "big")

_LOCK = """
SELECT pg_catalog.pg_backend_pid()
FROM pg_catalog.pg_try_advisory_xact_lock_shared(%s, %s)
"""

_HELD = """
FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = %(lock)s AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""

_CANCEL = f"""
SELECT COALESCE(bool_or(pg_catalog.pg_cancel_backend(l.pid)), false) {_HELD} AND l.objid = %(number)s
"""


def hold_export_lock(cursor: CursorWrapper, number: int) -> int:
    """Take the lock of an export until the end of the transaction; return the pid of the backend.

    Args:
        number: what tells the export from others, of 31 bits.
    """
    cursor.execute(_LOCK, [EXPORT_LOCK, number])
    return int(cursor.fetchone()[0])


def find_exports(database: str) -> set[int]:
    """Return the numbers of the exports that read rows of a database.

    Raises:
        DatabaseUnavailableError: when the database does not answer.
    """
    with catalog_cursor(get_connection(database)) as cursor:
        found = fetch(cursor, f"SELECT l.objid::bigint {_HELD}", {"lock": EXPORT_LOCK})
        return {number for (number,) in found}


def cancel_export(database: str, number: int) -> bool:
    """Cancel the statement of an export; return whether the export was found.

    A backend that has no statement, because its client writes what it has read, goes on.

    Raises:
        DatabaseUnavailableError: when the database does not answer.
        DatabaseError: when none of our roles may signal the backend.
    """
    connection = get_connection(database)
    with catalog_cursor(connection) as cursor:
        forget_statistics(cursor)
        return send(connection, _CANCEL, {"lock": EXPORT_LOCK, "number": number})
