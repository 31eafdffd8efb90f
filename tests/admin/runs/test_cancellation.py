"""Cancelling: a queued run is not begun, a running one ends within a second, and the view keeps its rows."""

from __future__ import annotations

import time

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections

from orm_views_admin.models import Run
from orm_views_admin.runs import cancel, holders, perform, start_refresh, start_sync
from orm_views_core.engines.postgresql.cancellation import cancel_work
from orm_views_core.engines.postgresql.locking.advisory_locks import REFRESH_LOCK
from orm_views_core.engines.postgresql.locking.sessions import find_backends, own_backend
from orm_views_core.refresh_locks import find_running
from tests.admin.browse import declare_materialised
from tests.admin.slow import ABOVE, SLOW, wait_for, wait_for_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def threads(settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}


@pytest.fixture
def other(db):
    """Another session."""
    connection = connections.create_connection("default")
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def slept(execute):
    return execute("SELECT n FROM views.slow")


def test_a_running_refresh_is_cancelled_at_once_and_the_view_keeps_its_rows(pause, ann, execute):
    before = slept(execute)
    pause(30)
    (run,) = start_refresh(ann, [SLOW])
    wait_for(
        lambda: execute(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'REFRESH %slow%' AND state = 'active'"
        )
    )
    began = time.monotonic()
    assert cancel(run, ann)
    wait_for(lambda: not find_running("default"))
    wait_for_state(run, "cancelled")
    print(f"\ncancelled within {time.monotonic() - began:.2f} s")
    assert run.cancelled_by == "ann"
    assert run.finished_at
    assert slept(execute) == before
    assert LogEntry.objects.first().change_message == "Cancelled a refresh."
    assert not cancel(run, ann)


def test_a_refresh_that_waits_for_readers_is_cancelled(pause, ann, execute, other):
    """Between two tries to get a lock the backend has no statement that could be cancelled."""
    other.execute("BEGIN")
    other.execute("SET application_name = 'the reader'; SELECT count(*) FROM views.slow")
    pause(0)
    (run,) = start_refresh(ann, [SLOW])
    wait_for(lambda: "the reader" in holders(refreshed(run)))
    began = time.monotonic()
    assert cancel(run, ann)
    wait_for_state(run, "cancelled")
    print(f"\ncancelled within {time.monotonic() - began:.2f} s")
    wait_for(lambda: not find_running("default"))
    other.execute("ROLLBACK")


def test_holders_names_the_session_that_holds_the_lock(pause, ann, execute, other):
    """The refresh waits in PostgreSQL for another session that refreshes the same view."""
    pause(0)
    other.execute("BEGIN")
    other.execute("SELECT pg_advisory_xact_lock(%s, 'views.slow'::regclass::oid::int)", [REFRESH_LOCK])
    (run,) = start_refresh(ann, [SLOW])
    message = wait_for(lambda: holders(refreshed(run)))
    assert message.startswith("waiting for a lock held by pid ")
    assert "idle in transaction for" in message
    assert message.endswith(": SELECT")
    assert cancel(run, "somebody")
    wait_for_state(run, "cancelled", seconds=1)
    assert run.cancelled_by == "somebody"
    assert holders(run) == ""
    other.execute("ROLLBACK")


def refreshed(run):
    run.refresh_from_db()
    return run


def test_a_queued_run_that_is_cancelled_is_never_begun(pause, ann, execute, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.runs.test_runs.leave"}
    before = slept(execute)
    pause(0)
    (run,) = start_refresh(ann, [SLOW])
    assert cancel(run, ann)
    assert (run.state, run.cancelled_by) == ("cancelled", "ann")
    perform(run.request)
    assert slept(execute) == before
    assert refreshed(run).state == "cancelled"


def test_cancelling_the_second_view_of_a_request_leaves_the_first_one_running(pause, ann, execute):
    pause(1.5)
    slow, above = start_refresh(ann, [ABOVE, SLOW])
    wait_for_state(slow, "running")
    assert refreshed(above).state == "queued"
    assert cancel(above, ann)
    assert above.state == "cancelled"
    wait_for_state(slow, "succeeded")
    wait_for(lambda: not find_running("default"))
    assert refreshed(above).state == "cancelled"
    assert above.started_at is None


def test_a_cancelled_sync_leaves_the_database_as_it_was(pause, ann, execute):
    declare_materialised("Endless", "SELECT pg_sleep(30)::text AS slept")
    run = start_sync(ann, "default")
    wait_for(lambda: {"running"} & {step["state"] for step in refreshed(run).steps})
    assert cancel(run, ann)
    wait_for_state(run, "cancelled", seconds=1)
    assert execute("SELECT to_regclass('views.endless')") == [(None,)]
    assert LogEntry.objects.first().change_message == "Cancelled a sync."


def test_a_backend_that_no_longer_refreshes_the_view_is_not_cancelled(pause, ann, execute):
    backend = own_backend("default")
    assert find_backends("default", [backend.pid]).keys() == {backend.pid}
    run = Run(kind="refresh", database="default", schema="views", name="slow", state="running")
    assert not cancel_work("default", backend.pid, backend.started, run.view_name)
    assert execute("SELECT 1") == [(1,)]
