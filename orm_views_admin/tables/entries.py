"""What the list shows of a view: a flat value, made from a ViewStatus without asking a database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.ui import wording
from orm_views_admin.ui.trends import Trend
from orm_views_core.names import ViewKind
from orm_views_core.status import State, ViewStatus

_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class Entry:
    """A row of the list: a view, and its last refreshes."""

    status: ViewStatus
    trend: Trend | None = None

    @property
    def address(self) -> ViewAddress | None:
        """Where its pages are; None for a class so wrong that it has no name."""
        return ViewAddress(self.status.database, self.status.name) if self.status.name else None

    @property
    def title(self) -> str:
        return str(self.status.name) if self.status.name else self.status.label

    @property
    def database(self) -> str:
        return self.status.database

    @property
    def app(self) -> str:
        return self.status.label.rpartition(".")[0]

    @property
    def kind_word(self) -> str:
        return wording.kind_word(self.status.kind)

    @property
    def readable(self) -> bool:
        return self.status.definition is not None and self.status.definition.is_readable

    @property
    def state(self) -> State:
        return self.status.state

    @property
    def urgency(self) -> int:
        return self.state.urgency

    @property
    def short_reason(self) -> str:
        """Why, for those that need attention: the first line."""
        return self.status.reason.partition("\n")[0] if self.state.needs_attention else ""

    @property
    def size(self) -> int | None:
        return self.status.installed.size if self.status.installed else None

    @property
    def refreshed(self) -> dt.datetime | None:
        state = self.status.installed.state if self.status.installed else None
        return state.refreshed if state else None

    @property
    def seconds(self) -> float | None:
        """How long a refresh usually takes; where none was recorded, how long the last one took."""
        if self.trend is not None and self.trend.usual_seconds is not None:
            return self.trend.usual_seconds
        state = self.status.installed.state if self.status.installed else None
        return state.seconds if state else None

    @property
    def size_order(self) -> int:
        return -1 if self.size is None else self.size

    @property
    def refreshed_order(self) -> dt.datetime:
        return self.refreshed or _LONG_AGO

    @property
    def seconds_order(self) -> float:
        return -1 if self.seconds is None else self.seconds

    @property
    def can_be_counted(self) -> bool:
        """Whether it has rows that could be counted."""
        installed = self.status.installed
        return (
            self.address is not None
            and installed is not None
            and installed.kind is not None
            and installed.populated
        )

    @cached_property
    def haystack(self) -> str:
        """What a search looks through: name, class, docstring and SQL, in lower case."""
        definition, installed = self.status.definition, self.status.installed
        parts = [self.title, self.status.label]
        if definition is not None:
            parts += [definition.comment, definition.sql]
        elif installed is not None:
            parts += [installed.text, installed.definition or ""]
        return "\n".join(parts).lower()


def promise(entry: Entry) -> str:
    """Return whether a view keeps what it promises: "stale" or "fresh"; "" where nothing is promised."""
    freshness = entry.status.freshness
    if freshness is None or freshness.refresh_every is None:
        return ""
    return "stale" if freshness.is_stale else "fresh"


def age(entry: Entry) -> str:
    """Return how old a materialised view's rows are: "hour", "day", "week", "older", "never"; else ""."""
    if entry.status.kind is not ViewKind.MATERIALISED_VIEW:
        return ""
    if entry.refreshed is None:
        return "never"
    since = dt.datetime.now(dt.timezone.utc) - entry.refreshed
    for name, limit in (
        ("hour", dt.timedelta(hours=1)),
        ("day", dt.timedelta(days=1)),
        ("week", dt.timedelta(days=7)),
    ):
        if since < limit:
            return name
    return "older"
