"""The origin of a sync or a refresh: who started it, and where."""

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

from orm_views_core.callers import is_called_by_command

from .models import Run, Target


@dataclass(frozen=True)
class Origin:
    """Who started a sync or a refresh, and where.

    Attributes:
        origin: a ``Run.Origin``.
        user: a user of Django's, or None.
        who: the name of the user, or of the system's user who ran a command.
        runs: the primary keys of the runs that exist already, by target.
        claimed_at: when those runs were taken from the queue. When another process has taken a run since,
            only that process writes it.
    """

    origin: str
    user: Any = None
    who: str = ""
    runs: Mapping[Target, int] = field(default_factory=dict)
    claimed_at: dt.datetime | None = None


_stated: ContextVar[Origin | None] = ContextVar("orm_views_admin_origin", default=None)


@contextmanager
def started_by(
    origin: str,
    *,
    user: Any = None,
    who: str = "",
    runs: Mapping[Target, int] | None = None,
    claimed_at: dt.datetime | None = None,
) -> Iterator[None]:
    """State the origin of what is refreshed and synced within this context, for the history.

    Args:
        origin: a ``Run.Origin``.
        user: a user of Django's.
        who: the name that the history shows; the user's name when empty.
        runs: the primary keys of the runs that exist already, by target.
        claimed_at: when those runs were taken from the queue.

    Example:
        >>> from orm_views_admin.models import Run
        >>> from orm_views_admin.origins import started_by
        >>> from orm_views_core.refresh import refresh_views
        >>> with started_by(Run.Origin.TASK, who="nightly"):
        ...     results = refresh_views(["loan_book"])
        >>> run = Run.objects.get(request=results[0].request)
        >>> print(run.origin, run.who, run.state)
        task nightly succeeded
    """
    name = who or (user.get_username() if user is not None else "")
    token = _stated.set(Origin(origin, user, name, runs or {}, claimed_at))
    try:
        yield
    finally:
        _stated.reset(token)


def find_origin() -> Origin:
    """Return the origin of what this thread syncs or refreshes."""
    if (stated := _stated.get()) is not None:
        return stated
    kind = Run.Origin.COMMAND if is_called_by_command() else _origin_of_other_commands()
    if kind == Run.Origin.COMMAND:
        with suppress(OSError, KeyError, ImportError):  # in a container the user's number may have no name
            return Origin(kind, who=getpass.getuser())
    return Origin(kind)


def _origin_of_other_commands() -> Run.Origin:
    """Return the origin of what a command of a project, or of another package, syncs or refreshes.

    The history shows these commands too. Django has no signal and no context that tells which command runs,
    so the command is looked up in the call stack. The commands ``db_worker`` of django-tasks-db and
    ``rqworker`` of django-rq run tasks.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        command = frame.f_locals.get("self") if frame.f_code.co_name == "execute" else None
        if isinstance(command, BaseCommand):
            is_worker = type(command).__module__.endswith("worker")
            return Run.Origin.TASK if is_worker else Run.Origin.COMMAND
        frame = frame.f_back
    return Run.Origin.CODE


__all__ = ["started_by"]
