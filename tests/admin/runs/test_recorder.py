"""Recording what was not started in the browser. A failure to record stops no sync and no refresh."""

from __future__ import annotations

import getpass
import threading
import time

import pytest
from django.core.management import BaseCommand, call_command
from django.db import connections
from django.utils import translation

from orm_views_admin.models import Run
from orm_views_admin.origins import started_by
from orm_views_admin.runs import reconcile, start_refresh, writing
from orm_views_admin.ui import run_wording
from orm_views_core import signals
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised
from tests.admin.histories import make_run
from tests.admin.slow import SLOW, wait_for, wait_for_state

pytestmark = pytest.mark.django_db


def test_a_sync_by_a_command_is_recorded(capsys):
    declare("Plain", "SELECT 1 AS one")
    call_command("sync_views")
    run = Run.objects.get()
    assert (run.kind, run.state, run.origin, run.user) == ("sync", "succeeded", "command", None)
    assert run.who == getpass.getuser()
    assert run.steps[-1]["text"] == "create views.plain"
    assert {step["state"] for step in run.steps} == {"done"}
    assert run.pid
    assert run.backend_start


def test_the_refreshes_of_a_command_are_runs_of_one_request(capsys):
    declare_materialised("Bottom", "SELECT 1 AS one", pk_field="one")
    declare_materialised("A_top", "SELECT one FROM views.bottom")
    sync_views()
    Run.objects.all().delete()
    call_command("refresh_views")
    top, bottom = Run.objects.all()
    assert (bottom.name, top.name) == ("bottom", "a_top")
    assert bottom.request == top.request
    assert {(run.state, run.origin, run.who) for run in (top, bottom)} == {
        ("succeeded", "command", getpass.getuser())
    }


def test_the_commands_of_this_package_state_that_they_are_commands(capsys, monkeypatch):
    monkeypatch.setattr("orm_views_admin.origins._origin_of_other_commands", lambda: Run.Origin.CODE)
    declare_materialised("Bottom", "SELECT 1 AS one")
    call_command("sync_views")
    call_command("refresh_views")
    sync_views()
    assert list(Run.objects.order_by("pk").values_list("kind", "origin")) == [
        ("sync", "command"),
        ("refresh", "command"),
        ("sync", "code"),
    ]


def test_the_origin_is_what_started_by_states_and_code_otherwise(ann):
    sync_views()
    with started_by(Run.Origin.TASK, user=ann):
        sync_views()
    told, untold = Run.objects.all()
    assert (untold.origin, untold.user, untold.who) == ("code", None, "")
    assert (told.origin, told.user, told.who) == ("task", ann, "ann")


def test_the_origin_of_a_project_s_command_is_command_and_of_a_worker_task():
    class Nightly(BaseCommand):
        requires_system_checks = ()

        def handle(self, *args, **options):
            sync_views()

    call_command(Nightly())
    assert Run.objects.get().origin == "command"
    Nightly.__module__ = "django_rq.management.commands.rqworker"
    call_command(Nightly())
    assert Run.objects.first().origin == "task"


def test_a_failed_sync_is_recorded():
    declare("Broken", "SELECT nothing FROM nowhere")
    with pytest.raises(OrmViewsError):
        sync_views()
    run = Run.objects.get()
    assert run.state == "failed"
    assert "nowhere" in run.error
    assert run.finished_at


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_is_coalesced_with_a_running_one_is_recorded_as_joined(pause):
    pause(2.5)
    threads = []
    for _ in range(2):
        thread = threading.Thread(target=refresh_and_close)
        thread.start()
        threads.append(thread)
        wait_for(lambda: Run.objects.filter(state="running").exists())
        time.sleep(0.3)
    for thread in threads:
        thread.join()
    assert sorted(Run.objects.values_list("state", flat=True)) == ["joined", "succeeded"]
    joined = Run.objects.get(state="joined")
    assert "Coalesced with a refresh that was already running" in joined.summary
    assert joined.waited > 0.5


