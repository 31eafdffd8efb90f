"""Fixtures of the tests of pages: a superuser who clicks, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from orm_views_admin.models import RowAccess, Run, ViewChange
from orm_views_core.views.registry import Registry
from tests.admin.browse import Browse
from tests.core.conftest import forget_models, nothing_personal, plain_settings, registered
from tests.engines.shared.conftest import committing, database, parcels, tables

__all__ = [
    "committing",
    "database",
    "forget_models",
    "nothing_personal",
    "parcels",
    "plain_settings",
    "registered",
    "tables",
]


@pytest.fixture(autouse=True)
def performed_inline(settings: Any) -> None:
    """Whoever starts a run waits for it."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}


@pytest.fixture(autouse=True)
def forgotten(committing: None) -> Iterator[None]:
    """What was recorded is forgotten after each test."""
    yield
    for model in (RowAccess, ViewChange, Run, LogEntry, Session, User):
        model._base_manager.all().delete()


@pytest.fixture
def browse(forgotten: None) -> Browse:
    """A superuser at a browser."""
    user = User.objects.create_superuser("ada", "ada@example.org", "secret")
    client = Client()
    client.force_login(user)
    # Nothing is in a transaction, so what waits for a commit is called at once.
    return Browse(client, lambda execute: nullcontext())


@pytest.fixture
def undeclared(registered: Registry) -> Callable[[type], None]:
    """A function that takes a class away."""
    return registered.unregister
