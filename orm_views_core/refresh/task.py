"""A refresh that is to be done, whom to tell of it, and what is said of one that came to no end."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.exceptions import RefreshError
from orm_views_core.names import ViewName

from .results import Outcome, RefreshResult, RefreshStart


@dataclass(frozen=True)
class Task:
    """A view to be refreshed.

    Attributes:
        where: its class and where it is written, for messages.
        concurrently: True or False insists; None goes concurrently where it is possible.
        request: the call that it belongs to.
        asked: when that was, by the database's clock; when the refresh begins if None.
        jobs: how many views at once that call refreshes.
        not_before: the rows of a refresh that was joined must not be older; None for any.
        unless_newer_than: whoever has refreshed it since the rows were of that time has done what is asked
            for, also if we did not wait; None if that does not count.
        reads_new_rows: whether this call has given what it reads new rows: no refresh is joined that had
            begun before those were there.
    """

    database: str
    name: ViewName
    label: str
    where: str
    concurrently: bool | None
    request: uuid.UUID
    asked: dt.datetime | None = None
    jobs: int = 1
    not_before: dt.datetime | None = None
    unless_newer_than: dt.datetime | None = None
    reads_new_rows: bool = False


class Tell(NamedTuple):
    """Whom to tell what happens meanwhile."""

    started: Callable[[RefreshStart], None]
    waiting: Callable[[RefreshStart, str], None]
    #: Waits for some seconds between two tries to get a lock, and may raise what ends the refresh.
    pause: Callable[[float], None] = time.sleep


def interrupted(start: RefreshStart, error: BaseException) -> RefreshResult:
    """Return the result of a refresh that was begun when the call was interrupted: nothing of it stays."""
    return RefreshResult(
        start.database,
        start.name,
        start.concurrently,
        start.why_not,
        0.0,
        Outcome.FAILED,
        label=start.label,
        request=start.request,
        asked=start.asked,
        pid=start.pid,
        error=RefreshError(
            f"{start.name} in database {start.database!r} was not refreshed: interrupted by "
            f"{type(error).__name__}."
        ),
    )


def skipped(task: Task, because: str) -> RefreshResult:
    """Return the result of a view that is not refreshed because what it reads was not."""
    error = RefreshError(
        f"{task.name} in database {task.database!r} was skipped: it reads {because}, which was not refreshed."
    )
    return RefreshResult(
        task.database,
        task.name,
        False,
        "",
        0.0,
        Outcome.SKIPPED,
        label=task.label,
        request=task.request,
        asked=task.asked,
        error=error,
    )
