"""A sync or a refresh that is ended in the middle: nothing is computed twice, and nothing is committed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.cancellation import cancel_work
from orm_views_core.engines.postgresql.locking.advisory_locks import SYNC_LOCK
from orm_views_core.engines.postgresql.locking.sessions import find_backends
from orm_views_core.names import ViewName
from orm_views_core.refresh_locks import cancel
from orm_views_core.views.registry import registry

from .attacker import query
from .conftest import WHOLE
from .project import declare_views

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).absolute().parents[2]
GATE = 414_141
SETUP = f"""
DROP TABLE IF EXISTS public.numbers CASCADE;
CREATE TABLE public.numbers AS SELECT i AS id FROM generate_series(1, 3) i;
DROP SEQUENCE IF EXISTS public.passed CASCADE;
CREATE SEQUENCE public.passed;
CREATE OR REPLACE FUNCTION public.open_gate() RETURNS boolean LANGUAGE plpgsql VOLATILE
SET lock_timeout = 0 AS $$
BEGIN
    PERFORM nextval('public.passed');
    PERFORM pg_advisory_xact_lock_shared({GATE});
    RETURN true;
END $$;
CREATE OR REPLACE FUNCTION public.gated_key(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
SET lock_timeout = 0 AS $$
BEGIN
    PERFORM public.open_gate();
    RETURN $1;
END $$;
"""
PICTURE = """
SELECT c.oid, c.relfilenode, n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'),
       pg_get_viewdef(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND (n.nspname = 'views' OR n.nspname LIKE 'orm_views%%') ORDER BY 1
"""


class Phase(NamedTuple):
    """Where the work is stopped.

    Attributes:
        command: the command that is run.
        version: the version of the views that it syncs; the database has version 1.
        hold: the statements of another session that stop it there.
        is_there: a query that returns the backend that was stopped there.
        computed: how many times the rows are computed by then.
    """

    command: str
    version: str
    hold: str
    is_there: str
    computed: int = 0


_WAITS = "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = '{}'{}"
_AT_GATE = _WAITS.format("advisory", f" AND objid = {GATE}")
_SWAP = """
SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()
AND application_name = 'worker' AND state_change < now() - interval '50 ms'
"""
PHASES = {
    "waiting for another sync": Phase(
        "sync_views",
        "2",
        f"SELECT pg_advisory_lock({SYNC_LOCK})",
        _WAITS.format("advisory", ""),
    ),
    "trying": Phase(
        "sync_views",
        "2",
        "BEGIN; LOCK TABLE public.numbers IN ACCESS EXCLUSIVE MODE",
        _WAITS.format("relation", ""),
    ),
    "building": Phase("sync_views", "2", f"SELECT pg_advisory_lock({GATE})", _AT_GATE, 1),
    "indexing": Phase("sync_views", "1 + 7", f"SELECT pg_advisory_lock({GATE})", _AT_GATE, 1),
    "waiting to swap": Phase("sync_views", "2", "BEGIN; SELECT * FROM views.first", _SWAP, 1),
    "swapping": Phase("sync_views", "1 + 5", f"SELECT pg_advisory_lock({GATE})", _AT_GATE, 1),
    "waiting to refresh": Phase(
        "refresh_views", "1", "BEGIN; LOCK TABLE public.numbers IN ACCESS EXCLUSIVE MODE", _SWAP
    ),
    "refreshing": Phase("refresh_views", "1", f"SELECT pg_advisory_lock({GATE})", _AT_GATE, 1),
}


class Way(NamedTuple):
    """How the work is ended, and what the command says of it.

    Attributes:
        says: what is in its message.
        options: the settings of its session.
        code: its exit code.
        since: the version of PostgreSQL from which on this is possible.
    """

    says: str
    options: str = ""
    code: int = 1
    since: int = 0


WAYS = {
    "pg_cancel_backend": Way("cancelled on request"),
    "cancel()": Way("cancelled on request"),
    "the page": Way("Nothing was changed."),
    "pg_terminate_backend": Way("its session was terminated"),
    "statement_timeout": Way("statement_timeout (1 s)", "-c statement_timeout=1s"),
    "transaction_timeout": Way("transaction_timeout", "-c transaction_timeout=2s", since=170_000),
    "idle_in_transaction_session_timeout": Way(
        "idle_in_transaction_session_timeout", "-c idle_in_transaction_session_timeout=100ms"
    ),
    "SIGINT": Way("Interrupted.", code=130),
    "SIGTERM": Way("Terminated.", code=143),
}
#: A session that pauses between two tries has no statement; one that has a statement is not idle.
_IDLE = {"waiting to swap", "waiting to refresh"}
IMPOSSIBLE = {
    *((phase, way) for phase in _IDLE for way in ("pg_cancel_backend", "cancel()", "statement_timeout")),
    *((phase, "idle_in_transaction_session_timeout") for phase in PHASES if phase not in _IDLE),
    # Waiting for a lock is limited to a fraction of a second, and tried again.
    *(("trying", way) for way in ("statement_timeout", "cancel()")),
    ("waiting for another sync", "statement_timeout"),
    # Each wait, and each try, is a transaction of its own, shorter than the limit.
    *((phase, "transaction_timeout") for phase in ("waiting for another sync", "trying")),
}
CELLS = [(phase, way) for phase in PHASES for way in WAYS if (phase, way) not in IMPOSSIBLE]
SAMPLE = {
    ("building", "pg_cancel_backend"),
    ("building", "statement_timeout"),
    ("building", "SIGINT"),
    ("swapping", "cancel()"),
    ("refreshing", "the page"),
    ("waiting to swap", "idle_in_transaction_session_timeout"),
}

_table: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what became of the work, for each phase and each way to end it."""
    yield
    for (phase, way), outcome in sorted(_table.items()):
        print(f"{phase:25} {way:36} {outcome}")


@pytest.fixture
def holder() -> Iterator[BaseDatabaseWrapper]:
    """Another session, in whose way the work is."""
    with closing(connections.create_connection("default")) as connection:
        yield connection


@pytest.fixture
def synced() -> Iterator[None]:
    """Version 1 of the views."""
    query("DROP SCHEMA IF EXISTS views CASCADE")
    query(SETUP)
    with registry.isolated():
        declare_views("1")
        call_command("sync_views", verbosity=0)
    query("SELECT setval('public.passed', 1, false)")
    yield
    query("DROP SCHEMA views CASCADE; DROP TABLE public.numbers CASCADE")
    query("DROP FUNCTION public.gated_key, public.open_gate; DROP SEQUENCE public.passed")


@pytest.mark.parametrize(("phase", "way"), [cell for cell in CELLS if WHOLE or cell in SAMPLE])
def test_the_work_ends(phase: str, way: str, synced: None, holder: BaseDatabaseWrapper) -> None:
    """The work is ended in the middle: it ends, says why, commits nothing, and computes nothing again."""
    stopped, ended = PHASES[phase], WAYS[way]
    if connections["default"].pg_version < ended.since:
        pytest.skip("this PostgreSQL does not know the setting")
    before = query(PICTURE)
    with holder.cursor() as cursor:
        cursor.execute(stopped.hold)
    name = connections["default"].settings_dict["NAME"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.attacks.project", name, stopped.version, stopped.command],
        cwd=ROOT,
        env={**os.environ, "PGOPTIONS": ended.options, "PGAPPNAME": "worker"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        pid = _wait_for(stopped.is_there, process)
        _end(way, pid, process, stopped)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        holder.close()
    _table[phase, way] = output.strip().splitlines()[-1]
    assert process.returncode == ended.code, output
    assert ended.says in output, output
    assert "Traceback" not in output
    assert query(PICTURE) == before
    (passed,) = query("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.passed")[0]
    assert passed == stopped.computed


def _wait_for(sql: str, process: subprocess.Popen[str]) -> int:
    deadline = time.monotonic() + 30
    while not (found := query(sql)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"nothing is there: {sql}"
        time.sleep(0.01)
    return int(found[0][0])


def _end(way: str, pid: int, process: subprocess.Popen[str], stopped: Phase) -> None:
    name = ViewName("views", "slow") if stopped.command == "refresh_views" else None
    if way == "pg_cancel_backend":
        query("SELECT pg_cancel_backend(%s)", [pid])
    elif way == "pg_terminate_backend":
        query("SELECT pg_terminate_backend(%s)", [pid])
    elif way == "cancel()":
        assert cancel("default", pid)
    elif way == "the page":
        assert cancel_work("default", pid, find_backends("default", [pid])[pid].started, name)
    elif way in {"SIGINT", "SIGTERM"}:
        process.send_signal(getattr(signal, way))
