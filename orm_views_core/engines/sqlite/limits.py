"""Blocks in which SQLite ends statements in time, and in which nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

#: SQLite runs so many instructions between two looks at the clock.
_INSTRUCTIONS = 10_000
#: When the statements of the blocks around have to end, by the alias of the database.
_DEADLINES: ContextVar[dict[str, float]] = ContextVar("_DEADLINES", default={})  # noqa: B039 - never changed


@contextmanager
def ending_in(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Interrupt the statements of a block after some seconds, or when a block around has it so.

    https://www.sqlite.org/c3ref/progress_handler.html
    """
    connection.ensure_connection()
    of_driver: Any = connection.connection
    around = _DEADLINES.get()
    deadline = min(time.monotonic() + seconds, around.get(connection.alias, float("inf")))
    token = _DEADLINES.set({**around, connection.alias: deadline})
    _set_deadline(of_driver, deadline)
    try:
        yield
    finally:
        _DEADLINES.reset(token)
        _set_deadline(of_driver, around.get(connection.alias))


def _set_deadline(of_driver: Any, deadline: float | None) -> None:
    """Have SQLite look at the clock; None: not any more."""
    if deadline is None:
        of_driver.set_progress_handler(None, 0)
    else:
        of_driver.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)


@contextmanager
def not_writing(cursor: CursorWrapper) -> Iterator[None]:
    """Refuse to write in a block. https://www.sqlite.org/pragma.html#pragma_query_only"""
    cursor.execute("PRAGMA query_only")
    (was,) = cursor.fetchone()
    cursor.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA query_only = {int(was)}")
