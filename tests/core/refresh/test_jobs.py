"""Several refreshes at once, in dependency order, and the signals and callbacks in the caller's thread."""

from __future__ import annotations

import logging
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from orm_views_core import signals
from orm_views_core.exceptions import RefreshError
from orm_views_core.refresh import Outcome, refresh_views
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import AT_THE_GATE, GATED, Background, closed_gate, query, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: A backend ends a moment after its connection has been closed.
NO_OTHER_BACKEND = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
HAVING count(*) = 1
"""


def declare(class_name, sql="SELECT 1 AS id", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@pytest.fixture
def listen():
    """Return a function that connects a receiver to a signal until the end of the test."""
    connected = []

    def listen(name, receiver):
        signal = getattr(signals, name)
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield listen
    for signal, receiver in connected:
        signal.disconnect(receiver)


@pytest.fixture
def seven():
    """Four independent views, and three that read one another, with a plain view between two of them."""
    for letter in "abcd":
        declare(letter.upper())
    declare("Third", "SELECT id FROM views.between")
    declare("Second", "SELECT id FROM views.first")
    declare("Between", "SELECT id FROM views.second", materialised=False)
    declare("First", "SELECT 1 AS id")
    sync_views()


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_order_is_kept_whatever_the_number_of_jobs(seven, jobs):
    results = {result.name.name: result for result in refresh_views(jobs=jobs)}
    assert sorted(results) == ["a", "b", "c", "d", "first", "second", "third"]
    assert results["first"].finished <= results["second"].started
    assert results["second"].finished <= results["third"].started
    assert {result.outcome for result in results.values()} == {Outcome.REFRESHED}
    assert len({result.request for result in results.values()}) == 1
    wait_until(NO_OTHER_BACKEND)


@pytest.mark.usefixtures("gate")
def test_as_many_views_are_refreshed_at_once_as_there_are_jobs():
    for letter in "abcd":
        declare(letter.upper(), GATED)
    sync_views()
    with closed_gate() as open_gate:
        run = Background(lambda: refresh_views(jobs=3))
        wait_until(f"SELECT 1 FROM ({AT_THE_GATE}) AS w HAVING count(*) = 3")
        assert query(f"SELECT count(*) FROM ({AT_THE_GATE}) AS w") == [(3,)]
        open_gate()
        results = run.join()
    assert len({result.pid for result in results}) == 3


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_failure_skips_the_views_that_read_it_and_no_others(execute, jobs):
    execute("CREATE TABLE numbers AS SELECT 1 AS id")
    declare("Good", "SELECT id FROM numbers")
    declare("Bad", "SELECT 1 / (2 - id) AS id FROM numbers")
    declare("Between", "SELECT id FROM views.bad", materialised=False)
    declare("After", "SELECT id FROM views.between")
    declare("Last", "SELECT id FROM views.after")
    declare("Alone", "SELECT id FROM numbers")
    sync_views()
    execute("UPDATE numbers SET id = 2")
    reported = []
    try:
        with pytest.raises(RefreshError) as failure:
            refresh_views(jobs=jobs, on_failed=reported.append)
        found = {result.name.name: result for result in failure.value.results}
        assert {name: result.outcome.value for name, result in found.items()} == {
            "good": "refreshed",
            "bad": "failed",
            "after": "skipped",
            "last": "skipped",
            "alone": "refreshed",
        }
        assert [result.name.name for result in reported] == ["bad", "after", "last"]
        lines = str(failure.value).splitlines()
        assert "views.bad in database 'default' could not be refreshed: division by zero" in lines[0]
        assert lines[-2].endswith(
            "views.after in database 'default' was skipped: it reads views.bad, which was not refreshed."
        )
        assert execute("SELECT id FROM views.good") == [(2,)]
        assert execute("SELECT id FROM views.alone") == [(2,)]
    finally:
        execute("DROP SCHEMA views CASCADE; DROP TABLE numbers")


def test_the_command_prints_each_and_exits_with_1(execute, capsys):
    execute("CREATE TABLE numbers AS SELECT 1 AS id")
    declare("Good", "SELECT id FROM numbers")
    declare("Bad", "SELECT 1 / (2 - id) AS id FROM numbers")
    declare("After", "SELECT id FROM views.bad")
    sync_views()
    execute("UPDATE numbers SET id = 2")
    try:
        for jobs in ("1", "2"):
            with pytest.raises(CommandError, match="division by zero") as failure:
                call_command("refresh_views", "--jobs", jobs, no_color=True)
            assert failure.value.returncode == 1
            out = capsys.readouterr().out
            assert "views.after: skipped" in out
            assert ("... failed" in out) == (jobs == "1")
            assert ("views.bad: failed" in out) == (jobs == "2")
            assert "OK (" in out
    finally:
        execute("DROP SCHEMA views CASCADE; DROP TABLE numbers")


def test_downstream_and_upstream_go_through_plain_views(seven):
    def names(**options):
        return [result.name.name for result in refresh_views(["second"], **options)]

    assert names() == ["second"]
    assert names(downstream=True) == ["second", "third"]
    assert names(upstream=True) == ["first", "second"]
    assert names(upstream=True, downstream=True) == ["first", "second", "third"]


def test_an_unregistered_view_in_between_carries_the_dependency(execute):
    declare("Last", "SELECT id FROM public.theirs")
    first = declare("First")
    with transaction.atomic():
        execute("CREATE SCHEMA views; CREATE MATERIALIZED VIEW views.first AS SELECT 1 AS id")
        execute("CREATE VIEW public.theirs AS SELECT id FROM views.first")
    sync_views()
    try:
        results = refresh_views([f"{first.__module__.split('.')[0]}.First"], downstream=True, jobs=2)
        assert [result.name.name for result in results] == ["first", "last"]
    finally:
        execute("DROP VIEW public.theirs CASCADE")


def test_a_declared_dependency_counts_although_the_sql_does_not_show_it(execute):
    last = declare("First")
    declare("Another", "SELECT 2 AS id", view_dependencies=[last])
    sync_views()
    assert [result.name.name for result in refresh_views(jobs=2)] == ["first", "another"]


def test_the_plan_shows_the_order_and_why_readers_wait_and_refreshes_nothing(seven, capsys, take_picture):
    before = take_picture()
    call_command("refresh_views", "third", "--upstream", "--plan")
    lines = capsys.readouterr().out.splitlines()
    why = "readers wait: it has no unique index on plain columns; set pk_field on its class"
    assert lines[0].startswith(f"  1. views.first ({why}; the last time it took ")
    assert lines[2].startswith("  3. views.third (")
    assert lines[2].endswith("; after views.second)")
    assert take_picture() == before


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize("jobs", [1, 2])
def test_receivers_run_in_the_callers_thread_and_what_they_write_is_committed_at_once(listen, jobs):
    declare("A", GATED)
    declare("B", GATED)
    sync_views()
    query("CREATE TABLE runs (pid int, thread text, request uuid)")

    def write(start, request, **kwargs):
        values = [start.pid, threading.current_thread().name, request]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO runs VALUES (%s, %s, %s)", values)

    listen("view_refresh_started", write)
    names = []

    def refresh():
        names.append(threading.current_thread().name)
        return refresh_views(jobs=jobs)

    try:
        with closed_gate() as open_gate:
            run = Background(refresh)
            wait_until(f"SELECT 1 FROM ({AT_THE_GATE}) AS w HAVING count(*) = {jobs}")
            at_work = {pid for (pid,) in query(AT_THE_GATE)}
            wait_until(f"SELECT 1 FROM runs HAVING count(*) >= {jobs}")
            assert {pid for (pid,) in query("SELECT pid FROM runs")} == at_work
            open_gate()
            results = run.join()
        assert query("SELECT DISTINCT thread, request FROM runs") == [(names[0], results[0].request)]
        assert query("SELECT count(*) FROM runs") == [(2,)]
    finally:
        query("DROP TABLE runs")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_receiver_that_raises_stops_nothing_and_is_logged(seven, listen, jobs, caplog):
    def broken(**kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    signals_of_a_refresh = ["view_refresh_started", "view_refreshed"]
    for name in signals_of_a_refresh:
        listen(name, broken)
    with caplog.at_level(logging.ERROR, "django.dispatch"):
        results = refresh_views(jobs=jobs)
    assert {result.outcome for result in results} == {Outcome.REFRESHED}
    assert len(caplog.records) == 14
    assert "division by zero" in caplog.text


@pytest.mark.usefixtures("gate")
def test_an_interrupted_call_cancels_the_running_refreshes(listen):
    declare("A", GATED)
    declare("B", GATED)
    sync_views()
    failed = []
    listen("view_refresh_failed", lambda result, **kwargs: failed.append(result))
    begun, before = [], set(threading.enumerate())

    def give_up(definition, concurrently, why_not):
        begun.append(definition)
        if len(begun) == 2:
            wait_until(f"SELECT 1 FROM ({AT_THE_GATE}) AS w HAVING count(*) = 2")
            raise KeyboardInterrupt

    with closed_gate():
        with pytest.raises(KeyboardInterrupt):
            refresh_views(jobs=2, on_start=give_up)
        assert query(AT_THE_GATE) == []
    assert sorted(result.name.name for result in failed) == ["a", "b"]
    assert set(threading.enumerate()) <= before
    wait_until(NO_OTHER_BACKEND)


def test_an_interrupted_call_reports_the_refreshes_that_had_begun(listen):
    declare("A")
    declare("B", "SELECT id FROM views.a")
    sync_views()
    sent = []
    listen("view_refresh_started", lambda start, **kwargs: sent.append(("started", start.name.name)))
    listen("view_refresh_failed", lambda result, **kwargs: sent.append(("failed", str(result.error))))

    def interrupt(definition, concurrently, why_not):
        if definition.name.name == "b":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh_views(on_start=interrupt)
    error = "views.b in database 'default' was not refreshed: interrupted by KeyboardInterrupt."
    assert sent == [("started", "a"), ("started", "b"), ("failed", error)]
    assert not connection.in_atomic_block


def test_inside_a_transaction_all_refreshes_are_part_of_it(seven):
    before = query("SELECT obj_description('views.a'::regclass)")
    with transaction.atomic():
        ((pid,),) = query("SELECT pg_backend_pid()")
        results = refresh_views(jobs=4)
        assert {result.pid for result in results} == {pid}
        transaction.set_rollback(True)
    assert query("SELECT obj_description('views.a'::regclass)") == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refresh_that_is_not_wanted_any_more_fails_with_that_reason_and_computes_nothing(listen, jobs):
    declare("A")
    declare("B", "SELECT id FROM views.a")
    declare("C")
    sync_views()
    before, started, asked_in = query("SELECT obj_description('views.a'::regclass)"), [], set()
    listen("view_refresh_started", lambda start, **kwargs: started.append(start.name.name))

    def veto(start):
        assert start.name.name in started
        asked_in.add(threading.current_thread())
        return "Somebody has cancelled it." if start.name.name == "a" else ""

    with pytest.raises(RefreshError, match=r"Somebody has cancelled it\.") as failure:
        refresh_views(jobs=jobs, veto=veto)
    outcomes = {result.name.name: result.outcome for result in failure.value.results}
    assert outcomes == {"a": Outcome.FAILED, "b": Outcome.SKIPPED, "c": Outcome.REFRESHED}
    assert sorted(started) == ["a", "c"]
    assert asked_in == {threading.current_thread()}
    assert query("SELECT obj_description('views.a'::regclass)") == before


def test_a_job_that_waits_for_the_answer_ends_when_the_caller_is_interrupted():
    declare("A")
    declare("B")
    sync_views()
    before = set(threading.enumerate())

    def interrupt(start):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh_views(jobs=2, veto=interrupt)
    assert set(threading.enumerate()) <= before
    wait_until(NO_OTHER_BACKEND)


@pytest.mark.parametrize("jobs", [0, -1])
def test_there_is_at_least_one_job(jobs):
    with pytest.raises(ValueError, match=f"jobs is {jobs}"):
        refresh_views(jobs=jobs)
    with pytest.raises(CommandError, match=f"--jobs is {jobs}"):
        call_command("refresh_views", f"--jobs={jobs}")


@pytest.mark.django_db(transaction=True, databases=["default", "warehouse"])
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_database_that_fails_stops_no_other(jobs, listen):
    declare("Here")
    declare("There", database="warehouse")
    sync_views(databases=["default"])
    with pytest.raises(RefreshError, match=r"views\.there is not there in database 'warehouse'") as failure:
        refresh_views(jobs=jobs)
    found = {result.name.name: result.ok for result in failure.value.results}
    assert found == {"here": True, "there": False}
    with connections["warehouse"].cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS views CASCADE")


def test_readers_never_wait_for_a_lock_during_a_concurrent_refresh(gate):
    declare("A", GATED, pk_field="id")
    sync_views()
    stop, errors, reads = threading.Event(), [], [0] * 8

    def read(number):
        query("SET lock_timeout = '20ms'")
        while not stop.is_set():
            query("SELECT count(*) FROM views.a")
            reads[number] += 1

    readers = [Background(lambda n=n: read(n)) for n in range(8)]
    try:
        for _ in range(5):
            with closed_gate() as open_gate:
                run = Background(refresh_views)
                wait_until(AT_THE_GATE)
                before = list(reads)
                while min(now - then for now, then in zip(reads, before, strict=True)) < 3:
                    assert all(reader.error is None for reader in readers), [r.error for r in readers]
                open_gate()
                assert run.join()[0].concurrently
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []


def test_a_sync_sends_signals_when_it_begins_ends_and_fails(listen):
    sent = []
    for name in ("views_sync_started", "views_synced", "views_sync_failed"):
        listen(name, lambda name=name, **arguments: sent.append((name, arguments)))
    declare("A")
    (result,) = sync_views()
    declare("Wrong", "SELECT nothing")
    with pytest.raises(Exception, match="nothing") as failure:
        sync_views()
    assert [name for name, _ in sent] == [
        "views_sync_started",
        "views_synced",
        "views_sync_started",
        "views_sync_failed",
    ]
    started, synced, again, failed = (arguments for _, arguments in sent)
    assert started["request"] == synced["request"] != again["request"] == failed["request"]
    assert synced["result"] is result
    assert failed["error"] is failure.value
    assert failed["database"] == "default"
    assert failed["seconds"] > 0


def test_a_receiver_that_raises_stops_no_sync(listen):
    def broken(**arguments):
        raise ValueError("not ours")

    listen("views_sync_started", broken)
    listen("views_synced", broken)
    declare("A")
    sync_views()
    assert query("SELECT id FROM views.a") == [(1,)]
