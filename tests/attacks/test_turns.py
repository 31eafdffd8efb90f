"""Waiting for one's turn: everybody may hold the locks of syncs and refreshes, for ever and on purpose."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from orm_views_core.engines.postgresql.locking.advisory_locks import REFRESH_LOCK, SYNC_LOCK
from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.sync.executor import Progress
from tests.core.gates import Background
from tests.core.keeping import declare

from .attacker import Attacker, query

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("make_login")]

WAYS = ["pg_advisory_lock", "pg_advisory_lock_shared"]
TIMEOUTS = ["lock_timeout", "statement_timeout"]


@pytest.fixture
def held(attacker: Attacker) -> Iterator[Callable[..., int]]:
    """A function by which the attacker takes an advisory lock, until the end of the test; returns its pid."""
    attacker.run("SET application_name = 'innocent'")

    def hold(key: str = str(SYNC_LOCK), way: str = WAYS[0]) -> int:
        return int(attacker.run(f"SELECT pg_backend_pid() FROM {way}({key})")[0][0])

    yield hold
    attacker.run("SELECT pg_advisory_unlock_all()")


def _refresh_key(name: str = "views.v") -> str:
    return f"{REFRESH_LOCK}, {query('SELECT %s::regclass::oid::int', [name])[0][0]}"


def _hold_for(attacker: Attacker, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, attacker.run, ["SELECT pg_advisory_unlock_all()"])
    timer.start()
    return timer


@pytest.fixture
def set_timeout(transactional_db: None) -> Iterator[Callable[[str], object]]:
    """A function that sets a short time-out for the session, as ALTER ROLE or ALTER DATABASE does."""
    yield lambda name: bool(query(f"SET {name} = '300ms'"))
    query("RESET lock_timeout; RESET statement_timeout")


@pytest.mark.parametrize("way", WAYS)
def test_the_sync_lock_is_held_on_purpose(attacker: Attacker, held: Any, way: str) -> None:
    """The lock of syncs is held for ever: a sync gives up after SYNC_WAIT and says who holds it."""
    declare("V", "SELECT 1 AS id")
    pid, said = held(way=way), []
    with (
        override_settings(ORM_VIEWS={"SYNC_WAIT": 0.3}),
        pytest.raises(LockNotAvailableError) as caught,
    ):
        sync_views(progress=Progress(on_wait=said.append))
    who = re.compile(rf"pid {pid} \({attacker.role}, application 'innocent', since \d\d:\d\d:\d\d\)")
    (waiting,) = said
    assert waiting.startswith("another sync of this database is running: ")
    for message in (waiting, str(caught.value)):
        assert who.search(message), message
    assert "within 0.3 s (ORM_VIEWS['SYNC_WAIT'])" in str(caught.value)
    assert "Nothing was changed" in str(caught.value)
    assert query("SELECT to_regclass('views.v')") == [(None,)]


def test_the_sync_lock_is_held_while_somebody_plans(held: Any) -> None:
    """The lock of syncs is held for ever: plans need no lock."""
    declare("V", "SELECT 1 AS id")
    held()
    with override_settings(ORM_VIEWS={"SYNC_WAIT": 0.3}):
        assert plan_views()[0].steps


@pytest.mark.parametrize("name", ["x'); DROP SCHEMA views; --", "a\nb\x1b[31m", "'", "%s {0}"])
def test_the_holder_has_a_hostile_application_name(attacker: Attacker, held: Any, name: str) -> None:
    """The holder of the sync lock calls its application something that might break the message."""
    attacker.run("SELECT set_config('application_name', %s, false)", [name])
    pid = held()
    declare("V", "SELECT 1 AS id")
    with override_settings(ORM_VIEWS={"SYNC_WAIT": 0.1}), pytest.raises(LockNotAvailableError) as caught:
        sync_views()
    assert f"pid {pid} ({attacker.role}, application " in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_time_out_of_the_session_while_another_syncs(
    attacker: Attacker, held: Any, set_timeout: Any, timeout: str
) -> None:
    """A time-out of the session or role that is shorter than the wait for another sync does not end it."""
    declare("V", "SELECT 1 AS id")
    held()
    set_timeout(timeout)
    timer, began = _hold_for(attacker, 1.5), time.monotonic()
    sync_views()
    timer.join()
    assert time.monotonic() - began > 1.4
    assert query("SELECT id FROM views.v") == [(1,)]
    assert query(f"SHOW {timeout}") == [("300ms",)]


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_time_out_of_the_session_while_another_refreshes(
    attacker: Attacker, held: Any, set_timeout: Any, timeout: str
) -> None:
    """A time-out of the session or role that is shorter than the wait for another refresh does not end it."""
    declare("V", "SELECT 1 AS id", materialised=True)
    sync_views()
    held(_refresh_key())
    timer = _hold_for(attacker, 1.5)
    set_timeout(timeout)
    (result,) = refresh_views(["v"], jobs=1)
    timer.join()
    assert result.error is None
    assert result.waited > 1
    assert query(f"SHOW {timeout}") == [("300ms",)]


def test_the_refresh_lock_is_held_on_purpose(attacker: Attacker, held: Any) -> None:
    """The lock of a view's refreshes is held on purpose: the refresh says who holds it."""
    declare("V", "SELECT 1 AS id", materialised=True)
    sync_views()
    pid, said = held(_refresh_key()), []
    timer = _hold_for(attacker, 1.5)
    refresh_views(["v"], on_wait=lambda start, what: said.append(what))
    timer.join()
    assert f"pid {pid} ({attacker.role}, application 'innocent', since " in said[0]


