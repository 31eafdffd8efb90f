"""What attacks share: the attacker, roles to be attacked, and the list of what was tried."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connections

from tests.conftest import ATTACK, WHOLE
from tests.core.conftest import forget_models, plain_settings, registered, unrecorded

from .attacker import LAIR, PASSWORD, Attacker, connect_as, query

__all__ = ["WHOLE", "forget_models", "plain_settings", "registered", "unrecorded"]


@pytest.fixture
def make_login(transactional_db: None) -> Iterator[Callable[[str], str]]:
    """A function that creates a role of this database's own that may connect; it is gone after the test."""
    name = connections["default"].settings_dict["NAME"]
    made: list[str] = []

    def make(who: str, options: str = "") -> str:
        role = f"{name}_{who}"
        _forget([role])
        query(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' {options}")
        made.append(role)
        return role

    yield make
    query(f"DROP SCHEMA IF EXISTS views, {LAIR} CASCADE")
    _forget(made)


def _forget(roles: list[str]) -> None:
    for (role,) in query("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [roles]):
        query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
        query(f"DROP OWNED BY {role} CASCADE")
        query(f"DROP ROLE {role}")


@pytest.fixture
def attacker(make_login: Callable[[str], str]) -> Iterator[Attacker]:
    """The attacker, who has TEMP and a schema of its own."""
    role = make_login("attacker")
    query(f"DROP SCHEMA IF EXISTS {LAIR} CASCADE; CREATE SCHEMA {LAIR} AUTHORIZATION {role}")
    query(f"GRANT USAGE ON SCHEMA {LAIR} TO PUBLIC")
    attacker = Attacker(role)
    yield attacker
    attacker.leave()


@pytest.fixture
def connected_as(transactional_db: None) -> Callable[[str], AbstractContextManager[None]]:
    """A function that gives a context in which the default connection is one of another role."""

    @contextmanager
    def use(role: str) -> Iterator[None]:
        own, other = connections["default"], connect_as(role)
        connections["default"] = other
        try:
            yield
        finally:
            connections["default"] = own
            other.close()

    return use


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the report what the attack tried; ``tests/conftest.py`` prints it."""
    report = yield
    first_line = (getattr(item, "obj", None).__doc__ or item.name).strip().splitlines()[0]
    report.user_properties.append((ATTACK, first_line))
    return report
