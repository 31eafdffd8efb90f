"""Fixtures of the admin's tests: an empty registry, staff with chosen permissions, unreachable databases."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client

from orm_views_admin.models import Run
from orm_views_core.privacy import marks
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import Registry, registry
from tests.admin.browse import Browse
from tests.admin.slow import declare_slow
from tests.demo.lending.models import Customer

#: The fields that the demonstration marks.
MARKED = ("email", "first_name", "last_name", "date_of_birth")


@pytest.fixture(autouse=True)
def plain_settings(settings: Any) -> None:
    """The default settings, without the roles that the demonstration grants SELECT to.

    Runs are performed in the request that starts them: another thread would not see the uncommitted changes
    of a test's transaction.
    """
    settings.ORM_VIEWS = {}
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}


@pytest.fixture(autouse=True)
def nothing_personal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what the demonstration marks as personal. :func:`personal` marks it again."""
    for name in MARKED:
        monkeypatch.delattr(Customer._meta.get_field(name), marks.ATTRIBUTE, raising=False)
    monkeypatch.setattr(marks, "_used", False)


@pytest.fixture
def personal(nothing_personal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the demonstration marks as personal: names, e-mail addresses and dates of birth."""
    for name in MARKED:
        monkeypatch.setattr(Customer._meta.get_field(name), marks.ATTRIBUTE, True, raising=False)
    monkeypatch.setattr(marks, "_used", True)


@pytest.fixture(autouse=True)
def registered() -> Iterator[Registry]:
    """The registry. It has only the views that a test declares."""
    with registry.isolated() as empty:
        yield empty


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A function that logs in a member of staff with some permissions: ``staff("view", "sync")``."""

    def log_in(*verbs: str) -> Client:
        user = get_user_model().objects.create_user(f"staff-{'-'.join(verbs)}", is_staff=True)
        codenames = [f"{verb}_registeredview" for verb in verbs]
        found = Permission.objects.filter(content_type__app_label="orm_views_admin", codename__in=codenames)
        assert len(found) == len(verbs)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def browse(admin_client: Client, django_capture_on_commit_callbacks: Any) -> Browse:
    """The pages, as a superuser sees them."""
    return Browse(admin_client, django_capture_on_commit_callbacks)


@pytest.fixture
def cut_off(misdirect: Callable[[str, dict[str, Any]], None]) -> Callable[[str], None]:
    """A function that makes a database unreachable until the end of a test."""
    return lambda alias: misdirect(alias, {"HOST": "/nonexistent", "NAME": "nowhere"})


@pytest.fixture
def ann(db: None) -> Any:
    """A member of staff."""
    return get_user_model().objects.create_user("ann", is_staff=True)


@pytest.fixture
def at_once(settings: Any, django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """A function that calls another one, and performs the requests that it starts before it returns."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return function(*args, **kwargs)

    return call


@pytest.fixture
def pause(transactional_db: None, committed_views: None) -> Iterator[Callable[[float], None]]:
    """A function that sets the seconds of a refresh of the slow views, which exist and have one row."""
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pause CASCADE")
        cursor.execute("CREATE TABLE pause AS SELECT 1 AS n, 0.0::float8 AS seconds")
    declare_slow()
    sync_views()
    Run.objects.all().delete()

    def say(seconds: float) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("UPDATE pause SET n = n + 1, seconds = %s", [seconds])

    yield say
    for thread in threading.enumerate():
        if thread.name.startswith("orm-views"):
            thread.join(60)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        cursor.execute("DROP TABLE pause CASCADE")


@pytest.fixture
def refresh_seconds() -> float:
    """The duration of a long refresh in seconds: 10 in a soak test, 2 otherwise."""
    return 10.0 if os.environ.get("SOAK") else 2.0
