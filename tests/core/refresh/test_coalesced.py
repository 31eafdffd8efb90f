"""A second refresh of a view joins the one that is running, and its result says as of when the rows are."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.db import connection

from orm_views_core import signals
from orm_views_core.engines.postgresql.locking.advisory_locks import REFRESH_LOCK
from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.names import ViewName
from orm_views_core.refresh import Outcome, refresh_materialized_view, refresh_views
from orm_views_core.refresh_locks import cancel, find_running
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import AT_THE_GATE, GATED, WAITING, Background, closed_gate, query, wait_until
from tests.core.statistics import flush_statistics

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views", "gate")]

A = ViewName("views", "a")


@pytest.fixture
def sent_signals():
    """The signals that were sent: their names and arguments."""
    sent = []
    names = ("view_refresh_started", "view_refresh_waiting", "view_refreshed", "view_refresh_failed")
    receivers = {name: lambda name=name, **kwargs: sent.append((name, kwargs)) for name in names}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver, weak=False)
    yield sent
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


def declare(class_name, sql=GATED, **attributes):
    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    return type(class_name, bases, {"sql": sql, "__module__": __name__, **attributes})


def synced(*views):
    sync_views()
    query("SELECT setval('passed', 1, false)")
    return views


def computed():
    """Return how often a refresh has passed the gate since the sync."""
    ((last, called),) = query("SELECT last_value, is_called FROM passed")
    return last if called else 0


def rows(name="a"):
    return [row for (row,) in query(f"SELECT id FROM views.{name} ORDER BY id")]


@pytest.mark.parametrize("key", [None, "id"], ids=["readers wait", "concurrently"])
def test_the_second_joins_the_first_and_its_result_has_the_time_of_the_rows(key):
    synced(declare("A", pk_field=key))
    waits = []
    with closed_gate() as open_gate:
        first = Background(refresh_views)
        ((pid,),) = wait_until(AT_THE_GATE)
        query("INSERT INTO numbers VALUES (2)")
        second = Background(lambda: refresh_views(on_wait=lambda start, what: waits.append((start, what))))
        ((waiting,),) = wait_until(WAITING)
        open_gate()
        (done,), (joined,) = first.join(), second.join()
    assert computed() == 1
    assert (done.outcome, joined.outcome) == (Outcome.REFRESHED, Outcome.JOINED)
    assert joined.ok
    assert (done.pid, joined.pid) == (pid, pid)
    assert rows() == [1], "the rows lack what was committed after the first had begun"
    assert joined.started < joined.asked
    assert joined.missed == joined.asked - joined.started > dt.timedelta(0)
    assert abs(joined.started - done.started) < dt.timedelta(milliseconds=2)
    assert done.missed == dt.timedelta(0)
    assert joined.waited > 0 == done.waited
    ((start, what),) = waits
    assert start.pid == waiting
    assert what.startswith(f"another refresh of it is running: pid {pid} (")


def test_fresh_joins_no_refresh_that_began_before_the_call():
    synced(declare("A", pk_field="id"))
    with closed_gate() as open_gate:
        first = Background(refresh_views)
        wait_until(AT_THE_GATE)
        query("INSERT INTO numbers VALUES (2)")
        others = [Background(lambda: refresh_views(fresh=True)) for _ in range(4)]
        wait_until(f"SELECT 1 FROM ({WAITING}) AS w HAVING count(*) = 4")
        open_gate()
        results = [one.join()[0] for one in (first, *others)]
    assert rows() == [1, 2]
    assert computed() == 2, "one of the four did it for all of them"
    assert sorted(r.outcome.value for r in results) == [
        "joined",
        "joined",
        "joined",
        "refreshed",
        "refreshed",
    ]
    assert all(result.missed == dt.timedelta(0) for result in results)


def test_if_the_first_fails_the_second_computes_the_rows(sent_signals):
    synced(declare("A", pk_field="id"))
    with closed_gate() as open_gate:
        first = Background(refresh_views)
        ((pid,),) = wait_until(AT_THE_GATE)
        second = Background(refresh_views)
        wait_until(WAITING)
        assert cancel("default", pid) is True
        with pytest.raises(RefreshError, match=r"views\.a .*cancelled on request"):
            first.join()
        query("INSERT INTO numbers VALUES (2)")
        open_gate()
        (result,) = second.join()
    assert result.outcome is Outcome.REFRESHED
    assert computed() == 1
    (failure,) = [arguments for name, arguments in sent_signals if name == "view_refresh_failed"]
    assert (failure["result"].outcome, failure["result"].pid) == (Outcome.FAILED, pid)
    assert cancel("default", pid) is False, "the backend does not refresh any more"


def test_a_refresh_that_began_before_its_sources_were_refreshed_is_not_joined():
    declare("Source", "SELECT id FROM numbers")
    synced(
        declare(
            "A",
            GATED.replace("numbers", "views.source"),
            pk_field="id",
        )
    )
    with closed_gate() as open_gate:
        first = Background(lambda: refresh_views(["a"]))
        wait_until(AT_THE_GATE)
        query("INSERT INTO numbers VALUES (2)")
        query("CREATE UNIQUE INDEX ON views.source (id)")
        second = Background(refresh_views)
        wait_until(WAITING)
        open_gate()
        first.join()
        results = second.join()
    assert [(r.name.name, r.outcome) for r in results] == [
        ("source", Outcome.REFRESHED),
        ("a", Outcome.REFRESHED),
    ]
    assert rows() == [1, 2]


def test_a_view_without_a_sync_state_is_refreshed_by_each_session():
    synced(declare("A", pk_field="id"))
    query("COMMENT ON MATERIALIZED VIEW views.a IS NULL")
    with closed_gate() as open_gate:
        both = [Background(refresh_views), Background(refresh_views)]
        wait_until(WAITING)
        open_gate()
        results = [one.join()[0] for one in both]
    assert [result.outcome for result in results] == [Outcome.REFRESHED] * 2
    assert computed() == 2


def test_a_due_view_that_another_session_has_refreshed_is_not_refreshed_again(settings):
    settings.ORM_VIEWS = {"REFRESH_EVERY": dt.timedelta(microseconds=1)}
    declare("First", GATED)
    declare("Second", "SELECT id FROM numbers")
    synced()
    with closed_gate() as open_gate:
        both = Background(lambda: refresh_views(due=True))
        wait_until(AT_THE_GATE)
        (done,) = refresh_views(["second"])
        open_gate()
        results = both.join()
    assert [(r.name.name, r.outcome) for r in results] == [
        ("first", Outcome.REFRESHED),
        ("second", Outcome.JOINED),
    ]
    assert abs(results[1].started - done.started) < dt.timedelta(milliseconds=2)


def test_a_refresh_waits_for_a_sync_that_replaces_its_view_meanwhile():
    synced(declare("A", pk_field="id"))
    with closed_gate() as open_gate:
        first = Background(refresh_views)
        wait_until(AT_THE_GATE)
        second = Background(refresh_views)
        wait_until(WAITING)
        declare("A", "SELECT id + 10 AS id FROM numbers", pk_field="id")
        deploy = Background(sync_views)
        open_gate()
        first.join()
        deploy.join()
        (result,) = second.join()
    assert result.ok
    assert rows() == [11]
    assert query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_the_lock_is_taken_on_the_view_that_a_sync_has_created_meanwhile(other):
    synced(declare("A", pk_field="id"))
    other.execute("SELECT pg_advisory_xact_lock(%s, 'views.a'::regclass::oid::int)", [REFRESH_LOCK])
    run = Background(refresh_views)
    ((pid,),) = wait_until(WAITING)
    declare("A", GATED.replace("n.id", "n.id + 10 AS id"), pk_field="id")
    sync_views()
    query("COMMENT ON MATERIALIZED VIEW views.a IS NULL")  # otherwise the refresh joins the sync
    with closed_gate() as open_gate:
        other.connection.rollback()
        assert wait_until(AT_THE_GATE) == [(pid,)]
        assert [(r.pid, r.name) for r in find_running("default")] == [(pid, A)]
        open_gate()
        (result,) = run.join()
    assert (result.outcome, rows()) == (Outcome.REFRESHED, [11])


def test_another_session_sees_which_sessions_refresh_and_which_wait():
    synced(declare("A", pk_field="id"))
    assert find_running("default") == []
    with closed_gate() as open_gate:
        first = Background(refresh_views)
        ((pid,),) = wait_until(AT_THE_GATE)
        second = Background(lambda: refresh_materialized_view(declare("A", pk_field="id")))
        ((waiting,),) = wait_until(WAITING)
        found = find_running("default")
        assert [(r.pid, r.name, r.waits) for r in found] == [(pid, A, False), (waiting, A, True)]
        assert query("SELECT pg_blocking_pids(%s)", [waiting]) == [([pid],)]
        open_gate()
        first.join()
        second.join()
    assert find_running("default") == []


def test_a_backend_that_does_not_refresh_is_not_cancelled():
    ((own,),) = query("SELECT pg_backend_pid()")
    assert cancel("default", own) is False


def test_a_refresh_that_waits_for_a_lock_names_the_blocking_session(other, sent_signals, settings):
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.5, "LOCK_TIMEOUT": 0.1}
    synced(declare("A", pk_field="id"))
    other.execute("SELECT pg_backend_pid()")
    (pid,) = other.fetchone()
    other.execute("LOCK TABLE numbers IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(OrmViewsError, match=f"pid {pid} .* holds public.numbers: LOCK"):
        refresh_views()
    waits = [arguments for name, arguments in sent_signals if name == "view_refresh_waiting"]
    assert f"pid {pid} " in waits[-1]["waiting_for"]
    assert waits[-1]["start"].pid != pid


def test_a_concurrent_refresh_waits_for_no_reader(other, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.01}
    synced(declare("A", pk_field="id"))
    other.execute("SELECT * FROM views.a")  # its transaction stays open for longer than LOCK_TIMEOUT
    time.sleep(0.05)
    waits = []
    (result,) = refresh_views(on_wait=lambda *arguments: waits.append(arguments))
    assert (result.concurrently, waits, result.waited) == (True, [], 0)


def test_a_refresh_leaves_no_setting_and_no_lock_on_the_connection():
    synced(declare("A", pk_field="id"))
    ((pid, before),) = query("SELECT pg_backend_pid(), current_setting('lock_timeout')")
    (result,) = refresh_views()
    assert result.pid == pid, "one job uses the caller's own connection"
    assert query("SELECT pg_backend_pid(), current_setting('lock_timeout')") == [(pid, before)]
    assert query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert not connection.in_atomic_block


def test_rows_and_sizes_before_and_after():
    synced(declare("A"))
    query("INSERT INTO numbers SELECT generate_series(2, 5000)")
    (result,) = refresh_views()
    assert (result.rows_after, result.rows_exact) == (5000, True)
    assert result.size_after > result.size_before
    query("CREATE UNIQUE INDEX ON views.a (id)")
    query("DELETE FROM numbers WHERE id <= 100; INSERT INTO numbers SELECT generate_series(5001, 5010)")
    flush_statistics(query)
    (result,) = refresh_views()
    assert result.concurrently
    assert (result.rows_before, result.rows_after, result.rows_exact) == (5000, 4910, False)
    (result,) = refresh_views(concurrently=False)
    assert (result.rows_after, result.rows_exact) == (4910, True)
    assert result.asked <= result.started <= result.finished
