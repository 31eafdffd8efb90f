"""A function that SQLite lacks: its lower() knows no letters but those of ASCII."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

#: Whether a text, as bytes, has a part in it, in capitals or not.
CONTAINS = "orm_views_contains"


def add_functions(connection: BaseDatabaseWrapper) -> None:
    """Add the function to a connection, which is open."""
    of_driver: Any = connection.connection
    of_driver.create_function(CONTAINS, 2, _contains, deterministic=True)


def _contains(text: bytes | None, part: str) -> bool | None:
    """Return whether the part is there. Bytes that are no text are no obstacle."""
    return None if text is None else part.lower() in text.decode(errors="replace").lower()
