"""The variables of programs that must find nothing of this suite."""

from __future__ import annotations

import os

#: What leads to this checkout, to the tests' Django or to another server.
_HIDDEN = ("PYTHON", "DJANGO", "PYTEST", "PG", "VIRTUAL_ENV", "DATABASE_URL", "ORM_VIEWS", "COV", "GIT_")


def clean_environment() -> dict[str, str]:
    """Return the variables of this process without those that lead back to it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
