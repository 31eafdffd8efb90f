"""How much is done, with which seed, and what the tests of this directory share."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from orm_views_core.views.registry import Registry, registry

from .facts import ELSEWHERE, HERE, query

#: `make soak` does all of it; the suite, a share of it.
SOAKING = bool(os.environ.get("SOAK"))


@pytest.fixture(scope="session")
def seed() -> int:
    """What everything random starts from: SOAK_SEED, else a new one when soaking, else always the same."""
    chosen = os.environ.get("SOAK_SEED")
    return int(chosen) if chosen else random.randrange(1_000_000) if SOAKING else 1


@pytest.fixture(scope="session")
def how_many() -> Callable[[int, int], int]:
    """A function that picks of two counts: that of the suite and that of `make soak`."""
    return lambda in_the_suite, soaking: soaking if SOAKING else in_the_suite


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
def people(transactional_db: None) -> Iterator[tuple[str, str, str, str]]:
    """Four roles of this database's own: two people, an application, and an owner who may read everything."""
    name = connections[HERE].settings_dict["NAME"]
    roles = tuple(f"{name}_{who}" for who in ("ann", "bob", "app", "owner"))
    _forget(roles)  # whom a run that was killed has left behind
    for role in roles:
        query(HERE, f"CREATE ROLE {role} NOLOGIN {'SUPERUSER' if role.endswith('owner') else ''}")
    yield roles
    _forget(roles)


def _forget(roles: tuple[str, ...]) -> None:
    there = [
        role for (role,) in query(HERE, "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[*roles]])
    ]
    for alias in (HERE, ELSEWHERE):
        query(alias, "DROP SCHEMA IF EXISTS views, theirs, base CASCADE")
        for role in there:
            query(alias, f"DROP OWNED BY {role} CASCADE")
    for role in there:
        query(HERE, f"DROP ROLE {role}")
