"""Runs are recorded beside the views, on every engine: none is lost to a lock, and none runs for ever."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.urls import reverse
from django.utils import timezone

from orm_views_admin.models import Run, RunStep
from orm_views_admin.runs import reconcile
from orm_views_admin.runs.sync_progress import failed_steps
from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.exceptions import ViewSQLError
from orm_views_core.sentences import says
from orm_views_core.sync import sync_views
from tests.admin.browse import Browse, hidden_fields, run_page, text_of
from tests.engines.shared.databases import Database

from .declared import create, declare

SQL = "SELECT id, weight FROM shop_parcel"


def is_postgresql() -> bool:
    """Return whether the engine has what only PostgreSQL has."""
    return Database().spelling.abilities.staging


@pytest.fixture
def one_writer() -> None:
    """The engine is SQLite."""
    if not Database().spelling.abilities.one_writer:
        pytest.skip("this engine has several writers")


@contextmanager
def somebody_writing() -> Iterator[sqlite3.Connection]:
    """Have another process hold the lock of a writer."""
    path = connections["default"].settings_dict["NAME"]
    # The thread that lets go is another one.
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


@pytest.fixture
def impatient(one_writer: None) -> Iterator[None]:
    """SQLite waits 0.1 s for a lock, and not five."""
    Database().run("PRAGMA busy_timeout = 100")
    yield
    Database().run("PRAGMA busy_timeout = 5000")


def run_of(**facts: Any) -> Run:
    """Save a run that another process has begun."""
    now = timezone.now()
    running = {"state": Run.State.RUNNING, "claimed_at": now, "started_at": now}
    run = Run(request=uuid.uuid4(), kind="sync", database="default", **{**running, **facts})
    run.insert()
    return run


def test_a_run_is_written_while_somebody_else_writes(browse: Browse, impatient: None) -> None:
    with somebody_writing() as other:
        timer = threading.Timer(0.25, other.execute, ["COMMIT"])
        timer.start()
        run_of()
        timer.join()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError):
            in_short_transaction("default", Run.objects.all().delete)
        other.execute("ROLLBACK")
    assert Run.objects.count() == 1


def test_a_command_records_its_sync(browse: Browse, parcels: None) -> None:
    create(SQL)
    (run,) = Run.objects.all()
    assert (run.state, run.kind) == ("succeeded", "sync")
    assert run.summary.endswith("create: 1")
    assert {step["state"] for step in run.steps} == {"done"}


def test_a_thread_syncs_while_pages_are_read(browse: Browse, parcels: None, settings: Any) -> None:
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    for number in range(12):
        declare(SQL, f"View{number}")
    plan = browse.get(reverse("orm_views_admin:sync"))
    page = run_page(browse.post(reverse("orm_views_admin:sync"), **hidden_fields(plan), confirm="1"))
    deadline = timezone.now() + dt.timedelta(seconds=20)
    while browse.client.get(page.rstrip("/") + "/state/").json()["active"]:
        assert timezone.now() < deadline
        browse.get(reverse("orm_views_admin:list"))
    assert Run.objects.get().state == "succeeded"
    assert len([step for step in Run.objects.get().steps if "create" in step["action"]]) == 12
    for thread in threading.enumerate():
        if thread.name.startswith("orm-views"):
            thread.join()


def test_the_steps_of_a_sync_that_was_rolled_back_are_kept(
    browse: Browse, parcels: None, one_writer: None
) -> None:
    declare(SQL, "First")
    declare(f"{SQL} /* {'too long for the file ' * 20_000} */ -- views.first", "Second")
    plan = browse.get(reverse("orm_views_admin:sync"))
    ((pages,),) = Database().run("PRAGMA page_count")
    Database().run(f"PRAGMA max_page_count = {pages + 20}")
    try:
        page = run_page(browse.post(reverse("orm_views_admin:sync"), **hidden_fields(plan), confirm="1"))
    finally:
        Database().run("PRAGMA max_page_count = 1073741823")
    run = Run.objects.get()
    assert run.state == "failed"
    steps: list[RunStep] = run.steps
    assert sorted(step["state"] for step in steps) == ["failed", "undone"]
    assert "full" in browse.read(page)
    assert Database().views() == {}


def test_a_run_of_a_dead_process_is_found_to_be_lost(browse: Browse, settings: Any) -> None:
    if is_postgresql():
        pytest.skip("PostgreSQL tells which sessions are at work")
    settings.ORM_VIEWS = {"LOCK_WAIT": 10}
    now = timezone.now()
    done = {"state": Run.State.SUCCEEDED, "seconds": 20.0, "finished_at": now}
    run_of(**done)
    run = run_of(started_at=now - dt.timedelta(seconds=100))
    reconcile([run])
    assert run.state == "running"
    Run.objects.filter(pk=run.pk).update(started_at=now - dt.timedelta(seconds=140))
    page = browse.read(reverse("orm_views_admin:run", kwargs={"run_request": run.request}))
    assert "How the run ended was not recorded." in page
    run.refresh_from_db()
    assert run.state == "lost"


def test_a_lost_run_leaves_room_for_the_next_one(browse: Browse, parcels: None) -> None:
    if is_postgresql():
        pytest.skip("PostgreSQL tells which sessions are at work")
    run_of(started_at=timezone.now() - dt.timedelta(days=1))
    create(SQL)
    browse.get(reverse("orm_views_admin:list"))
    assert sorted(Run.objects.values_list("state", flat=True)) == ["lost", "succeeded"]


def test_a_running_sync_is_not_cancelled_where_nobody_can_be_told(browse: Browse) -> None:
    if is_postgresql():
        pytest.skip("PostgreSQL can be told to cancel")
    run = run_of()
    page = browse.get(reverse("orm_views_admin:run", kwargs={"run_request": run.request}))
    address = reverse("orm_views_admin:cancel", kwargs={"pk": run.pk})
    assert address not in page
    response = browse.client.post(address, follow=True)
    assert "has begun and cannot be cancelled" in text_of(response.content.decode())
    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == ("running", "")


def test_a_queued_sync_is_cancelled(browse: Browse) -> None:
    run = run_of(state=Run.State.QUEUED, claimed_at=None, started_at=None)
    address = reverse("orm_views_admin:cancel", kwargs={"pk": run.pk})
    assert address in browse.get(reverse("orm_views_admin:run", kwargs={"run_request": run.request}))
    browse.client.post(address)
    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == ("cancelled", "ada")


def test_a_table_of_runs_that_is_missing_is_no_obstacle(
    browse: Browse, parcels: None, caplog: pytest.LogCaptureFixture
) -> None:
    table = Run._meta.db_table
    Database().run(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
    try:
        create(SQL)
    finally:
        Database().run(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")
    assert Database().has(declare(SQL))
    assert "Run migrate." in caplog.text
    assert caplog.text.count("cannot be recorded") == 1


def test_steps_stay_done_where_a_sync_is_not_all_or_nothing() -> None:
    steps: list[RunStep] = [{"state": "done"}, {"state": "running"}, {"state": "pending"}]
    assert [step["state"] for step in failed_steps(steps)] == ["undone", "failed", "pending"]
    kept = failed_steps(steps, is_atomic=False)
    assert [step["state"] for step in kept] == ["done", "failed", "pending"]


def test_sentences_of_other_fields_stay(committing: None) -> None:
    run = run_of()
    try:
        Run.objects.filter(pk=run.pk).update(summary=says("%(count)s unchanged", count=3))
        Run.objects.filter(pk=run.pk).update(
            error=says("It cannot be read: %(error)s.", error='a "quote" 100%')
        )
        run.refresh_from_db()
        assert run.said("summary").template == "%(count)s unchanged"
        assert str(run.said("error")) == 'It cannot be read: a "quote" 100%.'
        assert run.said("error").template == "It cannot be read: %(error)s."
    finally:
        Run.objects.all().delete()


def test_a_sync_that_fails_is_recorded(parcels: None) -> None:
    declare("SELECT nowhere FROM shop_parcel")
    with pytest.raises(ViewSQLError, match="nowhere"):
        sync_views()
    run = Run.objects.get(database="default")
    assert run.state == "failed"
    assert "nowhere" in run.error
    assert "tests/engines/pages/declared.py" in run.error_summary


def test_what_nobody_has_begun_is_performed_by_the_command(
    browse: Browse, parcels: None, settings: Any
) -> None:
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.engines.pages.declared.forget_request"}
    declare(SQL)
    plan = browse.get(reverse("orm_views_admin:sync"))
    run_page(browse.post(reverse("orm_views_admin:sync"), **hidden_fields(plan), confirm="1"))
    assert Run.objects.get(database="default").state == "queued"
    call_command("run_pending", older_than=0.0)
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
    assert Database().has(declare(SQL))
