"""Waiting for a lock in a savepoint: earlier work stays, and readers do not queue for nothing."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
from django.db import DatabaseError, connections, transaction
from django.test import override_settings

from orm_views_core.engines.postgresql.locking.blocking import BlockingSession, find_blocking_sessions
from orm_views_core.engines.postgresql.locking.locks import Overtaken, in_savepoint, in_transaction
from orm_views_core.exceptions import LockNotAvailableError, SyncFailedError

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]


@pytest.fixture(autouse=True)
def table(execute):
    execute("CREATE SCHEMA views; CREATE TABLE views.t (a int)")


def oid(execute):
    return execute("SELECT 'views.t'::regclass::oid")[0][0]


def pid(cursor):
    cursor.execute("SELECT pg_backend_pid()")
    return cursor.fetchone()[0]


@pytest.fixture
def run():
    """A function that does some work in a savepoint of a transaction of the default database."""

    def run(work, **asked):
        connection = connections["default"]
        with transaction.atomic():
            return in_savepoint(connection, work, **asked)

    return run


def test_only_the_savepoint_is_done_again(other, execute):
    other.execute("LOCK TABLE views.t IN ACCESS EXCLUSIVE MODE")
    tries, timeouts = [], []

    def work(timeout):
        timeouts.append(timeout)
        tries.append(execute("SELECT to_regclass('views.inside') IS NOT NULL")[0][0])
        execute("CREATE TABLE views.inside (); SET LOCAL lock_timeout = '20ms'")
        if len(tries) == 4:
            other.connection.rollback()
        return execute("SELECT count(*) FROM views.t")

    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.3, "LOCK_WAIT": 30}), transaction.atomic():
        execute("CREATE TABLE views.before ()")
        assert in_savepoint(connections["default"], work) == [(0,)]
        assert execute("SHOW lock_timeout") == [("20ms",)], "the work's own, of the try that went through"
    assert tries == [False] * 4, "what a try did was rolled back before the next"
    assert timeouts == [0.1, 0.2, 0.3, 0.3], "short at first, and never longer than LOCK_TIMEOUT"
    assert execute("SELECT to_regclass('views.before') IS NOT NULL") == [(True,)]


def test_a_short_lock_time_out_is_never_exceeded(run):
    timeouts = []
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.03}):
        run(timeouts.append)
    assert timeouts == [0.03]


def test_nothing_is_tried_while_a_session_holds_the_lock_for_long(other, execute, run):
    """Each try would fail, and every reader would queue behind it."""
    other.execute("SELECT * FROM views.t /* a long report */")
    session = pid(other)
    tried, said = [], []
    gone = threading.Timer(0.7, other.connection.rollback)
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 30}):
        time.sleep(0.1)
        gone.start()
        started = time.monotonic()
        run(lambda _: tried.append(time.monotonic() - started), relations=[oid(execute)], on_wait=said.append)
        gone.join()
    (waited,) = tried
    assert waited >= 0.6
    (message,) = said
    assert message.startswith(f"pid {session} (")


def test_a_session_that_has_just_taken_the_lock_is_waited_for(other, execute, run):
    other.execute("SELECT * FROM views.t")
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 20, "LOCK_WAIT": 30}):
        assert run(lambda _: "tried at once", relations=[oid(execute)]) == "tried at once"


def test_a_session_with_another_table_is_not_waited_for(other, execute, run):
    other.execute("CREATE TABLE views.u (); SELECT * FROM views.u")
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.001, "LOCK_WAIT": 30}):
        time.sleep(0.1)
        assert run(lambda _: "tried at once", relations=[oid(execute)]) == "tried at once"


def test_the_error_names_who_is_in_the_way_with_what_and_for_how_long(other, execute, run):
    other.execute("SET application_name = 'a report'")
    other.execute("SELECT * FROM views.t /* a long\n report */")
    tried = []
    time.sleep(0.2)
    with (
        override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 0.4}),
        pytest.raises(LockNotAvailableError) as caught,
    ):
        run(tried.append, relations=[oid(execute)])
    said = str(caught.value)
    (role,) = execute("SELECT current_user")[0]
    assert tried == []
    assert said.startswith(
        "Database 'default': a lock could not be had within 0.4 s (ORM_VIEWS['LOCK_WAIT']). "
    )
    assert f"pid {pid(other)} ({role}, application 'a report', idle in transaction for 0." in said
    assert said.endswith(" s) holds views.t: SELECT"), "the rest of a query may be anything"


def test_the_error_says_why_when_it_was_tried(other, execute, run):
    other.execute("LOCK TABLE views.t IN ACCESS EXCLUSIVE MODE")

    def work(timeout):
        execute("SET LOCAL lock_timeout = '10ms'; SELECT * FROM views.t")

    with (
        override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 0.001}),
        pytest.raises(LockNotAvailableError, match="another session held it for longer"),
    ):
        run(work)


def test_an_error_that_is_not_about_a_lock_is_not_tried_again(execute, run):
    tries = []

    def work(timeout):
        tries.append(timeout)
        execute("SELECT 1 / 0")

    with pytest.raises(DatabaseError, match="division by zero"):
        run(work)
    assert len(tries) == 1


def test_our_own_locks_and_those_of_another_database_do_not_block(execute):
    with transaction.atomic():
        execute("LOCK TABLE views.t IN ACCESS EXCLUSIVE MODE")
        assert find_blocking_sessions(connections["default"], [oid(execute)]) == []
        assert find_blocking_sessions(connections["default"], []) == []


def test_all_sessions_with_locks_on_views_may_block_when_the_relation_is_unknown(other, execute):
    execute("CREATE VIEW views.v AS SELECT a FROM views.t")
    other.execute("SELECT * FROM views.v")
    held = find_blocking_sessions(connections["default"], None)
    assert [(session.pid, session.relations) for session in held] == [(pid(other), ["views.v"])]


def test_a_prepared_transaction_is_named_as_one():
    session = BlockingSession(None, None, None, None, None, None, ["views.t"])
    assert str(session) == "a prepared transaction (see pg_prepared_xacts) holds views.t"


def test_a_session_that_is_not_shown_is_said_to_be_in_an_unknown_state():
    session = BlockingSession(7, "boss", "", None, None, None, ["views.t"])
    assert str(session) == "pid 7 (boss, state unknown) holds views.t"


def test_ten_relations_of_a_session_are_named():
    session = BlockingSession(7, "boss", "psql", "active", 1.5, "SELECT", [f"views.{n}" for n in range(12)])
    assert str(session) == (
        "pid 7 (boss, application 'psql', active for 1.5 s) holds "
        f"{', '.join(f'views.{n}' for n in range(10))} and 2 more: SELECT"
    )


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT a FROM views.t", "SELECT"),
        ("  (\n select 1)", "SELECT"),
        ("lock table views.t", "LOCK"),
        ("SELECTION", "another statement"),
        ("/* SELECT */ VALUES (1)", "another statement"),
    ],
)
def test_only_the_kind_of_a_statement_is_read(query, kind, other, execute):
    other.execute("SELECT a FROM views.t; SAVEPOINT a")
    with suppress(DatabaseError):
        other.execute(query)
    (session,) = find_blocking_sessions(connections["default"], [oid(execute)])
    assert session.statement == kind


def test_work_that_was_overtaken_is_done_again_from_the_start(execute):
    tries, said = [], []

    def work(connection):
        tries.append(execute("SELECT to_regclass('views.made') IS NOT NULL")[0][0])
        execute("CREATE TABLE views.made ()")
        if len(tries) < 3:
            raise Overtaken("views.v was given a grant")
        return "done"

    with override_settings(ORM_VIEWS={"LOCK_WAIT": 30}):
        assert in_transaction(connections["default"], work, said.append) == "done"
    assert tries == [False] * 3
    assert said == ["views.v was given a grant; all of it is tried again"] * 2


def test_work_that_takes_longer_than_lock_wait_is_done_again_too():
    tries = []

    def work(connection):
        tries.append(1)
        time.sleep(0.01)
        if len(tries) <= 3:
            raise Overtaken("views.v was given a grant")
        return "done"

    with override_settings(ORM_VIEWS={"LOCK_WAIT": 0.001}):
        assert in_transaction(connections["default"], work) == "done"


def test_work_that_is_overtaken_for_too_long_is_given_up():
    tries = []

    def work(connection):
        tries.append(1)
        raise Overtaken("views.v was given a grant")

    with (
        override_settings(ORM_VIEWS={"LOCK_WAIT": 0.001}),
        pytest.raises(SyncFailedError, match=r"views\.v was given a grant. Nothing was changed; sync again"),
    ):
        in_transaction(connections["default"], work)
    assert len(tries) == 4


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_sees_what_others_commit_whatever_the_role_is_set_to(level, other, execute):
    execute(f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}")

    def work(connection):
        assert execute("SELECT count(*) FROM views.t") == [(0,)]
        other.execute("INSERT INTO views.t VALUES (1)")
        other.connection.commit()
        return execute("SELECT count(*) FROM views.t")

    try:
        assert in_transaction(connections["default"], work) == [(1,)]
    finally:
        execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
