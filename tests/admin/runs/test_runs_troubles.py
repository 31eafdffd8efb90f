"""Runs under unusual conditions: lost claims, unusual settings, errors and numbers."""

import datetime as dt
import logging
import re
import threading
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import cancel, perform, reconcile, start_sync
from orm_views_admin.runs import cancellation as cancelling
from orm_views_admin.runs import performer as runs
from orm_views_admin.runs.retention import prune
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, bare, declare, declare_materialised, text_of
from tests.admin.histories import make_run, path_of
from tests.admin.slow import wait_for_state

pytestmark = pytest.mark.django_db
HISTORY = f"{LIST}runs/"


def refreshed(run):
    run.refresh_from_db()
    return run


def test_the_ids_of_runs_have_no_thousand_separators(admin_client, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    settings.LANGUAGE_CODE = "de"
    request = uuid.uuid4()
    for n in range(2):
        make_run(f"v{n}", ago=1, request=request, state=Run.State.QUEUED, pk=123_456 + n)
    page = admin_client.get(path_of(Run.objects.first())).content.decode()
    assert re.findall(r'data-run="([^"]*)"', page) == ["123456", "123457"]
    assert re.findall(r'name="run" value="([^"]*)"', page) == ["123456", "123457"]
    admin_client.post(f"{HISTORY}123457/cancel/", {"run": ["123456", "123457", "9" * 5000]})
    assert {run.state for run in Run.objects.all()} == {"cancelled"}


@pytest.mark.django_db(transaction=True)
def test_a_process_does_not_begin_a_run_that_another_process_has_claimed_since(pause, monkeypatch):
    pause(5)
    run = make_run("slow", state=Run.State.QUEUED, ago=100)
    real, is_planning, go = runs.can_be_refreshed, threading.Event(), threading.Event()

    def plan(*args, **kwargs):
        if threading.current_thread().name == "first":
            is_planning.set()
            assert go.wait(20)
        return real(*args, **kwargs)

    def work():
        try:
            perform(run.request)
        finally:
            connections.close_all()

    monkeypatch.setattr(runs, "can_be_refreshed", plan)
    first, second = threading.Thread(target=work, name="first"), threading.Thread(target=work)
    first.start()
    assert is_planning.wait(20)
    Run.objects.update(claimed_at=timezone.now() - dt.timedelta(seconds=61))
    reconcile()
    assert refreshed(run).claimed_at is None
    second.start()
    wait_for_state(run, "running")
    begun = (run.pid, run.started_at)
    go.set()
    first.join(20)
    second.join(20)
    assert (refreshed(run).state, run.error) == ("succeeded", "")
    assert (run.pid, run.started_at) == begun, "the first one has begun it again"
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_backend_that_works_for_another_session_does_not_count(pause):
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            pid, started = cursor.fetchone()
        run = make_run("slow", ago=3600, state=Run.State.RUNNING, pid=pid, backend_start=started)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1")  # it is busy
        reconcile()
        assert not refreshed(run).is_active
    finally:
        other.close()


def test_a_run_that_is_queued_again_waits_from_then_on(settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    claimed = timezone.now() - dt.timedelta(minutes=2)
    run = make_run("ages", state=Run.State.QUEUED, ago=3600, claimed_at=claimed)
    for _ in range(2):
        reconcile()
        assert (refreshed(run).state, run.claimed_at) == ("queued", None)


def test_run_pending_performs_a_request_that_would_count_as_lost(settings, capsys):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    run = make_run("ages", state=Run.State.QUEUED, ago=3600)
    call_command("run_pending")
    assert refreshed(run).state == "succeeded"


def test_run_pending_performs_the_other_requests_after_a_mistake_and_exits_with_1(monkeypatch, caplog):
    declare_materialised("Ages", "SELECT 1 AS age")
    declare_materialised("Towns", "SELECT 1 AS town")
    sync_views()
    bad = make_run("ages", state=Run.State.QUEUED, ago=60)
    good = make_run("towns", state=Run.State.QUEUED, ago=50)
    real = runs.refresh_views

    def refresh(names, **kwargs):
        if names == ["views.ages"]:
            raise TypeError("a mistake")
        return real(names, **kwargs)

    monkeypatch.setattr(runs, "refresh_views", refresh)
    with pytest.raises(CommandError, match="Not all requests could be performed") as failure:
        call_command("run_pending")
    assert failure.value.returncode == 1
    assert (refreshed(bad).state, bad.error) == ("failed", "a mistake")
    assert refreshed(good).state == "succeeded"
    assert "TypeError: a mistake" in caplog.text


@pytest.mark.parametrize("page", [LIST, HISTORY, f"{LIST}view/default/views/ages/"])
def test_every_page_that_shows_active_runs_reconciles_them_first(admin_client, page):
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    run = make_run("ages", ago=86_400, state=Run.State.RUNNING)
    assert admin_client.get(page).status_code == 200
    assert not refreshed(run).is_active


def test_a_run_whose_cancellation_was_refused_is_not_cancelled(admin_client, monkeypatch):
    def refuse(*args):
        raise DatabaseError("permission denied to cancel")

    monkeypatch.setattr(cancelling, "cancel_work", refuse)
    run = make_run("ages", ago=1, state=Run.State.RUNNING, pid=1, backend_start=timezone.now())
    monkeypatch.setattr("orm_views_admin.runs.backends.find_backends", lambda *args: {})
    page = admin_client.post(f"{HISTORY}{run.pk}/cancel/", follow=True).content.decode()
    assert "permission denied to cancel" in page
    assert "nothing left to cancel" not in page
    assert refreshed(run).cancelled_by == ""


def test_a_run_that_ended_before_its_cancellation_is_not_cancelled(admin_client, monkeypatch, ann):
    run = make_run("ages", ago=1, state=Run.State.RUNNING)

    def ends(*args):
        Run.objects.update(state=Run.State.SUCCEEDED)
        return False

    monkeypatch.setattr(cancelling, "_cancel_work", ends)
    assert not cancel(run, ann)
    assert (run.state, run.cancelled_by) == ("succeeded", "")


def test_keep_runs_may_be_timedelta_max(settings):
    settings.ORM_VIEWS_ADMIN = {"KEEP_RUNS": dt.timedelta.max}
    make_run("ages", ago=10 * 365 * 86_400)
    assert prune() == 0
    assert Run.objects.count() == 1


def test_the_page_takes_as_many_queries_for_forty_runs_as_for_two(admin_client):
    counts = []
    for count in (2, 40):
        request = uuid.uuid4()
        Run.objects.all().delete()
        for n in range(count):
            make_run(f"v{n}", ago=1, request=request, state=Run.State.QUEUED)
        with CaptureQueriesContext(connections["default"]) as queries:
            assert admin_client.get(path_of(Run.objects.first())).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_clearing_the_filters_keeps_the_view_whatever_its_name(admin_client):
    make_run("a&b#c+%41", who="ann")
    make_run("a&b#c+%41", who="bob")
    page = admin_client.get(HISTORY, {"view": "default/views/a&b#c+%41", "who": "ann"}).content.decode()
    (link,) = re.findall(r'href="([^"]*)">&#10006;', page)
    cleared = text_of(admin_client.get(HISTORY + link.replace("&amp;", "&")).content.decode())
    assert "History of views.a&amp;b#c+%41" in cleared
    assert "2 runs" in cleared


@pytest.mark.parametrize(
    "message", ["broker said \0 no", "no such file \udcff"], ids=["a null", "a lone surrogate"]
)
def test_any_error_of_an_executor_is_recorded(settings, ann, monkeypatch, at_once, message, caplog):
    # A lone surrogate in what is logged could not be sent to the process that prints the report.
    caplog.set_level(logging.CRITICAL + 1, logger="orm_views_admin")
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()

    def fail(*args, **kwargs):
        raise RuntimeError(message)

    monkeypatch.setattr("tests.admin.runs.test_runs.leave", fail)
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.runs.test_runs.leave"}
    run = at_once(start_sync, ann, "default")
    assert refreshed(run).state == "failed"
    assert message[:10] in run.error


def test_a_request_of_a_deleted_user_is_performed(ann, settings, at_once, monkeypatch):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.runs.test_runs.leave"}
    declare("Ages", "SELECT 1 AS age")
    run = at_once(start_sync, ann, "default")
    claim = runs._claim

    def claim_and_delete(request):
        claimed = claim(request)
        ann.delete()
        return claimed

    monkeypatch.setattr(runs, "_claim", claim_and_delete)
    perform(run.request)
    assert (refreshed(run).state, run.who) == ("succeeded", "ann")


def test_the_chosen_user_is_among_the_choices_of_the_filter(admin_client):
    for n in range(20):
        for _ in range(2 if n else 1):
            make_run("ages", who=f"u{n:02}")
    page = admin_client.get(HISTORY, {"who": "u00"}).content.decode()
    assert re.search(r'aria-current="true">u00 \(1\)', bare(page))


@pytest.mark.django_db(transaction=True)
def test_run_pending_says_that_a_database_cannot_be_written():
    make_run("slow", state=Run.State.QUEUED, ago=100)
    with connections["default"].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        with pytest.raises(CommandError, match="'default' cannot be written") as stopped:
            call_command("run_pending")
    finally:
        connections["default"].close()
    assert stopped.value.returncode == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("trouble", "advice"),
    [
        ("ALTER TABLE orm_views_admin_run RENAME TO elsewhere", "Run migrate."),
        ("ALTER TABLE orm_views_admin_run ADD CONSTRAINT none_at_all CHECK (false) NOT VALID", "none_at_all"),
    ],
)
def test_what_keeps_a_run_from_being_recorded_is_said(trouble, advice, caplog, committed_views):
    declare("One", "SELECT 1 AS id")
    with connections["default"].cursor() as cursor:
        cursor.execute(trouble)
    try:
        sync_views()
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("ALTER TABLE IF EXISTS elsewhere RENAME TO orm_views_admin_run")
            cursor.execute("ALTER TABLE orm_views_admin_run DROP CONSTRAINT IF EXISTS none_at_all")
    assert advice in caplog.text
