"""What a refresh is to do, what it has begun and what came of it: values that callbacks and signals carry."""

from __future__ import annotations

import datetime as dt
import enum
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.names import ViewName


class Outcome(enum.Enum):
    """What became of a refresh that was asked for; the value is the word that people see."""

    REFRESHED = "refreshed"
    JOINED = "joined"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class RefreshStart:
    """A refresh that has begun.

    Attributes:
        label: the view's class, ``app_label.ClassName``.
        request: the call of ``refresh_views`` that it belongs to.
        asked: when that was, by the database's clock.
        pid: the backend that works on it, as ``pg_cancel_backend`` and ``pg_blocking_pids`` take it. It is
            that refresh's until its result comes; behind a pooler it is somebody else's afterwards.
        concurrently: whether readers can go on reading meanwhile, as it looks now; the result says how it
            was.
        why_not: if they cannot, why, in words; "" if it was asked for.
        jobs: how many views at once this call refreshes at most.
    """

    database: str
    name: ViewName
    label: str
    request: uuid.UUID
    asked: dt.datetime
    pid: int
    concurrently: bool
    why_not: str
    jobs: int = 1


@dataclass(frozen=True)
class RefreshResult:
    """What came of a refresh that was asked for.

    Attributes:
        concurrently: whether readers could go on reading meanwhile.
        why_not: if they could not, why, in words; "" if it was asked for.
        seconds: how long it took to compute the rows and swap them in; of a refresh that was joined, as far
            as that is known. Until it failed, for one that did.
        outcome: done, joined, failed or skipped.
        label: the view's class, ``app_label.ClassName``.
        request: the call of ``refresh_views`` that it belongs to; None for no call.
        asked: when that was, by the database's clock, as the following times.
        started: the moment as of which the rows are: what was committed until then is in them. None if it was
            never reached.
        finished: when the rows were there, a moment before they were committed.
        waited: how many seconds were spent waiting for locks, another refresh of the same view among them.
        seen: when the rows of a refresh that was joined were committed already; None for any other.
        pid: the backend that did it, or failed; None when it was skipped.
        error: why it failed or was skipped.
        rows_before: how many rows there were, an estimate; None when unknown.
        rows_after: how many there are.
        rows_exact: whether ``rows_after`` is exact, as it is when all rows were written anew. After a refresh
            that went concurrently it is the estimate before and what was inserted and deleted.
        size_before: bytes on disk, indexes included; None when unknown.
        size_after: likewise.
    """

    database: str
    name: ViewName
    concurrently: bool
    why_not: str
    seconds: float
    outcome: Outcome = Outcome.REFRESHED
    label: str = ""
    request: uuid.UUID | None = None
    asked: dt.datetime | None = None
    started: dt.datetime | None = None
    finished: dt.datetime | None = None
    waited: float = 0.0
    seen: dt.datetime | None = None
    pid: int | None = None
    error: OrmViewsError | None = None
    rows_before: int | None = None
    rows_after: int | None = None
    rows_exact: bool = False
    size_before: int | None = None
    size_after: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the rows are new."""
        return self.outcome in {Outcome.REFRESHED, Outcome.JOINED}

    @property
    def joined(self) -> bool:
        """Whether somebody else computed the rows while we waited."""
        return self.outcome is Outcome.JOINED

    @property
    def missed(self) -> dt.timedelta:
        """How long before the request the rows were read.

        What was committed within that time is not in them. More than zero only if a refresh was joined that
        had begun before; ``fresh=True`` accepts none of these.
        """
        if self.asked is None or self.started is None:
            return dt.timedelta(0)
        return max(dt.timedelta(0), self.asked - self.started)


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
