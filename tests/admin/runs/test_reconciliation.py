"""Reconciliation: a run is running as long as its backend works, and ends when its process is dead."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import prune, reconcile, start_refresh
from orm_views_core.engines.postgresql.locking.sessions import find_backends, own_backend
from orm_views_core.refresh_locks import find_running
from tests.admin.slow import SLOW, Process, wait_for, wait_for_state

pytestmark = pytest.mark.django_db(transaction=True)

LEAVE = {"EXECUTOR": "tests.admin.runs.test_runs.leave"}


def refreshed(run):
    run.refresh_from_db()
    return run


def make(**facts):
    facts = {"request": uuid.uuid4(), "kind": "refresh", "database": "default", **facts}
    return Run.objects.create(schema="views", name="slow", **facts)


@pytest.fixture
def ago():
    return lambda **length: timezone.now() - dt.timedelta(**length)


def test_the_run_of_a_killed_server_process_runs_until_its_backend_ends_and_is_then_lost(pause, ann, execute):
    """The backend notices the death at the end of its statement. Until then the run is running."""
    before = execute("SELECT n FROM views.slow")
    pause(3)
    server = Process("serve", "ann")
    try:
        assert server.line() == "ready"
        run = Run.objects.get(pk=int(server.line()))
        wait_for(
            lambda: execute(
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'REFRESH %' AND state = 'active'"
            )
        )
    finally:
        server.kill()
    reconcile()
    assert refreshed(run).state == "running"
    assert find_running("default")
    wait_for(lambda: not find_running("default"))
    wait_for(lambda: reconcile() or not refreshed(run).is_active, seconds=2)
    assert run.state == "lost"
    assert "gone" in run.error
    assert run.finished_at
    assert execute("SELECT n FROM views.slow") == before


def test_a_run_whose_process_is_killed_after_the_commit_has_succeeded(pause, ann, execute, settings):
    settings.ORM_VIEWS_ADMIN = LEAVE
    pause(0.5)
    (run,) = start_refresh(ann, [SLOW])
    process = Process("die_when_done", str(run.request))
    assert process.wait() == -9
    process.kill()
    assert refreshed(run).state == "running"
    wait_for(lambda: reconcile([run]) or not refreshed(run).is_active, seconds=5)
    assert run.state == "succeeded"
    assert run.seconds >= 0.5
    assert run.finished_at > run.started_at


def test_run_pending_performs_a_request_that_no_process_has_begun(pause, ann, execute, settings, capsys):
    settings.ORM_VIEWS_ADMIN = LEAVE
    pause(0)
    (run,) = start_refresh(ann, [SLOW])
    call_command("run_pending")
    assert "There is nothing in the queue." in capsys.readouterr().out
    call_command("run_pending", older_than=0)
    message = capsys.readouterr().out
    assert "refresh views.slow... succeeded" in message
    assert refreshed(run).state == "succeeded"
    assert (run.origin, run.user) == ("admin", ann)


def test_the_run_of_a_killed_command_is_lost(pause, execute):
    pause(3)
    command = Process("refresh", "slow")
    assert command.line() == "ready"
    run = wait_for(lambda: Run.objects.filter(state="running").first())
    command.kill()
    wait_for(lambda: reconcile() or not refreshed(run).is_active)
    assert run.state == "lost"


def test_starting_a_refresh_reconciles_a_lost_run_of_the_view(pause, ann, settings):
    lost = make(state="running", pid=1, backend_start=timezone.now(), started_at=timezone.now())
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    (run,) = start_refresh(ann, [SLOW])
    assert refreshed(lost).state == "lost"
    assert run != lost
    wait_for_state(run, "succeeded")


def test_a_command_reconciles_a_lost_run_of_the_view(pause, capsys):
    lost = make(state="running", pid=1, backend_start=timezone.now(), started_at=timezone.now())
    call_command("refresh_views", "slow")
    assert refreshed(lost).state == "lost"
    assert Run.objects.exclude(pk=lost.pk).get().state == "succeeded"


def test_another_backend_with_the_same_pid_is_not_the_backend_of_the_run(pause, ago):
    run = make(
        state="running", pid=own_backend("default").pid, backend_start=ago(days=1), started_at=timezone.now()
    )
    reconcile()
    assert refreshed(run).state == "lost"


def test_a_run_whose_backend_is_idle_is_lost(pause, ago, monkeypatch):
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    start = find_backends("default", [pid])[pid].started
    run = make(state="running", pid=pid, backend_start=start, started_at=timezone.now())
    reconcile()
    assert refreshed(run).state == "running"
    monkeypatch.setattr("orm_views_admin.runs.reconciliation._IDLE", 0.1)
    time.sleep(0.2)
    reconcile()
    assert refreshed(run).state == "lost"
    other.close()


def test_a_lost_run_does_not_count_the_refresh_of_another_run_as_its_own(pause, ago, capsys):
    lost = make(state="running", pid=1, backend_start=ago(hours=1), started_at=ago(minutes=1))
    call_command("sync_views", "--force")
    reconcile()
    assert refreshed(lost).state == "lost"


def test_a_cancelled_run_whose_process_is_gone_is_cancelled(pause, ago):
    run = make(
        state="running", pid=1, backend_start=ago(hours=1), started_at=timezone.now(), cancelled_by="ann"
    )
    reconcile()
    assert refreshed(run).state == "cancelled"


def test_a_run_that_was_claimed_and_has_no_backend_for_a_minute_is_lost(pause, ago):
    new = make(state="running", claimed_at=ago(seconds=5))
    reconcile()
    assert refreshed(new).state == "running"
    new.delete()
    old = make(state="running", claimed_at=ago(minutes=5))
    reconcile()
    assert refreshed(old).state == "lost"


@pytest.mark.parametrize(
    ("executor", "minutes"), [("thread", 11), ("tests.admin.runs.test_runs.leave", 60 * 24 + 1)]
)
def test_a_request_that_no_executor_takes_is_lost(pause, ago, settings, executor, minutes):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": executor}
    run = make(queued_at=ago(minutes=minutes - 2))
    reconcile()
    assert refreshed(run).state == "queued"
    Run.objects.update(queued_at=ago(minutes=minutes))
    reconcile()
    assert refreshed(run).state == "lost"
    assert "No executor took the request from the queue" in run.error


def test_a_run_that_a_dead_process_had_claimed_is_queued_again(pause, ago, settings, capsys):
    settings.ORM_VIEWS_ADMIN = LEAVE
    first = make(state="running", pid=1, backend_start=ago(minutes=5), started_at=timezone.now())
    second = Run.objects.create(
        request=first.request,
        kind="refresh",
        database="default",
        schema="views",
        name="above",
        queued_at=ago(minutes=5),
        claimed_at=ago(minutes=5),
    )
    reconcile()
    assert refreshed(first).state == "lost"
    assert refreshed(second).claimed_at is not None  # the first run may have ended just now
    Run.objects.filter(pk=first.pk).update(finished_at=ago(minutes=2))
    call_command("run_pending")
    assert refreshed(second).state == "succeeded"


def test_an_old_queued_request_is_handed_to_the_executor_again_when_it_is_requested(
    pause, ago, ann, settings
):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    run = make(queued_at=ago(minutes=1))
    assert start_refresh(ann, [SLOW]) == [run]
    assert refreshed(run).state == "succeeded"


@pytest.mark.django_db(transaction=True, databases=["default", "warehouse"])
def test_a_run_of_a_database_that_does_not_answer_stays_as_it_is(pause, cut_off, ago):
    run = make(
        state="running", pid=1, backend_start=ago(hours=1), started_at=timezone.now(), database="warehouse"
    )
    gone = make(
        state="running", pid=1, backend_start=ago(hours=1), started_at=timezone.now(), database="absent"
    )
    cut_off("warehouse")
    reconcile()
    assert refreshed(run).state == "running"
    assert refreshed(gone).state == "lost"


def test_old_runs_are_pruned_by_commands_and_active_ones_are_kept(pause, ago, settings, capsys, monkeypatch):
    monkeypatch.setattr("orm_views_admin.runs.retention._pruned", None)
    settings.ORM_VIEWS_ADMIN = {
        "KEEP_RUNS": dt.timedelta(days=1),
        "EXECUTOR": "tests.admin.runs.test_runs.leave",
    }
    make(state="succeeded", queued_at=ago(days=2))
    recent = make(state="failed", queued_at=ago(hours=2))
    active = make(state="running", queued_at=ago(days=2), claimed_at=timezone.now())
    call_command("refresh_views", "above")
    assert set(Run.objects.exclude(name="above")) == {recent, active}
    make(state="succeeded", queued_at=ago(days=2))
    call_command("run_pending")
    assert "Deleted 1 old runs." in capsys.readouterr().out
    assert prune() == 0
