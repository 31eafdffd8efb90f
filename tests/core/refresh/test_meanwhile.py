"""What other sessions do while a refresh waits or a sync runs: clocks, commits, replaced views."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connections, transaction
from django.utils import timezone

from orm_views_core.database.sync_state import split_comment
from orm_views_core.exceptions import RefreshError, SyncFailedError
from orm_views_core.refresh import Outcome, refresh_views
from orm_views_core.status import get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import AT_THE_GATE, GATED, WAITING, Background, closed_gate, query, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views", "gate")]


@pytest.fixture
def other():
    """Another session."""
    own = connections.create_connection("default")
    own.inc_thread_sharing()
    with own.cursor() as cursor:
        yield cursor
    own.close()


def declare(name, sql="SELECT id FROM numbers", **attributes):
    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    return type(name, bases, {"sql": sql, "__module__": __name__, **attributes})


def state(name):
    ((comment,),) = query(f"SELECT obj_description('views.{name}'::regclass)")
    return split_comment(comment)[1]


def test_a_sync_records_the_time_of_the_databases_clock(monkeypatch):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + dt.timedelta(hours=1))
    declare("A")
    sync_views()
    ((now,),) = query("SELECT clock_timestamp()")
    assert state("a").refreshed <= now
    assert state("a").synced <= now


def test_the_view_that_a_sync_creates_meanwhile_is_the_one_that_is_refreshed():
    query("INSERT INTO numbers SELECT generate_series(2, 50)")
    below = declare("B", "SELECT 1 AS id")
    # It declares that it reads the other view, so the sync builds it during the swap, with its lock held.
    declare("A", GATED, view_dependencies=[below])
    sync_views()
    before = state("a").refreshed
    below.sql = "SELECT 2 AS id"
    waits: list[str] = []
    with closed_gate() as open_gate:
        sync = Background(sync_views)
        wait_until(AT_THE_GATE)
        refresh = Background(lambda: refresh_views(["a"], on_wait=lambda _, what: waits.append(what)))
        while not waits:
            pass
        open_gate()
    sync.join()
    (result,) = refresh.join()
    assert result.outcome in {Outcome.REFRESHED, Outcome.JOINED}
    assert result.rows_after == 50
    assert state("a").refreshed > before
    assert state("a").refreshed == result.started.replace(
        microsecond=result.started.microsecond // 1000 * 1000
    )


def test_a_sync_of_a_comment_keeps_the_time_of_a_refresh_that_ended_meanwhile():
    # Steps are in the order of the declarations, so the comment comes after the build.
    building = declare("Building", "SELECT 1 AS id")
    view = declare("View")
    sync_views()
    view.__doc__, building.sql = "Another docstring.", GATED
    with closed_gate() as open_gate:
        sync = Background(sync_views)
        wait_until(AT_THE_GATE)
        (result,) = refresh_views(["view"])
        known = state("view")
        assert known.refreshed <= result.started
        open_gate()
    sync.join()
    assert (state("view").refreshed, state("view").changes) == (known.refreshed, known.changes)
    assert query("SELECT obj_description('views.view'::regclass) LIKE 'Another%%'") == [(True,)]


def test_no_refresh_is_joined_that_could_not_see_the_new_rows_of_its_sources():
    query("CREATE TABLE loans (id int PRIMARY KEY); INSERT INTO loans VALUES (1)")
    try:
        declare("A", "SELECT id FROM loans", pk_field="id")
        declare("C", "SELECT a.id FROM views.a CROSS JOIN (SELECT gate() AS open OFFSET 0) AS g WHERE g.open")
        sync_views()
        query("INSERT INTO loans VALUES (2)")
        done, go = threading.Event(), threading.Event()

        def refresh_and_commit_later():
            with transaction.atomic():
                refresh_views(["a"])
                done.set()
                assert go.wait(30)

        with closed_gate() as open_gate:
            deferred = Background(refresh_and_commit_later)
            assert done.wait(30)
            early = Background(lambda: refresh_views(["c"]))
            wait_until(AT_THE_GATE)
            both = Background(lambda: refresh_views(["a", "c"]))
            wait_until(WAITING)
            go.set()
            deferred.join()
            open_gate()
        early.join()
        assert [result.outcome for result in both.join()] == [Outcome.JOINED, Outcome.REFRESHED]
        assert query("SELECT count(*) FROM views.c") == [(2,)]
    finally:
        query("DROP TABLE loans CASCADE")


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_rows_are_no_newer_than_the_snapshot_of_the_callers_transaction(other, level):
    declare("A")
    sync_views()
    with transaction.atomic():
        query(f"SET TRANSACTION ISOLATION LEVEL {level}")
        query("SELECT 1")
        other.execute("INSERT INTO numbers VALUES (2)")
        other.execute("SELECT clock_timestamp()")
        (committed,) = other.fetchone()
        (result,) = refresh_views()
        assert query("SELECT count(*) FROM views.a") == [(1,)]
        assert result.started < committed
        assert state("a").refreshed < committed


def test_the_callers_transaction_keeps_its_lock_timeout():
    declare("A")
    sync_views()
    with transaction.atomic():
        query("SET LOCAL lock_timeout = '30s'")
        refresh_views()
        assert query("SHOW lock_timeout") == [("30s",)]
        sync_views()
        assert query("SHOW lock_timeout") == [("30s",)]


def test_without_autocommit_nothing_begins_because_it_would_not_be_committed(misdirect):
    declare("A")
    sync_views()
    misdirect("default", {"AUTOCOMMIT": False})
    with pytest.raises(RefreshError, match="AUTOCOMMIT False"):
        refresh_views()
    with pytest.raises(SyncFailedError, match="AUTOCOMMIT False"):
        sync_views()
    connections["default"].close()


def test_a_role_that_may_not_write_the_comment_gets_an_error_before_anything_is_computed(make_role):
    declare("A", GATED)
    sync_views()
    (passed,) = query("SELECT last_value FROM passed")
    query(f'SET ROLE "{make_role("keeper")}"')
    try:
        with pytest.raises(RefreshError, match="only a member of that role may refresh it"):
            refresh_views()
    finally:
        query("RESET ROLE")
    assert query("SELECT last_value FROM passed") == [passed]


def test_a_damaged_sync_state_counts_as_none():
    declare("A")
    declare("B")
    sync_views()
    for old, new in ((" s", " q"), (" t", " tx")):
        sync_views(force=True)
        ((comment,),) = query("SELECT obj_description('views.a'::regclass)")
        assert old in comment
        query("COMMENT ON MATERIALIZED VIEW views.a IS %s", [comment.replace(old, new)])
        (status,) = get_statuses(["default"])
        assert [(view.name.name, view.state.value) for view in status.views] == [
            ("a", "changed"),
            ("b", "synced"),
        ]
        assert len(refresh_views(jobs=2)) == 2
