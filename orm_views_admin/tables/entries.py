"""A row of the list of views: a value made from a ``ViewStatus``, without queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import error_for
from orm_views_admin.standings import AnyState, Standing, standings_of
from orm_views_admin.trends import Trend, usual_seconds
from orm_views_admin.ui import wording
from orm_views_core.database.sync_state import SyncState
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind
from orm_views_core.sentences import says, translate
from orm_views_core.status import Condition, State, ViewStatus

_AGES = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(days=7)}


@dataclass(frozen=True)
class Entry:
    """A row of the list: a view, with its last refreshes; or a database that cannot be read.

    Attributes:
        standings: the states that it is in, the worst first.
        hangs_on: of the texts that are searched for, in lower case, those that name something that the view
            hangs on, each with the reason in words.
        shown: returns a text as the user may read it.
    """

    status: ViewStatus
    standings: Sequence[Standing]
    trend: Trend = ()
    hangs_on: Mapping[str, str] = field(default_factory=dict)
    shown: Callable[[str], str] = str

    @classmethod
    def of(
        cls,
        status: ViewStatus,
        trends: Mapping[ViewAddress, Trend],
        troubles: Mapping[ViewAddress, Sequence[Standing]] = MappingProxyType({}),
        hanging: Mapping[ViewAddress, Mapping[str, str]] = MappingProxyType({}),
        shown: Callable[[str], str] = str,
    ) -> Entry:
        """Return the entry of a view, with its trend, what its runs tell and what it hangs on."""
        if not status.name:
            return cls(status, standings_of(status), shown=shown)
        address = ViewAddress(status.database, status.name)
        standings = standings_of(status, troubles.get(address, ()))
        return cls(status, standings, trends.get(address, ()), hanging.get(address, {}), shown)

    @classmethod
    def of_database(cls, alias: str, error: OrmViewsError) -> Entry:
        """Return the entry of a database that cannot be read."""
        advice = says("Make it answer. Until then none of its views can be read, synced or refreshed.")
        unreadable = Condition(State.UNREADABLE, error.message, advice, error)
        status = ViewStatus(alias, None, "", None, (unreadable,))
        return cls(status, standings_of(status))

    @property
    def is_database(self) -> bool:
        return not self.status.name and not self.status.label

    @property
    def address(self) -> ViewAddress | None:
        """The address of the view's pages; None if its class is invalid and has no name."""
        return ViewAddress(self.status.database, self.status.name) if self.status.name else None

    @property
    def title(self) -> str:
        if self.is_database:
            return _("database “%(alias)s”") % {"alias": self.status.database}
        return str(self.status.name) if self.status.name else self.status.label

    @property
    def app(self) -> str:
        return self.status.label.rpartition(".")[0]

    @property
    def says(self) -> str:
        """The first line of the view's docstring, or of its comment in the database."""
        definition, installed = self.status.definition, self.status.installed
        text = definition.comment if definition else installed.text if installed else ""
        return self.shown((text or "").strip().partition("\n")[0])

    @property
    def kind_word(self) -> str:
        return wording.kind_word(self.status.kind)

    @property
    def standing(self) -> Standing:
        """The worst of the states that it is in."""
        return self.standings[0]

    @property
    def state(self) -> AnyState:
        return self.standing.state

    @property
    def urgency(self) -> int:
        return self.standing.urgency

    def short_reason(self, user: Any) -> str:
        """Return the first line of the reason, as a user may read it; "" if nothing is to be said."""
        if self.state in {State.SYNCED, State.UNMANAGED}:
            return ""
        if self.state is State.EXPOSES:
            return self.shown(self.status.problems[0].what)
        if self.standing.error:
            about = self.address or self.status.database
            return error_for(user, self.standing.error, about).partition("\n")[0]
        return self.shown(translate(self.standing.reason).partition("\n")[0])

    @property
    def also(self) -> str:
        """The words of the other states that it is in; "" when there are none."""
        return wording.listed(wording.look_of_standing(each).word for each in self.standings[1:])

    @property
    def refreshed(self) -> dt.datetime | None:
        return self.sync_state.refreshed if self.sync_state else None

    @property
    def seconds(self) -> float | None:
        """How many seconds a refresh usually takes."""
        return usual_seconds(self.trend, self.sync_state, concurrently=self.goes_concurrently)

    @property
    def goes_concurrently(self) -> bool | None:
        """Whether readers go on reading during a refresh; None if it cannot be refreshed."""
        return not self.status.why_not_concurrently if self.status.can_refresh else None

    @property
    def sync_state(self) -> SyncState | None:
        return self.status.installed.state if self.status.installed else None

    @property
    def is_materialised(self) -> bool:
        return self.status.kind is ViewKind.MATERIALISED_VIEW

    @property
    def can_be_counted(self) -> bool:
        """Whether its rows can be counted, if what it reads is trusted."""
        return self.address is not None and can_be_counted(self.status)

    @property
    def stored_rows(self) -> int | None:
        """How many rows a materialised view has, by PostgreSQL's statistics."""
        installed = self.status.installed
        return installed.rows if installed and installed.populated else None

    @property
    def promise(self) -> str:
        """Whether the rows are as fresh as the class promises: "stale" or "fresh"; "" without a promise."""
        freshness = self.status.freshness
        if freshness is None or freshness.refresh_every is None:
            return ""
        return "stale" if freshness.is_stale else "fresh"

    @property
    def age(self) -> str:
        """When a materialised view was refreshed: "hour", "day", "week", "older" or "never"; else ""."""
        if not self.is_materialised:
            return ""
        if self.refreshed is None:
            return "never"
        age = dt.datetime.now(dt.timezone.utc) - self.refreshed
        return next((name for name, limit in _AGES.items() if age < limit), "older")

    @cached_property
    def searched_text(self) -> str:
        """The text that a search looks through, in lower case: name, class, docstring and SQL."""
        definition, installed = self.status.definition, self.status.installed
        parts = [self.title, self.status.label]
        if definition is not None:
            parts += [definition.comment, definition.sql]
        elif installed is not None:
            parts += [installed.text, installed.definition or ""]
        return "\n".join(part for part in parts if self.shown(part) == part).lower()


def can_be_counted(status: ViewStatus) -> bool:
    """Return whether a class declares the view, and the database has a view of this name with rows."""
    installed = status.installed
    return bool(status.label and installed and installed.kind and installed.populated)
