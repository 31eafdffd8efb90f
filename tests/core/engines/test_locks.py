"""Waiting for locks: no statement waits long, and the final error names the blocking sessions."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction
from django.test import override_settings

from orm_views_core.engines.postgresql.locking.advisory_locks import SYNC_LOCK
from orm_views_core.engines.postgresql.locking.locks import in_transaction, limit_lock_waits
from orm_views_core.engines.postgresql.locking.turns import take_sync_lock
from orm_views_core.engines.postgresql.rows import count_rows, estimate_rows, read_rows
from orm_views_core.exceptions import (
    LockNotAvailableError,
    RefreshError,
    RowsUnavailableError,
    SyncFailedError,
)
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

IMPATIENT = {"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 0.3}


def pid(cursor):
    cursor.execute("SELECT pg_backend_pid()")
    return cursor.fetchone()[0]


def declare(class_name="Loans", sql="SELECT 1 AS id", materialised=False, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def test_a_sync_that_a_reader_is_in_the_way_of_names_the_reader_and_changes_nothing(
    registered, other, take_picture
):
    declare()
    sync_views()
    before = take_picture()
    other.execute("SET application_name = 'a long report'; SELECT * FROM views.loans")
    with registered.isolated(), override_settings(ORM_VIEWS=IMPATIENT):
        declare(sql="SELECT 'x' AS code")
        with pytest.raises(LockNotAvailableError) as caught:
            sync_views()
    said = str(caught.value)
    assert f"pid {pid(other)} " in said
    assert "a long report" in said
    assert "idle in transaction" in said
    assert "within 0.3 s (ORM_VIEWS['LOCK_WAIT'])" in said
    assert "Database 'default'" in said
    assert "Nothing was changed" in said
    assert take_picture() == before


def test_a_sync_goes_through_as_soon_as_the_reader_is_gone(registered, other, execute):
    declare()
    sync_views()
    other.execute("SELECT * FROM views.loans")
    gone = threading.Timer(0.3, other.connection.rollback)
    with registered.isolated(), override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 30}):
        declare(sql="SELECT 'x' AS code")
        gone.start()
        (result,) = sync_views()
        gone.join()
    assert len(result.steps) == 1
    assert execute("SELECT code FROM views.loans") == [("x",)]


def test_a_change_that_nobody_is_in_the_way_of_needs_no_wait(registered, other, execute):
    declare()
    declare("Cities", "SELECT 2 AS id")
    sync_views()
    other.execute("SELECT * FROM views.loans")
    with registered.isolated(), override_settings(ORM_VIEWS=IMPATIENT):
        declare()
        declare("Cities", "SELECT 'x' AS code")
        sync_views()
    assert execute("SELECT code FROM views.cities") == [("x",)]


def test_a_second_sync_of_unchanged_views_waits_for_no_refresh(other):
    declare(materialised=True)
    sync_views()
    other.execute("REFRESH MATERIALIZED VIEW views.loans")
    with override_settings(ORM_VIEWS=IMPATIENT):
        (result,) = sync_views()
    assert result.steps == ()


def test_a_view_that_is_being_refreshed_makes_no_page_wait(other):
    declare(materialised=True)
    declare("Reader", "SELECT id FROM views.loans")
    sync_views()
    other.execute("REFRESH MATERIALIZED VIEW views.loans")
    loans, reader = ViewName("views", "loans"), ViewName("views", "reader")
    with override_settings(ORM_VIEWS={**IMPATIENT, "COUNT_TIMEOUT": 0.2, "PREVIEW_TIMEOUT": 0.2}):
        (status,) = get_statuses()
        assert {view.state.value for view in status.views} == {"synced"}
        assert estimate_rows("default", [loans, reader]) == {}
        assert count_rows("default", loans).exact is False
        with pytest.raises(RowsUnavailableError):
            read_rows("default", reader, limit=1)


def test_a_plan_that_has_to_read_what_is_locked_names_who_holds_it(other):
    declare(sql="SELECT id FROM lending_loan")
    other.execute("LOCK TABLE lending_loan IN ACCESS EXCLUSIVE MODE")
    with (
        override_settings(ORM_VIEWS=IMPATIENT),
        pytest.raises(LockNotAvailableError, match=f"pid {pid(other)} "),
    ):
        plan_views()


def test_a_refresh_that_a_reader_is_in_the_way_of_names_the_reader(other):
    declare(materialised=True)
    sync_views()
    other.execute("SELECT * FROM views.loans")
    with (
        override_settings(ORM_VIEWS=IMPATIENT),
        pytest.raises(LockNotAvailableError, match=f"pid {pid(other)} "),
    ):
        refresh_views(["loans"])


def test_a_concurrent_refresh_waits_for_no_reader(other):
    declare(materialised=True, pk_field="id")
    sync_views()
    other.execute("SELECT * FROM views.loans")
    with override_settings(ORM_VIEWS=IMPATIENT):
        (result,) = refresh_views(["loans"])
    assert result.concurrently


def test_two_syncs_never_run_at_once(other, execute):
    declare()
    other.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
    done = threading.Event()

    def sync():
        try:
            sync_views()
            done.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=sync)
    with override_settings(ORM_VIEWS=IMPATIENT):
        thread.start()
        thread.join(1)
        assert not done.is_set(), "it waits its turn, for longer than LOCK_WAIT"
        assert execute("SELECT to_regclass('views.loans')") == [(None,)]
        other.connection.rollback()
        thread.join(20)
    assert done.is_set()
    assert execute("SELECT id FROM views.loans") == [(1,)]


def test_the_sync_lock_ends_with_the_transaction(other):
    connection = connections["default"]
    in_transaction(connection, take_sync_lock)
    other.execute("SELECT pg_try_advisory_xact_lock(%s)", [SYNC_LOCK])
    assert other.fetchone() == (True,)


@pytest.mark.parametrize(("seconds", "setting"), [(0.2, "200ms"), (0.001, "1ms"), (2, "500ms")])
def test_the_lock_time_out_holds_for_the_transaction_only_and_is_half_of_the_deadlock_time_out_at_most(
    seconds, setting, execute
):
    connection = connections["default"]

    def work(connection):
        limit_lock_waits(connection)
        return execute("SHOW lock_timeout")

    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": seconds}):
        assert in_transaction(connection, work) == [(setting,)]
    assert execute("SHOW lock_timeout") == [("0",)]


def test_work_that_meets_a_lock_is_done_again_from_the_start(other, execute):
    connection = connections["default"]
    execute("CREATE SCHEMA views; CREATE TABLE views.t (a int)")
    other.execute("LOCK TABLE views.t IN ACCESS EXCLUSIVE MODE")
    tries, said = [], []

    def work(connection):
        limit_lock_waits(connection)
        tries.append(execute("SELECT count(*) FROM pg_tables WHERE tablename = 'made_before'")[0][0])
        execute("CREATE TABLE views.made_before ()")
        if len(tries) == 3:
            other.connection.rollback()
        return execute("SELECT count(*) FROM views.t")

    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.02, "LOCK_WAIT": 30}):
        assert in_transaction(connection, work, said.append) == [(0,)]
    assert tries == [0, 0, 0], "what a try did was rolled back before the next"
    assert len(said) == 2


def test_errors_that_are_not_about_locks_are_not_tried_again():
    connection = connections["default"]
    tries = []

    def work(sql):
        def run(connection):
            tries.append(sql)
            with connection.cursor() as cursor:
                cursor.execute(sql)

        return run

    with pytest.raises(SyncFailedError, match="division by zero"):
        in_transaction(connection, work("SELECT 1 / 0"))
    with transaction.atomic():
        work("SET LOCAL statement_timeout = 20")(connection)
        with pytest.raises(SyncFailedError, match=r"statement_timeout \(0\.02 s\)"):
            in_transaction(connection, work("SELECT pg_sleep(5)"))
    with pytest.raises(SyncFailedError, match=r"Database 'default'.*1664 entries"):
        in_transaction(connection, work("SELECT " + ", ".join(["1"] * 1700)))
    assert len(tries) == 4


def test_a_lost_connection_names_the_database(other):
    connection = connections["default"]

    def work(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
            cursor.execute("SELECT pg_sleep(5)")

    with pytest.raises(SyncFailedError, match=r"Database 'default': its session was terminated"):
        in_transaction(connection, work)
    connection.close()


def test_a_connection_that_the_driver_has_found_closed_names_the_database():
    connection = connections["default"]

    def work(connection):
        connection.connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    with pytest.raises(SyncFailedError, match=r"Database 'default': its session was terminated"):
        in_transaction(connection, work)
    connection.close()


def test_an_error_of_ours_passes_through():
    def work(connection):
        raise RefreshError("as it is")

    with pytest.raises(RefreshError, match=r"^as it is$"):
        in_transaction(connections["default"], work)


def test_what_work_returns_is_returned_and_committed(other, execute):
    connection = connections["default"]
    execute("CREATE SCHEMA views")
    assert in_transaction(connection, lambda _: execute("CREATE TABLE views.t ()") or "done") == "done"
    other.execute("SELECT to_regclass('views.t') IS NOT NULL")
    assert other.fetchone() == (True,)
