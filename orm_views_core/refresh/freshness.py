"""How old the rows of a materialised view are, and how old they may get. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind


@dataclass(frozen=True)
class Freshness:
    """How old a materialised view's rows are, beside what its class promises.

    Attributes:
        refresh_every: how old they may get; None when nothing is promised.
        populated: whether there are any.
        refreshed: the moment as of which they are; None when no sync or refresh has recorded it.
        age: how old they are; None when that is unknown.
        changed_rows: a hint: how many rows of what it reads were inserted, updated or deleted since, as
            PostgreSQL's statistics have it. Those know of rows, not of what they say: a change may make no
            difference to the view; they lag a second behind; and what was rolled back counts. None when
            unknown: before the first refresh, or when the statistics were reset.
    """

    refresh_every: dt.timedelta | None
    populated: bool
    refreshed: dt.datetime | None
    age: dt.timedelta | None
    changed_rows: int | None = None

    @property
    def is_stale(self) -> bool:
        """Whether they are older than promised, or should be there and are not: a refresh is due."""
        if self.refresh_every is None:
            return False
        if not self.populated:
            return True
        return self.age is not None and self.age >= self.refresh_every

    @property
    def overdue(self) -> dt.timedelta | None:
        """By how much they are older than promised; None when they are not."""
        if not self.is_stale or self.age is None or self.refresh_every is None:
            return None
        return self.age - self.refresh_every


def freshness_of(
    definition: ViewDefinition, view: InstalledView, now: dt.datetime, changes: int | None = None
) -> Freshness | None:
    """Say how fresh a view is; None when it is not materialised.

    Args:
        definition: what its class promises.
        view: the view.
        now: the time, by the database's clock.
        changes: what the statistics have counted in what it reads, from the beginning.
    """
    if definition.kind is not ViewKind.MATERIALISED_VIEW or view.kind is not ViewKind.MATERIALISED_VIEW:
        return None
    state = view.state
    computed = (state.refreshed or state.synced) if state and view.populated else None
    changed = None
    if state is not None and state.changes is not None and changes is not None and changes >= state.changes:
        changed = changes - state.changes
    return Freshness(
        definition.refresh_every,
        view.populated,
        computed,
        None if computed is None else max(dt.timedelta(0), now - computed),
        changed,
    )


_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def in_words(time: dt.timedelta) -> str:
    """Return a length of time as people say it, in its two largest units: “2 hours 5 minutes”."""
    rest = int(time.total_seconds())
    parts: list[tuple[int, str]] = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count or (parts and len(parts) < 2):
            parts.append((count, unit))
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts[:2] if count]
    return " ".join(said) or "less than a second"


def in_seconds(time: dt.timedelta | None) -> float | None:
    """Return a length of time as a number, to the millisecond."""
    return None if time is None else round(time.total_seconds(), 3)


def how_stale(freshness: Freshness) -> str:
    """Return a sentence on rows that are older than promised; "" on others, and where there are none."""
    if freshness.overdue is None:
        return ""
    said = f"Its rows are {in_words(freshness.overdue)} older than promised"
    if freshness.changed_rows is None:
        return f"{said}."
    if freshness.changed_rows == 0:
        return f"{said}; as far as the statistics tell, nothing that it reads has changed since."
    rows = "row" if freshness.changed_rows == 1 else "rows"
    return f"{said}; about {freshness.changed_rows} {rows} of what it reads have changed since."
