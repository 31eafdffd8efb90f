"""From where a sync or refresh was started: what runs.py says, else what the call stack shows."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from .models import Run

#: A database, and the schema and name of a view; these two are empty for a sync.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Origin:
    """Who started something, and from where.

    Attributes:
        origin: a ``Run.Origin``.
        user: a user of Django's, or None.
        who: what to call whoever it was.
        runs: the primary keys of the rows that there are already for what is about to be done.
        claimed_at: when those were taken from the queue. Whoever has taken them since writes into them.
    """

    origin: str
    user: Any = None
    who: str = ""
    runs: Mapping[Key, int] = field(default_factory=dict)
    claimed_at: dt.datetime | None = None


_said: ContextVar[Origin | None] = ContextVar("orm_views_admin_origin", default=None)


@contextmanager
def started_by(
    origin: str,
    *,
    user: Any = None,
    who: str = "",
    runs: Mapping[Key, int] | None = None,
    claimed_at: dt.datetime | None = None,
) -> Iterator[None]:
    """Say who starts what is refreshed and synced within this context, for the history.

    A task of a project's own, for instance::

        with started_by(Run.Origin.TASK, user=user):
            refresh_views(["loan_book"])

    Args:
        origin: a ``Run.Origin``.
        user: a user of Django's.
        who: what to call whoever it is; the user's name when empty.
        runs: the rows that there are already.
        claimed_at: when those were taken from the queue.
    """
    name = who or (user.get_username() if user is not None else "")
    token = _said.set(Origin(origin, user, name, runs or {}, claimed_at))
    try:
        yield
    finally:
        _said.reset(token)


def find_origin() -> Origin:
    """Return who started what is going on in this thread."""
    if (said := _said.get()) is not None:
        return said
    module = _calling_command()
    if module is None:
        return Origin(Run.Origin.CODE)
    # db_worker, rqworker: what they carry out was asked for by somebody else.
    is_task = module.endswith("worker")
    return Origin(Run.Origin.TASK if is_task else Run.Origin.COMMAND, who="" if is_task else _system_user())


def _calling_command() -> str | None:
    """Return the module of the management command that this is called from.

    Django tells nobody which command runs, and a project's own commands are to count as well as ours.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "execute" and isinstance(
            command := frame.f_locals.get("self"), BaseCommand
        ):
            return type(command).__module__
        frame = frame.f_back
    return None


def _system_user() -> str:
    with suppress(OSError, KeyError, ImportError):  # nobody has that number, as may be in a container
        return getpass.getuser()
    return ""
