"""Graphviz, to compare with."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def dot() -> str:
    """Where `dot` is. Without it the tests are skipped on a developer's machine and fail in CI."""
    found = shutil.which("dot")
    if found:
        return found
    message = "no dot on the PATH: install graphviz"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
