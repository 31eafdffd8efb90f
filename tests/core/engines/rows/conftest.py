"""A schema for views, and a function that creates them."""

from __future__ import annotations

import pytest

from .views import NOWHERE, V, declare


@pytest.fixture(autouse=True)
def schema(execute):
    execute("CREATE SCHEMA views")
    declare(NOWHERE)


@pytest.fixture
def create(execute):
    def create(sql, name=V, kind="VIEW"):
        execute(f"CREATE {kind} {name.quoted} AS {sql}")
        declare(name)
        return name

    return create
