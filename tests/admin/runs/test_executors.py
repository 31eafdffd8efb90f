"""Executors: the default is a thread, and two workers perform a request only once."""

from __future__ import annotations

import logging
import time

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from orm_views_admin.models import Run
from orm_views_admin.runs import start_refresh
from orm_views_admin.runs.executors import (
    enqueue_task,
    get_executor,
    perform_in_thread,
    perform_inline,
)
from tests.admin.slow import SLOW, Process, wait_for, wait_for_state

try:
    from django.tasks import task_backends  # noqa: F401
except ModuleNotFoundError:
    PACKAGE = "django_tasks"
else:
    PACKAGE = "django.tasks"

REAL = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
IMMEDIATE = {"default": {"BACKEND": f"{PACKAGE}.backends.immediate.ImmediateBackend"}}
DUMMY = {"default": {"BACKEND": f"{PACKAGE}.backends.dummy.DummyBackend"}}


def taken(request):
    """An executor as a project writes it."""


not_callable = "no function"


@pytest.mark.parametrize(
    ("name", "tasks", "executor"),
    [
        ("auto", IMMEDIATE, perform_in_thread),
        ("auto", DUMMY, perform_in_thread),
        ("auto", {}, perform_in_thread),
        ("auto", REAL, enqueue_task),
        ("task", REAL, enqueue_task),
        ("thread", REAL, perform_in_thread),
        ("inline", REAL, perform_inline),
        ("tests.admin.runs.test_executors.taken", REAL, taken),
    ],
)
def test_the_executor_follows_from_the_settings(settings, name, tasks, executor):
    settings.TASKS = tasks
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": name}
    assert get_executor() is executor


def test_the_default_is_a_thread(settings):
    del settings.ORM_VIEWS_ADMIN
    assert get_executor() is perform_in_thread


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("task", "no default backend"),
        ("tests.admin.absent.submit", "cannot be imported"),
        ("tests.admin.runs.test_executors.absent", "cannot be imported"),
        ("tests.admin.runs.test_executors.not_callable", "cannot be called"),
        ("threads", "is 'threads'"),
        (3, "is 3"),
    ],
)
def test_manage_py_check_reports_a_missing_executor(settings, name, message):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": name}
    (problem,) = [m for m in run_checks(tags=["orm_views"], databases=[]) if m.id == "orm_views_admin.E001"]
    assert message in problem.msg
    assert problem.hint
    with pytest.raises(ImproperlyConfigured):
        get_executor()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"KEEP_RUNS": 90}, "ORM_VIEWS_ADMIN['KEEP_RUNS'] is 90."),
        ({"KEEP": 90}, "unknown key 'KEEP'"),
        ([], "not a dict"),
    ],
)
def test_manage_py_check_reports_a_wrong_setting(settings, raw, message):
    settings.ORM_VIEWS_ADMIN = raw
    (problem,) = [m for m in run_checks(tags=["orm_views"], databases=[]) if m.id == "orm_views_admin.E001"]
    assert message in problem.msg
    assert problem.hint


def started(ann):
    """Start a refresh as a page does; return its run, and print how long the start took."""
    began = time.monotonic()
    (run,) = start_refresh(ann, [SLOW])
    print(f"\nstarted within {time.monotonic() - began:.2f} s")
    assert Run.objects.get(pk=run.pk).is_active, "starting it waited for its end"
    return run


def sessions():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_the_default_thread_refreshes_and_closes_its_connections(pause, ann, settings, refresh_seconds):
    del settings.ORM_VIEWS_ADMIN
    before = sessions()
    pause(refresh_seconds)
    run = started(ann)
    wait_for_state(run, "running")
    wait_for_state(run, "succeeded")
    assert run.seconds >= refresh_seconds
    wait_for(lambda: sessions() == before)


@pytest.mark.django_db(transaction=True)
def test_two_workers_of_a_database_queue_perform_a_request_once(pause, ann, settings, refresh_seconds):
    del settings.ORM_VIEWS_ADMIN
    settings.TASKS = REAL
    workers = [
        Process("command", "db_worker", "--interval", "0.1", "--no-startup-delay", TASKS=REAL)
        for _ in range(2)
    ]
    try:
        assert [worker.line() for worker in workers] == ["ready", "ready"]
        pause(refresh_seconds)
        run = started(ann)
        # Queues may deliver a request twice.
        get_executor()(str(run.request))
        wait_for_state(run, "running")
        wait_for_state(run, "succeeded")
        assert run.seconds >= refresh_seconds
        assert (run.origin, run.user) == ("admin", ann)
        assert Run.objects.count() == 1
    finally:
        for worker in workers:
            worker.kill()


@pytest.mark.django_db(transaction=True)
def test_celery_performs_a_request(pause, ann, settings, refresh_seconds, caplog):
    caplog.set_level(logging.NOTSET)  # Celery sets another level, which is restored with this one
    from celery.contrib.testing.worker import start_worker

    from tests.admin.celery_app import app

    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.celery_app.submit"}
    pause(refresh_seconds)
    with start_worker(app, pool="threads", concurrency=2, perform_ping_check=False, shutdown_timeout=30):
        run = started(ann)
        wait_for_state(run, "running")
        wait_for_state(run, "succeeded")
    assert run.seconds >= refresh_seconds


@pytest.mark.django_db(transaction=True)
def test_the_inline_executor_performs_before_it_returns(pause, ann, settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    pause(0.5)
    began = time.monotonic()
    (run,) = start_refresh(ann, [SLOW])
    assert time.monotonic() - began >= 0.5
    run.refresh_from_db()
    assert run.state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_a_callable_gets_the_id_as_a_string(pause, ann, settings, monkeypatch):
    given = []
    monkeypatch.setattr("tests.admin.runs.test_executors.taken", given.append)
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "tests.admin.runs.test_executors.taken"}
    (run,) = start_refresh(ann, [SLOW])
    assert given == [str(run.request)]
