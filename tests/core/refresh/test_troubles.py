"""What refreshes and their command do when a database does not answer or a thread cannot be started."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.exceptions import DatabaseUnavailableError, RefreshError
from orm_views_core.output.openmetrics import openmetrics
from orm_views_core.refresh import plan_refresh, refresh_views, threads
from orm_views_core.refresh.listener import Listener
from orm_views_core.status import get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import query

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "warehouse"]),
    pytest.mark.usefixtures("committed_views"),
]


def declare(class_name, sql="SELECT 1 AS id", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def names(results):
    return sorted(result.name.name for result in results)


@pytest.fixture
def warehouse_is_away(misdirect):
    """Two databases with a view each; one of the databases does not answer."""
    declare("A")
    declare("There", database="warehouse")
    sync_views()
    misdirect("warehouse", {"HOST": "/nowhere"})


def test_the_views_of_other_databases_are_refreshed_if_one_does_not_answer(warehouse_is_away):
    with pytest.raises(RefreshError, match=r"'warehouse'.* does not answer") as failure:
        refresh_views()
    assert [(result.name.name, result.ok) for result in failure.value.results] == [("a", True)]
    with pytest.raises(DatabaseUnavailableError, match="'warehouse'"):
        refresh_views(databases=["warehouse"])
    with pytest.raises(DatabaseUnavailableError, match="'warehouse'"):
        plan_refresh()


def test_a_database_that_does_not_answer_does_not_matter_for_named_views_of_another(warehouse_is_away):
    assert names(refresh_views(["a"])) == ["a"]
    with pytest.raises(DatabaseUnavailableError, match="'warehouse'"):
        refresh_views(["there"])


def test_the_command_refreshes_the_others_and_exits_with_1(warehouse_is_away, capsys):
    with pytest.raises(CommandError, match="does not answer") as failure:
        call_command("refresh_views", "--json")
    assert failure.value.returncode == 1
    assert [fact["outcome"] for fact in json.loads(capsys.readouterr().out)] == ["refreshed"]


def test_an_empty_list_of_views_refreshes_none():
    declare("A")
    sync_views()
    assert refresh_views([]) == []
    assert plan_refresh([]) == []


def test_a_database_that_is_named_twice_is_one():
    declare("A")
    sync_views()
    assert len(plan_refresh(databases=["default", "default"])) == 1


def test_a_plain_view_of_the_same_name_in_another_database_is_ignored():
    declare("Same")
    declare("Other", name="same", materialised=False, database="warehouse")
    sync_views()
    assert [(result.database, result.name.name) for result in refresh_views(["same"])] == [
        ("default", "same")
    ]


def test_a_single_failure_is_printed_as_json_too(capsys):
    declare("A", "SELECT 1 / (SELECT count(*) FROM public.lending_customer) AS id", with_data=False)
    sync_views()
    with pytest.raises(CommandError, match="division by zero"):
        call_command("refresh_views", "--json")
    (fact,) = json.loads(capsys.readouterr().out)
    assert (fact["outcome"], "division by zero" in fact["error"]) == ("failed", True)


def test_two_classes_that_claim_one_name_are_one_series():
    declare("A")
    sync_views()
    for each in ("First", "Second"):
        declare(each, "", name="twice")
    lines = list(openmetrics(get_statuses(["default"])))
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    assert any('view="views.twice",state="invalid"' in sample for sample in samples)


def test_openmetrics_has_no_age_of_rows_that_no_sync_has_recorded(settings):
    settings.ORM_VIEWS = {"REFRESH_EVERY": dt.timedelta(seconds=1)}
    declare("A")
    declare("Empty", with_data=False)
    sync_views()
    query("COMMENT ON MATERIALIZED VIEW views.a IS 'Mine.'")
    found = [line for line in openmetrics(get_statuses(["default"])) if not line.startswith("#")]
    assert not [line for line in found if "overdue" in line or ("_stale" in line and "views.a" in line)]
    assert 'orm_views_stale{database="default",view="views.empty"} 1' in found


def test_if_a_thread_cannot_be_started_the_others_end(monkeypatch):
    for name in "ABC":
        declare(name)
    sync_views()
    real, started = threading.Thread.start, []

    def start(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    monkeypatch.setattr(threads.threading.Thread, "start", start)
    with pytest.raises(RuntimeError, match="can't start"):
        refresh_views(jobs=2)
    assert not started[0].is_alive()


def test_a_connection_that_its_thread_has_closed_is_not_cancelled(monkeypatch):
    own = connections.create_connection("default")
    own.inc_thread_sharing()
    own.connect()
    own.connection.close()  # psycopg 2 refuses to cancel on a closed connection, psycopg 3 does not
    ended: list[str] = []
    workers = threads.Workers(1, Listener())
    is_at_work, may_end = threading.Event(), threading.Event()

    def refresh(task):
        workers._at_work[threading.get_ident()] = own
        is_at_work.set()
        assert may_end.wait(20)
        ended.append(task)

    monkeypatch.setattr(workers, "_refresh", refresh)
    workers.give("a task")
    assert is_at_work.wait(20)
    threading.Timer(0.5, may_end.set).start()
    workers.stop()
    assert ended == ["a task"], "stop() waits for the task"


def test_ctrl_c_ends_jobs_that_wait_for_a_lock(settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 60}
    for name in "AB":
        declare(name)
    sync_views()
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    timer = threading.Timer(1.5, os.kill, [os.getpid(), signal.SIGINT])
    # A process that a shell has started in the background ignores SIGINT by default.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT * FROM views.a, views.b")
        time.sleep(0.3)  # until the reader's transaction is older than LOCK_TIMEOUT
        timer.start()
        with pytest.raises(CommandError, match="Interrupted") as failure:
            call_command("refresh_views", "--jobs", "2")
        assert failure.value.returncode == 130
        assert query("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)]
        # The reader's transaction is still open, so the refresh did not end because the reader did.
        assert query("SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'idle in transaction'") == [
            (True,)
        ]
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
        other.close()
