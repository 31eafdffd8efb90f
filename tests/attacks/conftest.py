"""What attacks share: the attacker, roles to be attacked, and the list of what was tried."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connections

from tests.core.conftest import forget_models, plain_settings, registered, unrecorded

from .attacker import LAIR, PASSWORD, Attacker, connect_as, query

__all__ = ["forget_models", "plain_settings", "registered", "unrecorded"]

#: `nox --session attacks` tries everything; the suite, a sample of what takes long.
WHOLE = bool(os.environ.get("ATTACKS"))

_tried: dict[str, tuple[str, str]] = {}


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
    """Note what each attack tried, and whether the code held."""
    report = yield
    if report.when == "call" or report.failed:
        first_line = (getattr(item, "obj", None).__doc__ or item.name).strip().splitlines()[0]
        _tried[item.nodeid] = (first_line, "HELD" if report.passed else report.outcome.upper())
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of attacks and, when all are tried, what each one tried."""
    if not _tried:
        return
    held = sum(outcome == "HELD" for _, outcome in _tried.values())
    terminalreporter.section("attacks")
    if WHOLE:
        for node, (what, outcome) in _tried.items():
            variant = node.partition("[")[2].rstrip("]")
            terminalreporter.line(f"{outcome:7} {what}{f' [{variant}]' if variant else ''}")
    terminalreporter.line(f"{held} of {len(_tried)} attacks held off")
