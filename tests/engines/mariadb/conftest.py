"""Fixtures of the tests of MariaDB: the empty test database, a table, and other users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from tests.core.conftest import forget_models, nothing_personal, plain_settings, registered, unrecorded

from .server import ROOT, Server

__all__ = ["forget_models", "nothing_personal", "plain_settings", "registered", "unrecorded"]


@pytest.fixture
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """The test database with one table of two rows. Everything else is gone after the test."""
    with django_db_blocker.unblock():
        found = Server()
        before = set(found.relations())
        found.run("CREATE TABLE item (id int PRIMARY KEY, code varchar(30), price decimal(8, 2))")
        found.run("INSERT INTO item VALUES (1, 'one', 1.5), (2, 'two', 2.5)")
        yield found
        connections["default"].close()
        for name, kind in found.relations().items():
            if name not in before:
                quoted = name.replace("`", "``")
                found.run(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} `{quoted}`")
        # What was granted on a view stays when it is dropped.
        found.run("DELETE FROM mysql.tables_priv WHERE db = database()")
        found.run("FLUSH PRIVILEGES")


@pytest.fixture
def make_account(server: Server) -> Iterator[Callable[[str], str]]:
    """A function that creates a role, or a user if the name has a host. They are gone after the test."""
    made = []

    def make(name: str) -> str:
        kind, spelled = server.spelled(name)
        server.run(f"CREATE OR REPLACE {kind} {spelled}")
        made.append(name)
        return name

    yield make
    for name in made:
        kind, spelled = server.spelled(name)
        server.run(f"DROP {kind} IF EXISTS {spelled}")


@pytest.fixture
def as_user(server: Server, make_account: Callable[[str], str]) -> Iterator[Callable[..., None]]:
    """A function that lets the project connect as another user, who has some privileges on the database."""
    settings = connections.settings["default"]

    def connect(user: str, privileges: str = "ALL", *, grants: bool = True) -> None:
        make_account(f"{user}@localhost")
        option = " WITH GRANT OPTION" if grants else ""
        server.run(f"GRANT {privileges} ON `{server.name}`.* TO `{user}`@localhost{option}")
        connections["default"].close()
        connections["default"].settings_dict["USER"] = user

    yield connect
    connections["default"].close()
    connections["default"].settings_dict["USER"] = settings["USER"] = ROOT