def refresh_and_close():
    refresh_views(["slow"])
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_what_a_refresh_waits_for_is_recorded_while_it_waits(pause, ann, settings, execute):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SET application_name = 'the reader'; SELECT count(*) FROM views.slow")
            (run,) = start_refresh(ann, [SLOW])
            wait_for(lambda: Run.objects.get(pk=run.pk).waiting_for)
            run.refresh_from_db()
            assert run.state == "running"
            assert "the reader" in run.waiting_for
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    wait_for_state(run, "succeeded")
    assert run.waiting_for == ""
    assert run.waited > 0


@pytest.mark.django_db(transaction=True)
def test_without_the_table_of_runs_everything_works_and_one_warning_is_logged(
    pause, execute, caplog, monkeypatch
):
    monkeypatch.setattr(writing, "_has_failed", False)  # an earlier test may have set it
    execute("ALTER TABLE orm_views_admin_run RENAME TO elsewhere")
    try:
        sync_views()
        refresh_views()
        refresh_views()
    finally:
        execute("ALTER TABLE elsewhere RENAME TO orm_views_admin_run")
    assert caplog.text.count("Runs cannot be recorded") == 1
    refresh_views(["slow"])
    assert Run.objects.get().state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_a_sync_that_starts_before_the_migration_of_the_table_is_recorded_at_its_end(pause, execute, caplog):
    """``migrate_views`` does that on an empty database."""

    def migrate(**_):
        execute("ALTER TABLE elsewhere RENAME TO orm_views_admin_run")

    execute("ALTER TABLE orm_views_admin_run RENAME TO elsewhere")
    signals.views_sync_started.connect(migrate)  # after the recorder
    try:
        sync_views()
    finally:
        signals.views_sync_started.disconnect(migrate)
    assert "recorded" not in caplog.text
    assert Run.objects.get().state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_the_steps_of_a_sync_are_recorded_as_they_happen(pause, ann, settings, execute):
    from orm_views_admin.runs import start_sync

    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    declare("Zero", "SELECT 1 AS one")
    declare_materialised("Waits", "SELECT pg_sleep(1)::text AS slept, one FROM views.zero")
    run = start_sync(ann, "default")
    wait_for(lambda: Run.objects.get(pk=run.pk).steps)
    wait_for(lambda: {s["state"] for s in Run.objects.get(pk=run.pk).steps} == {"done", "running"})
    run.refresh_from_db()
    assert run.state == "running"
    assert [(step["text"], step["state"]) for step in run.steps] == [
        ("create views.zero", "done"),
        ("create views.waits", "running"),
    ]
    wait_for_state(run, "succeeded")
    assert {step["state"] for step in run.steps} == {"done"}


@pytest.mark.django_db(transaction=True)
def test_the_steps_of_a_failed_sync_show_which_step_failed(pause, ann, settings, execute):
    from orm_views_admin.runs import start_sync

    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    declare("Zero", "SELECT 1 AS one")
    declare_materialised("Breaks", "SELECT one / (one - 1) AS broken FROM views.zero")
    run = wait_for_state(start_sync(ann, "default"))
    assert run.state == "failed"
    assert "division by zero" in run.error
    assert [step["state"] for step in run.steps] == ["undone", "failed"]


def test_a_run_is_stored_in_english_and_shown_in_the_language_of_the_reader():
    with translation.override("de"):
        declare("Plain", "SELECT 1 AS one")
        sync_views()
    run = Run.objects.get()
    assert (run.steps[-1]["text"], run.summary) == ("create views.plain", "schema: 1, create: 1")
    assert run_wording.step(run.steps[-1]) == "create views.plain"
    with translation.override("de"):
        assert run_wording.step(run.steps[-1]) == "views.plain anlegen"
        assert run_wording.summary(run) == "Schema: 1, anlegen: 1"


def test_the_steps_of_other_releases_are_shown_as_they_are_stored():
    old = {"text": "créer views.plain", "state": "done", "seconds": None}
    newer = {**old, "action": "polish", "target": "views.plain"}
    for steps in ([old], [newer]):
        run = Run(steps=steps, summary="créer: 1")
        assert run_wording.step(steps[0]) == "créer views.plain"
        assert run_wording.summary(run) == "créer: 1"


def test_the_errors_of_runs_are_in_english_too(ann):
    run = make_run("ages", state=Run.State.RUNNING, ago=3600)
    with translation.override("de"):
        reconcile([run])
    assert run.error.startswith("The process or the backend of the run is gone")
