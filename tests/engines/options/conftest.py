"""The fixtures of the shared tests, and a way to run commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from orm_views_core.spelling import Spelling
from tests.engines.shared.conftest import (
    committing,
    database,
    forget_models,
    nothing_personal,
    parcels,
    plain_settings,
    registered,
    tables,
    unrecorded,
    whole_parcels,
)
from tests.engines.shared.databases import Database

__all__ = [
    "committing",
    "database",
    "forget_models",
    "nothing_personal",
    "parcels",
    "plain_settings",
    "registered",
    "tables",
    "unrecorded",
    "whole_parcels",
]


@pytest.fixture
def engine(database: Database) -> Spelling:
    """How the engine of the tests writes names."""
    return database.spelling


@pytest.fixture
def plain(engine: Spelling) -> Spelling:
    """The same, for what differs from PostgreSQL."""
    if engine.abilities.staging:
        pytest.skip("PostgreSQL has all of it: see tests/core")
    return engine


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A function that runs a command and returns what it printed."""

    def run(*arguments: Any) -> str:
        capsys.readouterr()
        call_command(*arguments, no_color=True)
        return capsys.readouterr().out

    return run
