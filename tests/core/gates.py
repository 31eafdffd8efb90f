"""A gate: refreshes of views that call gate() wait there until a test opens it, and they are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

GATE = 4242

# A refresh at the gate counts as running, not as waiting for a lock, so no lock_timeout applies there.
MAKE_GATE = f"""
CREATE TABLE numbers (id int PRIMARY KEY);
INSERT INTO numbers VALUES (1);
CREATE SEQUENCE passed;
CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql VOLATILE SET lock_timeout = 0 AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({GATE});
    PERFORM nextval('public.passed');
    RETURN true;
END $$;
"""
DROP_GATE = "DROP FUNCTION gate() CASCADE; DROP TABLE numbers CASCADE; DROP SEQUENCE passed"
GATED = "SELECT n.id FROM numbers n CROSS JOIN (SELECT gate() AS open OFFSET 0) AS g WHERE g.open"


@contextmanager
def closed_gate() -> Iterator[Callable[[], None]]:
    """Close the gate. The yielded function opens it, and so does the end of the block."""
    own = connections.create_connection("default")
    own.inc_thread_sharing()
    with own.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])

    def open_gate() -> None:
        own.close()

    try:
        yield open_gate
    finally:
        open_gate()


class Background:
    """A function that runs in a thread with connections of its own."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self._function = function
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._function()
        except BaseException as error:  # noqa: BLE001 - join() raises it
            self.error = error
        finally:
            connections.close_all()

    def join(self) -> Any:
        """Wait until the function ends. Return its value, or raise its exception."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.value


def query(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def wait_until(sql: str, seconds: float = 30) -> list[tuple[Any, ...]]:
    """Wait until a query returns something."""
    deadline = time.monotonic() + seconds
    while not (found := query(sql)):
        assert time.monotonic() < deadline, f"after {seconds} s still nothing: {sql}"
        time.sleep(0.01)
    return found


#: Backends that wait at the gate.
AT_THE_GATE = f"""
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

#: Backends that wait for another session's refresh to end.
WAITING = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
