"""What the tests of the pages share: an empty registry, staff with chosen permissions, lost databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client

from orm_views_core.registry import Registry, registry
from tests.admin.pages import Browse


@pytest.fixture(autouse=True)
def plain_settings(settings: Any) -> None:
    """The defaults: what the demonstration grants is no business of these tests."""
    settings.ORM_VIEWS = {}


@pytest.fixture(autouse=True)
def registered() -> Iterator[Registry]:
    """The registry, empty but for what a test declares."""
    with registry.isolated() as empty:
        yield empty


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A function that logs a member of staff in who has some permissions: ``staff("view", "sync")``."""

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
def browse(admin_client: Client) -> Browse:
    """The pages, as a superuser sees them."""
    return Browse(admin_client)


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that makes a database unreachable for the length of a test."""
    kept = {}

    def cut(alias: str) -> None:
        kept[alias] = connections[alias]
        nowhere = {**connections.settings[alias], "HOST": "/nonexistent", "NAME": "nowhere"}
        monkeypatch.setitem(connections.settings, alias, nowhere)
        connections[alias] = connections.create_connection(alias)

    yield cut
    for alias, connection in kept.items():
        connections[alias].close()
        connections[alias] = connection
