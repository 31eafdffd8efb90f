"""Fixtures of the tests of SQLite: a file of their own, which is new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.core.conftest import forget_models, nothing_personal, plain_settings, registered, unrecorded

from .files import ALIAS, File

#: The tests of the sample run in processes of their own.
collect_ignore = ["sample"]

__all__ = ["forget_models", "nothing_personal", "plain_settings", "registered", "unrecorded"]


@pytest.fixture
def file(tmp_path: Path, django_db_blocker: Any) -> Iterator[File]:
    """A new file, which is a database of the project under an alias of its own."""
    path = tmp_path / "fresh.sqlite3"
    connections.settings[ALIAS] = {**connections.settings["default"], "NAME": str(path)}
    with django_db_blocker.unblock():
        yield File(path)
        if ALIAS in connections.settings:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.settings[ALIAS]
