"""What a refresh is to do, what it has begun and what came of it: values that callbacks and signals carry."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from dataclasses import dataclass

from orm_views_core.exceptions import OrmViewsError
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
