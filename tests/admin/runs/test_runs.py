"""The queue and the performer: starting refreshes and syncs, and performing them."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.runs import perform, start_refresh, start_sync
from orm_views_admin.trends import usual_durations
from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import declare, declare_materialised, url

pytestmark = pytest.mark.django_db

BOTTOM = ViewAddress("default", ViewName("views", "bottom"))
TOP = ViewAddress("default", ViewName("views", "a_top"))


@pytest.fixture
def numbers(execute):
    execute("CREATE TABLE numbers (n int)")
    execute("INSERT INTO numbers VALUES (1)")
    declare_materialised("A_top", "SELECT n FROM views.bottom")
    declare_materialised("Bottom", "SELECT n FROM numbers", pk_field="n")
    sync_views()
    Run.objects.all().delete()
    execute("INSERT INTO numbers VALUES (2)")


def rows(execute, name):
    return execute(f"SELECT count(*) FROM views.{name}")[0][0]


def test_a_refresh_is_queued_in_dependency_order_and_done_on_commit(numbers, execute, ann, at_once):
    runs = at_once(start_refresh, ann, [TOP, BOTTOM])
    assert [run.view_name.name for run in runs] == ["bottom", "a_top"]
    assert {run.state for run in runs} == {"queued"}
    assert len({run.request for run in runs}) == 1
    first, second = Run.objects.order_by("pk")
    for run in (first, second):
        assert (run.state, run.kind, run.origin) == ("succeeded", "refresh", "admin")
        assert (run.user, run.who) == (ann, "ann")
        assert None not in {run.pid, run.backend_start, run.started_at, run.finished_at}
        assert run.seconds > 0
        assert run.rows_after == 2
        assert run.size_after
    assert (first.concurrently, first.why_not) == (True, "")
    assert (second.concurrently, "no unique index" in second.why_not) == (False, True)
    assert (rows(execute, "bottom"), rows(execute, "a_top")) == (2, 2)


def test_a_request_is_handed_to_the_executor_after_the_commit(numbers, execute, ann, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    (run,) = start_refresh(ann, [BOTTOM])
    assert rows(execute, "bottom") == 1
    assert run.state == "queued"


def test_a_view_with_an_active_run_is_not_started_again(numbers, ann):
    (first,) = start_refresh(ann, [BOTTOM])
    bottom, top = start_refresh(ann, [TOP, BOTTOM])
    assert bottom == first
    assert top.request != first.request
    assert Run.objects.count() == 2


def test_an_unknown_view_starts_nothing(numbers, ann):
    with pytest.raises(UnknownViewError):
        start_refresh(ann, [BOTTOM, ViewAddress("default", ViewName("views", "absent"))])
    assert not Run.objects.exists()
    assert start_refresh(ann, []) == []


def test_the_run_of_a_view_that_is_no_longer_registered_fails_and_the_others_do_not(numbers, ann, registered):
    runs = start_refresh(ann, [BOTTOM, TOP])
    with registered.isolated():
        declare_materialised("Bottom", "SELECT n FROM numbers", pk_field="n")
        perform(runs[0].request)
    first, second = Run.objects.order_by("pk")
    assert (first.state, second.state) == ("succeeded", "failed")
    assert "No registered materialised view" in second.error


def test_a_request_is_performed_once(numbers, ann):
    (run,) = start_refresh(ann, [BOTTOM])
    perform(run.request)
    run.refresh_from_db()
    finished = run.finished_at
    perform(run.request)
    perform(uuid.uuid4())
    run.refresh_from_db()
    assert run.finished_at == finished
    assert Run.objects.count() == 1


def test_a_view_that_reads_a_failed_one_is_skipped(numbers, execute, ann, at_once):
    execute("INSERT INTO numbers VALUES (2)")
    at_once(start_refresh, ann, [BOTTOM, TOP])
    bottom, top = Run.objects.order_by("pk")
    assert (bottom.state, top.state) == ("failed", "skipped")
    assert "could not be refreshed" in bottom.error
    assert "views.bottom" in top.error
    assert top.started_at is None


def test_a_refresh_and_a_sync_are_in_djangos_log(numbers, ann, at_once):
    at_once(start_refresh, ann, [BOTTOM])
    at_once(start_sync, ann, "default")
    sync, refresh = LogEntry.objects.order_by("-pk")
    assert (refresh.user, refresh.object_repr) == (ann, "views.bottom")
    assert refresh.change_message == "Started a refresh."
    assert (sync.object_repr, sync.change_message) == ("default", "Started a sync.")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    assert client.get(refresh.get_admin_url()).headers["Location"] == url("detail", "bottom")
    assert client.get(sync.get_admin_url()).headers["Location"] == "/admin/orm-views/"


def test_a_sync_is_a_run_with_its_steps(execute, ann, at_once):
    declare("Plain", "SELECT 1 AS one")
    declare_materialised("Filled", "SELECT one FROM views.plain")
    (plan,) = plan_views()
    at_once(start_sync, ann, "default", fingerprint=plan.fingerprint)
    run = Run.objects.get()
    assert (run.state, run.error) == ("succeeded", "")
    assert (run.kind, run.schema, run.name, run.view_name, run.user) == ("sync", "", "", None, ann)
    assert [step["text"] for step in run.steps] == [
        "schema views",
        "create views.plain",
        "create views.filled",
    ]
    assert {step["state"] for step in run.steps} == {"done"}
    assert run.summary == "schema: 1, create: 2"
    assert run.seconds > 0


def test_only_the_chosen_views_are_synced(execute, ann, at_once):
    declare("Plain", "SELECT 1 AS one")
    declare("Other", "SELECT 1 AS one")
    at_once(start_sync, ann, "default", only=[ViewName("views", "plain")])
    assert execute("SELECT to_regclass('views.plain')") != [(None,)]
    assert execute("SELECT to_regclass('views.other')") == [(None,)]


def test_a_plan_that_differs_from_the_confirmed_one_is_not_carried_out(execute, ann, at_once):
    declare("Plain", "SELECT 1 AS one")
    at_once(start_sync, ann, "default", fingerprint="another one")
    run = Run.objects.get()
    assert run.state == "failed"
    assert "has changed since this plan was made" in run.error
    assert execute("SELECT to_regclass('views.plain')") == [(None,)]


def test_starting_a_second_sync_returns_the_active_one(ann):
    assert start_sync(ann, "default") == start_sync(ann, "default")
    assert Run.objects.count() == 1


def test_the_run_fails_when_the_executor_raises(numbers, ann, settings, at_once, caplog):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.runs.test_runs.refuse"}
    at_once(start_refresh, ann, [BOTTOM])
    run = Run.objects.get()
    assert run.state == "failed"
    assert run.error == "The request could not be handed to the executor: no broker"
    assert "could not be handed" in caplog.text


def refuse(request):
    raise ConnectionError("no broker")


def test_a_mistake_in_the_code_is_recorded_and_raised(ann, monkeypatch):
    run = start_sync(ann, "default")
    monkeypatch.setattr("orm_views_admin.runs.performer.sync_views", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        perform(run.request)
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "division by zero")


def test_the_usual_duration_is_the_median_or_that_of_the_last_refresh(numbers, ann):
    run = Run(kind="refresh", database="default", schema="views", name="bottom", request=uuid.uuid4())
    run.save()
    assert usual_durations([run])[run.pk] is not None  # the duration in the view's sync state
    for seconds in (1, 2, 9):
        Run.objects.create(
            kind="refresh",
            database="default",
            schema="views",
            name="bottom",
            request=uuid.uuid4(),
            state="succeeded",
            seconds=seconds,
        )
    assert usual_durations([run]) == {run.pk: 2}
    assert usual_durations([Run(kind="sync", database="default")]) == {}


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_views_of_another_database_have_their_runs_in_the_default_one(ann, at_once):
    declare_materialised("There", "SELECT 1 AS one", database="warehouse")
    at_once(start_sync, ann, "warehouse")
    at_once(start_refresh, ann, [ViewAddress("warehouse", ViewName("views", "there"))])
    refresh, sync = Run.objects.using("default")
    assert {refresh.state, sync.state} == {"succeeded"}
    assert {refresh.database, sync.database} == {"warehouse"}
    assert not Run.objects.using("warehouse").exists()


def test_without_time_zones(numbers, ann, at_once, settings):
    settings.USE_TZ = False
    at_once(start_refresh, ann, [BOTTOM])
    run = Run.objects.get()
    assert run.state == "succeeded"
    assert abs((timezone.now() - run.started_at).total_seconds()) < 60


@pytest.mark.django_db(transaction=True)
def test_six_requests_at_once_give_one_active_run(pause, ann):
    from tests.admin.slow import SLOW

    found, barrier = [], threading.Barrier(6)

    def ask():
        barrier.wait()
        with transaction.atomic():
            found.extend(start_refresh(ann, [SLOW]))
        connections.close_all()

    from django.test import override_settings

    with override_settings(ORM_VIEWS_ADMIN={"EXECUTOR": "tests.admin.runs.test_runs.leave"}):
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 6
    assert len({run.pk for run in found}) == 1
    run = Run.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            kind="refresh",
            database="default",
            schema="views",
            name="slow",
            request=uuid.uuid4(),
            state="running",
        )
    pause(0.5)
    threads = [threading.Thread(target=perform_and_close, args=[run.request]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert run.state == "succeeded"
    assert Run.objects.count() == 1


def leave(request):
    """Take a request and do nothing."""


def perform_and_close(request):
    perform(request)
    connections.close_all()
