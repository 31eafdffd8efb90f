"""How old the rows of a materialised view are, and how old they may get. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind
from orm_views_core.sentences import NOTHING, Sentence, listed, says, says_n


@dataclass(frozen=True)
class Freshness:
    """How old a materialised view's rows are, compared with what its class promises.

    Attributes:
        refresh_every: how old the rows may get; None when the class promises nothing.
        populated: whether the view has been populated.
        refreshed: the time as of which the rows are; None when no sync or refresh has recorded it.
        age: how old the rows are; None when that is unknown.
        changed_rows: a hint: how many rows of what the view reads have been inserted, updated or deleted
            since, by PostgreSQL's statistics. The statistics count rows and do not compare values, so a
            change may make no difference to the view. They lag about a second behind, and they count changes
            that were rolled back. None when unknown: before the first refresh, and after the statistics were
            reset.
    """

    refresh_every: dt.timedelta | None
    populated: bool
    refreshed: dt.datetime | None
    age: dt.timedelta | None
    changed_rows: int | None = None

    @property
    def is_stale(self) -> bool:
        """Whether a refresh is due: the rows are older than promised, or there is a promise and no rows."""
        if self.refresh_every is None:
            return False
        return not self.populated or (self.age is not None and self.age >= self.refresh_every)

    @property
    def overdue(self) -> dt.timedelta | None:
        """By how much the rows are older than promised; None when they are not."""
        if not self.is_stale or self.age is None or self.refresh_every is None:
            return None
        return self.age - self.refresh_every


def freshness_of(
    definition: ViewDefinition, view: InstalledView, now: dt.datetime, changes: int | None = None
) -> Freshness | None:
    """Return how fresh a view is; None when it is not materialised.

    Args:
        definition: what the view's class promises.
        view: the view in the database.
        now: the time, by the database's clock.
        changes: how many changes of what the view reads the statistics have counted since they were reset.
    """
    if definition.kind is not ViewKind.MATERIALISED_VIEW or view.kind is not ViewKind.MATERIALISED_VIEW:
        return None
    state = view.state
    computed = (state.refreshed or state.synced) if state and view.populated else None
    changed = None
    recorded = state.changes if state and not view.restored else None
    if recorded is not None and changes is not None and changes >= recorded:
        changed = changes - recorded
    return Freshness(
        refresh_every=definition.refresh_every,
        populated=view.populated,
        refreshed=computed,
        age=None if computed is None else max(dt.timedelta(0), now - computed),
        changed_rows=changed,
    )


_UNITS: dict[int, Callable[[int], Sentence]] = {
    86_400: lambda n: says_n("%(n)s day", "%(n)s days", n, n=n),
    3_600: lambda n: says_n("%(n)s hour", "%(n)s hours", n, n=n),
    60: lambda n: says_n("%(n)s minute", "%(n)s minutes", n, n=n),
    1: lambda n: says_n("%(n)s second", "%(n)s seconds", n, n=n),
}


def in_words(time: dt.timedelta) -> Sentence:
    """Return a length of time in its two largest units: “2 hours 5 minutes”."""
    rest = int(time.total_seconds())
    counts: dict[int, int] = {}
    for seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count or counts:
            counts[seconds] = count
    words = [_UNITS[seconds](count) for seconds, count in list(counts.items())[:2] if count]
    return listed(words, " ") or says("less than a second")


def in_seconds(time: dt.timedelta | None) -> float | None:
    """Return a length of time in seconds, rounded to milliseconds."""
    return None if time is None else round(time.total_seconds(), 3)


def how_stale(freshness: Freshness) -> Sentence:
    """Return a sentence on rows that are older than promised; "" when they are not, or there are none."""
    if freshness.overdue is None:
        return NOTHING
    time = in_words(freshness.overdue)
    if freshness.changed_rows is None:
        return says("Its rows are %(time)s older than promised.", time=time)
    if freshness.changed_rows == 0:
        return says(
            "Its rows are %(time)s older than promised; as far as the statistics tell, nothing that it reads "
            "has changed since.",
            time=time,
        )
    return says_n(
        "Its rows are %(time)s older than promised; about %(n)s row of what it reads have changed since.",
        "Its rows are %(time)s older than promised; about %(n)s rows of what it reads have changed since.",
        freshness.changed_rows,
        time=time,
        n=freshness.changed_rows,
    )
