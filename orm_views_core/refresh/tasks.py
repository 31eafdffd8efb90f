"""What one refresh is to do, as values. Pure."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.exceptions import RefreshError
from orm_views_core.names import ViewName


class Key(NamedTuple):
    """A view of one of the databases."""

    database: str
    name: ViewName


@dataclass(frozen=True, kw_only=True)
class Task:
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
        reads_new_rows: whether this call has already refreshed a view that this one reads. A refresh that
            began before that is not joined.
    """

    database: str
    name: ViewName
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

    @property
    def key(self) -> Key:
        return Key(self.database, self.name)


class Mode(NamedTuple):
    """Whether a refresh is concurrent, and if it is not, why; ``why_not`` is "" when that was asked for."""

    concurrently: bool
    why_not: str


def choose_mode(wanted: bool | None, why_not: str, where: str) -> Mode:
    """Decide whether a view is refreshed concurrently.

    Args:
        wanted: True or False insists; None refreshes concurrently where that is possible.
        why_not: why it is not possible, in words; "" when it is.
        where: the view's class and where it is written, for the message.

    Raises:
        RefreshError: when it is insisted on and not possible.
    """
    if wanted is False:
        return Mode(False, "")
    if wanted and why_not:
        raise RefreshError(f"{where}: it cannot be refreshed concurrently: {why_not}.")
    return Mode(not why_not, why_not)
