"""Syncs that wait: for one another, and for those that read or alter what they change."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.db import connections

from orm_views_core.exceptions import DatabaseUnavailableError, LockNotAvailableError, SyncFailedError
from orm_views_core.sync import Progress, sync_views

from .server import declare, states, sync

pytestmark = pytest.mark.usefixtures("server", "registered")


@contextmanager
def holding(server, *statements, seconds=60):
    """Run statements in another connection, which ends with the block, when told, or after some seconds."""
    ready, over = threading.Event(), threading.Event()

    def work():
        with server.connection() as cursor:
            for sql in statements:
                cursor.execute(sql)
            ready.set()
            over.wait(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(10)
        yield over.set
    finally:
        over.set()
        thread.join()


def lock(server):
    return f"SELECT GET_LOCK('orm_views:{server.name}', 0)"


def test_a_sync_waits_for_another_one_and_says_so(server):
    declare("One", "SELECT id FROM item")
    said = []
    with holding(server, lock(server)) as let_go:

        def on_wait(what):
            said.append(str(what))
            let_go()

        results = sync_views(databases=["default"], progress=Progress(on_wait=on_wait))
    assert [step.step.action.verb for result in results for step in result.steps] == ["create"]
    assert len(said) == 1
    assert said[0].startswith("another sync of this database is running: connection ")


def test_a_sync_that_waits_for_too_long_says_who_has_the_lock(server, settings):
    settings.ORM_VIEWS = {"SYNC_WAIT": 0.5}
    declare("One", "SELECT id FROM item")
    held = pytest.raises(LockNotAvailableError, match=r"connection \d+ held the sync lock.*Nothing was chang")
    with holding(server, lock(server)), held:
        sync()
    assert server.views() == {}


def test_concurrent_syncs_take_turns(server):
    for number in range(6):
        declare(f"V{number}", "SELECT id FROM item")
    done, errors = [], []

    def work():
        try:
            done.append(len(sync()))
        except Exception as error:  # noqa: BLE001 - it is compared below
            errors.append(error)
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(done) == [0, 0, 6]
    assert set(states().values()) == {"synced"}


def test_a_reader_that_holds_a_view_makes_a_sync_give_up_and_say_what_was_done(server, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.1, "LOCK_TIMEOUT": 0.1}
    for name in "ABC":
        declare(name, "SELECT id FROM item")
    sync()
    for name in "ABC":
        declare(name, "SELECT id, code FROM item")
    with holding(server, "START TRANSACTION", "SELECT * FROM views_b"):
        with pytest.raises(LockNotAvailableError) as refused:
            sync()
        assert len(server.run("SELECT * FROM views_b")) == 2  # whoever reads need not wait any more
    assert "CREATE OR REPLACE VIEW `views_b` did not get its locks" in str(refused.value)
    assert "1 of 3 steps was done: replace views.a." in str(refused.value)
    assert states() == {"views.a": "synced", "views.b": "changed", "views.c": "changed"}
    assert sync() == ["replace views.b", "replace views.c"]


def test_a_sync_goes_on_when_a_reader_ends(server):
    declare("One", "SELECT id FROM item")
    sync()
    declare("One", "SELECT id, code FROM item")
    with holding(server, "START TRANSACTION", "SELECT * FROM views_one", seconds=1.2):
        assert sync() == ["replace views.one"]


def test_whoever_reads_while_views_are_replaced_sees_one_version_or_the_other(server):
    over, seen, errors = threading.Event(), set(), []

    def read():
        with server.connection() as cursor:
            while not over.is_set():
                try:
                    cursor.execute("SELECT version FROM views_top")
                    seen.update(row[0] for row in cursor.fetchall())
                except Exception as error:  # noqa: BLE001 - it is compared below
                    errors.append(error)

    def declare_all(version):
        declare("Bottom", f"SELECT id, '{version}' AS version FROM item")
        declare("Top", f"SELECT id, version, '{version}' AS again FROM views.bottom")

    declare_all("a")
    sync()
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(10):
            declare_all("ba"[number % 2])
            assert sync() == ["replace views.bottom", "replace views.top"]
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert seen == {"a", "b"}


def test_a_sync_whose_connection_is_lost_says_what_was_done(server):
    for name in "ABC":
        declare(name, "SELECT id FROM item")

    def on_done(result):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            server.run(f"KILL {cursor.fetchone()[0]}")

    with pytest.raises(SyncFailedError) as failed:
        sync_views(databases=["default"], progress=Progress(on_done=on_done))
    assert "1 of 3 steps was done: create views.a." in str(failed.value)
    assert set(server.views()) == {"views_a"}
    assert sync() == ["create views.b", "create views.c"]


@pytest.mark.parametrize("statement", ["VIEW `orm_views_try", "VIEW `views_a`", "REPLACE INTO"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_an_interrupted_sync_ends_with_the_interruption_and_the_next_one_finishes(server, statement, is_lost):
    for name in "AB":
        declare(name, "SELECT id FROM item")

    def interrupt(execute, sql, params, many, context):
        if statement in sql and not sql.startswith("DROP"):
            if is_lost:  # as after an interruption in the midst of an answer
                server.run(f"KILL {context['connection'].connection.thread_id()}")
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with pytest.raises(KeyboardInterrupt), connections["default"].execute_wrapper(interrupt):
        sync()
    sync()
    assert set(server.views()) == {"views_a", "views_b"}
    assert set(states().values()) == {"synced"}
    assert sync() == []


def test_a_server_that_does_not_answer_is_named(server):
    settings = connections["default"].settings_dict
    connections["default"].close()
    before, settings["HOST"] = settings["HOST"], "/nowhere/s"
    try:
        with pytest.raises(DatabaseUnavailableError, match=rf"\(/nowhere/s/{server.name}\) does not answer"):
            sync()
    finally:
        connections["default"].close()
        settings["HOST"] = before


def test_the_session_is_as_it_was(server):
    query = "SELECT @@SESSION.lock_wait_timeout, @@SESSION.max_statement_time, @@SESSION.sql_mode"
    with connections["default"].cursor() as cursor:
        cursor.execute(query)
        before = cursor.fetchone()
    declare("One", "SELECT id FROM item")
    sync()
    with connections["default"].cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchone() == before
        cursor.execute("SELECT IS_FREE_LOCK(%s)", [f"orm_views:{server.name}"])
        assert cursor.fetchone() == (1,)
