"""Whether a management command calls ``sync_views()`` or ``refresh_views()``.

The commands of this package say so themselves. Receivers of the signals can ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_command: ContextVar[bool] = ContextVar("orm_views_core_is_command", default=False)


@contextmanager
def called_by_command() -> Iterator[None]:
    """Return a context, or a decorator, for the code of a management command."""
    token = _is_command.set(True)
    try:
        yield
    finally:
        _is_command.reset(token)


def is_called_by_command() -> bool:
    """Return whether this is called by a management command that says so."""
    return _is_command.get()