#: Ends whoever waits for a lock.
END_WAITING = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"


def query_aside(sql: str) -> None:
    """Run SQL on a connection of this thread's own."""
    query(sql)
    connections.close_all()


@pytest.mark.parametrize("work", ["sync", "refresh"])
def test_ctrl_c_while_the_lock_is_held(held: Any, work: str) -> None:
    """The lock is held for ever: Ctrl-C ends the wait at once, whichever the driver."""
    declare("V", "SELECT 1 AS id", materialised=True)
    sync_views()
    key = _refresh_key()
    declare("W", "SELECT 1 AS id")
    held(str(SYNC_LOCK) if work == "sync" else key)
    timer, began = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]), time.monotonic()
    rescue = threading.Timer(8, query_aside, [END_WAITING])  # otherwise the test would wait for ever
    timer.start()
    rescue.start()
    with pytest.raises(KeyboardInterrupt):
        sync_views() if work == "sync" else refresh_views(["v"], jobs=1)
    rescue.cancel()
    assert time.monotonic() - began < 4


def test_the_wait_for_another_sync_does_not_use_up_the_wait_for_readers(
    attacker: Attacker, held: Any
) -> None:
    """The lock of syncs is held for longer than LOCK_WAIT: what is blocked then is tried again."""
    declare("V", "SELECT 1 AS id")
    sync_views()
    query("GRANT USAGE ON SCHEMA views TO PUBLIC; GRANT SELECT ON views.v TO PUBLIC")
    declare("W", "SELECT id FROM public.base")
    query("CREATE TABLE public.base (id int)")
    aside = connections.create_connection("default")
    aside.inc_thread_sharing()
    try:
        held()
        with aside.cursor() as cursor, override_settings(ORM_VIEWS={"LOCK_WAIT": 1, "LOCK_TIMEOUT": 0.1}):
            syncing = Background(sync_views)
            time.sleep(1.5)
            cursor.execute("BEGIN; LOCK TABLE public.base IN ACCESS EXCLUSIVE MODE")
            attacker.run("SELECT pg_advisory_unlock_all()")
            time.sleep(0.6)
            cursor.execute("COMMIT")
            syncing.join()
        assert query("SELECT count(*) FROM views.w") == [(0,)]
    finally:
        aside.close()
        query("DROP TABLE public.base CASCADE")


def test_a_holder_that_changes_is_named_again(attacker: Attacker, held: Any) -> None:
    """The lock passes from one session to another: whoever waits hears of both."""
    declare("V", "SELECT 1 AS id")
    first, said = held(), []
    second = connections.create_connection("default")
    second.inc_thread_sharing()
    try:
        with second.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            waiting = Background(lambda: cursor.execute(f"SELECT pg_advisory_lock({SYNC_LOCK})"))
            time.sleep(0.3)
            timer = _hold_for(attacker, 1)
            with override_settings(ORM_VIEWS={"SYNC_WAIT": 4}), pytest.raises(LockNotAvailableError):
                sync_views(progress=Progress(on_wait=said.append))
            timer.join()
            waiting.join()
    finally:
        second.close()
    assert [f"pid {each} " in message for each, message in zip([first, pid], said, strict=True)] == [True] * 2
