"""The values of a refresh: what it is to do, that it has begun, and what came of it. Pure.

Callbacks and signals carry ``RefreshStart`` and ``RefreshResult``.
"""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.definitions.definition import BuildSettings
from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says, says_n


class Key(NamedTuple):
    """A view of one of the databases."""

    database: str
    name: ViewName


@dataclass(frozen=True)
class _OfView:
    """Something about the refresh of one view."""

    database: str
    name: ViewName

    @property
    def key(self) -> Key:
        """The view."""
        return Key(self.database, self.name)


@dataclass(frozen=True, kw_only=True)
class Task(_OfView):
    """A view to be refreshed.

    Attributes:
        database: the alias.
        where: the view's class and where it is written, for messages.
        concurrently: True or False insists; None refreshes concurrently where that is possible.
        request: identifies the call that the task belongs to.
        asked: the time of that call, by the database's clock; None for the time at which the refresh begins.
        waits_for: the views of the same call that are refreshed first, because this view reads their rows.
        last_seconds: the duration of the last refresh in seconds; None when it is unknown.
        jobs: how many views that call refreshes at once.
        not_before: another session's refresh is joined only if its rows are at least this new; None for any.
        unless_newer_than: the time of the rows when the refresh was found to be due. A refresh that another
            session has finished since then counts as ours, even if we did not wait for it. None when the
            refresh does not depend on the age of the rows.
        settings: PostgreSQL's settings for the refresh.
        reads_new_rows: whether this call has already refreshed a view that this one reads. A refresh that
            began before that is not joined.
    """

    label: str
    where: str
    concurrently: bool | None
    request: uuid.UUID
    asked: dt.datetime | None = None
    waits_for: frozenset[Key] = frozenset()
    last_seconds: float | None = None
    jobs: int = 1
    not_before: dt.datetime | None = None
    unless_newer_than: dt.datetime | None = None
    reads_new_rows: bool = False
    settings: BuildSettings = ()


class Mode(NamedTuple):
    """Whether a refresh is concurrent, and if it is not, why; ``why_not`` is "" when that was asked for."""

    concurrently: bool
    why_not: Sentence


def choose_mode(wanted: bool | None, why_not: Sentence, where: str) -> Mode:
    """Decide whether a view is refreshed concurrently.

    Args:
        wanted: True or False insists; None refreshes concurrently where that is possible.
        why_not: why it is not possible, in words; "" when it is.
        where: the view's class and where it is written, for the message.

    Raises:
        RefreshError: when it is insisted on and not possible.
    """
    if wanted is False:
        return Mode(False, NOTHING)
    if wanted and why_not:
        raise RefreshError(
            says("%(where)s: it cannot be refreshed concurrently: %(why_not)s.", where=where, why_not=why_not)
        )
    return Mode(not why_not, why_not)


def why_unfilled(empty: Iterable[ViewName]) -> Sentence:
    """Return why a view cannot be refreshed that reads materialised views without rows, and what to do."""
    names = sorted(map(str, empty))
    return says_n(
        "it reads %(names)s, which has no rows; refresh it first, or use --upstream",
        "it reads %(names)s, which have no rows; refresh them first, or use --upstream",
        len(names),
        names=listed(names),
    )


class Outcome(enum.Enum):
    """How a refresh that was asked for ended. The value is the word that commands and pages show.

    Attributes:
        REFRESHED: the view has new rows.
        JOINED: the refresh was coalesced with one that was already running in another session.
        FAILED: the view has the rows that it had.
        SKIPPED: it was not begun, because a view that it reads failed.
    """

    REFRESHED = "refreshed"
    JOINED = "joined"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class RefreshStart(_OfView):
    """A refresh that has begun.

    Attributes:
        database: the alias.
        name: the view.
        label: the view's class, ``app_label.ClassName``.
        request: identifies the call of ``refresh_views`` that the refresh belongs to.
        asked: the time of that call, by the database's clock.
        pid: the process id of the backend that refreshes, for ``pg_cancel_backend`` and
            ``pg_blocking_pids``. It belongs to this refresh until the result is known. Behind a connection
            pooler, the backend may serve other clients afterwards.
        concurrently: whether readers can go on reading meanwhile, as far as is known at the start. The result
            has the final value.
        why_not: why readers have to wait, in words; "" if that was asked for.
        jobs: how many views this call refreshes at once, at most.
    """

    label: str
    request: uuid.UUID
    asked: dt.datetime
    pid: int
    concurrently: bool
    why_not: Sentence
    jobs: int = 1


@dataclass(frozen=True)
class RefreshResult(_OfView):
    """What came of a refresh that was asked for.

    Attributes:
        database: the alias.
        name: the view.
        concurrently: whether readers could go on reading meanwhile.
        why_not: why readers had to wait, in words; "" if that was asked for.
        seconds: how many seconds it took to compute the rows and to swap them in. For a refresh that was
            joined: the duration of the other one, as far as it is known. For one that failed: the time until
            it failed.
        outcome: refreshed, joined, failed or skipped.
        label: the view's class, ``app_label.ClassName``.
        request: identifies the call of ``refresh_views`` that the refresh belongs to; None for no call.
        asked: the time of that call. This and the following times are by the database's clock.
        started: the time as of which the rows are: they contain what had been committed by then. None if the
            refresh did not get that far.
        finished: the time at which the rows were computed, a moment before they were committed.
        waited: how many seconds were spent waiting for locks, including another refresh of the same view.
        seen: for a refresh that was joined, a time at which its rows were already committed; else None.
        pid: the process id of the backend that refreshed or failed; None for a view that was skipped.
        error: why it failed or was skipped.
        rows_before: the estimated number of rows before; None when unknown.
        rows_after: the number of rows after; None when unknown.
        rows_exact: whether ``rows_after`` is exact. It is when all rows were written anew. After a concurrent
            refresh it is the estimate before, plus the inserted rows, minus the deleted ones.
        size_before: the size on disk in bytes before, with indexes; None when unknown.
        size_after: the same after.
        unrecorded: why the time of the rows is not recorded on the view, in words; "" when it is.
    """

    concurrently: bool
    why_not: Sentence
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
    unrecorded: Sentence = NOTHING

    @property
    def ok(self) -> bool:
        """Whether the view has new rows."""
        return self.outcome in {Outcome.REFRESHED, Outcome.JOINED}

    @property
    def joined(self) -> bool:
        """Whether another session computed the rows while this one waited."""
        return self.outcome is Outcome.JOINED

    @property
    def missed(self) -> dt.timedelta:
        """How long before the request the rows were read.

        The rows lack what was committed within that time. It is more than zero only if the refresh was joined
        with one that had begun before the request; ``fresh=True`` prevents that.
        """
        if self.asked is None or self.started is None:
            return dt.timedelta(0)
        return max(dt.timedelta(0), self.asked - self.started)


def result_of(refresh: Task | RefreshStart, outcome: Outcome) -> RefreshResult:
    """Return the result of a refresh with what is known without any measurement.

    Every result is made here. The caller adds times, sizes and the error with ``dataclasses.replace``.

    Args:
        refresh: the refresh; its task if it has not begun.
        outcome: how it ended.
    """
    start = refresh if isinstance(refresh, RefreshStart) else None
    return RefreshResult(
        database=refresh.database,
        name=refresh.name,
        concurrently=bool(refresh.concurrently),
        why_not=start.why_not if start else NOTHING,
        seconds=0.0,
        outcome=outcome,
        label=refresh.label,
        request=refresh.request,
        asked=refresh.asked,
        pid=start.pid if start else None,
    )
