"""A reader that sits in a transaction: the sync waits for it, nobody else does, nothing is built twice."""

from __future__ import annotations

import re
import threading
import time

import pytest
from django.test import override_settings

from orm_views_core.exceptions import LockNotAvailableError

from .facts import HERE, query, read_facts, read_identities
from .readers import new_connection, reading
from .versions import BUILDS, LEVELS, Chain, reset, sync
from .world import ADVISORY_LOCKS, LEFT_OVER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

CHAIN = (Chain(),)
LOCK_TIMEOUT, LOCK_WAIT = 0.5, 2.0


@pytest.fixture
def idle():
    """Another session in a transaction of its own; it ends at the latest with the test."""
    connection = new_connection()
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        yield cursor
    connection.rollback()
    connection.close()


def sit_on(idle, level):
    """Read a view and do nothing any more; return the pid."""
    idle.execute(f"SELECT pg_backend_pid(), count(*) FROM views.{level}0 /* a long report */")
    return idle.fetchone()[0]


def builds():
    ((count,),) = query(HERE, f"SELECT last_value FROM {BUILDS}")
    return count


@pytest.mark.parametrize("level", LEVELS)
def test_an_idle_reader_stops_a_sync_and_nobody_else(idle, level, settings):
    reset()
    sync("a", CHAIN)
    before = read_facts(HERE), read_identities(HERE)
    pid = sit_on(idle, level)
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": LOCK_TIMEOUT, "LOCK_WAIT": LOCK_WAIT}
    with reading(6, [[each] for each in LEVELS]) as met:
        started = time.monotonic()
        with pytest.raises(LockNotAvailableError) as caught:
            sync("b", CHAIN)
        took = time.monotonic() - started
    said = str(caught.value)
    print(f"\n{level} held for {took:.1f} s: {met}")
    (line,) = [line for line in said.splitlines() if f"pid {pid} " in line]
    assert line.endswith(": SELECT")
    assert "a long report" not in said
    assert "idle in transaction" in line
    assert re.search(r"for \d+(\.\d+)? s", line)
    assert f"within {LOCK_WAIT:g} s (ORM_VIEWS['LOCK_WAIT'])" in said
    assert "Nothing was changed" in said
    assert met.errors == []
    assert met.longest < 2 * LOCK_TIMEOUT
    assert LOCK_WAIT <= took < LOCK_WAIT + 4 * LOCK_TIMEOUT
    idle.connection.rollback()
    assert (read_facts(HERE), read_identities(HERE)) == before
    assert query(HERE, LEFT_OVER) == []
    assert query(HERE, ADVISORY_LOCKS) == [(0,)]


@pytest.mark.parametrize("level", LEVELS)
def test_a_sync_goes_through_when_the_reader_ends_and_has_built_only_once(idle, level, how_many):
    for _ in range(how_many(1, 10)):
        reset()
        sync("a", CHAIN)
        built = builds()
        sit_on(idle, level)
        gone = threading.Timer(1.5, idle.connection.rollback)
        with (
            override_settings(ORM_VIEWS={"LOCK_TIMEOUT": LOCK_TIMEOUT, "LOCK_WAIT": 60}),
            reading(6, [[each] for each in LEVELS], new="b") as met,
        ):
            gone.start()
            started = time.monotonic()
            sync("b", CHAIN)
            took = time.monotonic() - started
            gone.join()
        print(f"\n{level} held for 1.5 s: the sync took {took:.1f} s, {builds() - built} build; {met}")
        assert builds() - built == 1
        assert met.errors == []
        assert met.longest < 2 * LOCK_TIMEOUT
        assert took >= 1
        assert query(HERE, f"SELECT DISTINCT {level} FROM views.{level}0") == [("b",)]


def test_readers_who_are_always_there_but_never_for_long_are_not_waited_for_to_stay_away(idle):
    reset()
    sync("a", CHAIN)
    sit_on(idle, "top")
    gone = threading.Timer(1.5, idle.connection.rollback)
    with (
        override_settings(ORM_VIEWS={"LOCK_TIMEOUT": LOCK_TIMEOUT, "LOCK_WAIT": 20}),
        reading(4, [["top"]], new="b", linger=0.05) as met,
    ):
        gone.start()
        started = time.monotonic()
        sync("b", CHAIN)
        took = time.monotonic() - started
        gone.join()
    print(f"\n4 readers of 50 ms each, all the time: the sync took {took:.1f} s; {met}")
    assert met.errors == []
    assert met.longest < 2 * LOCK_TIMEOUT
    assert took < 10, "it waited for readers each of whom was gone long before"
