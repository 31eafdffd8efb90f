"""The state of a view, and the values that report the state of views. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.relations import Column, InstalledView, why_not_concurrently
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Differences
from orm_views_core.refresh.freshness import Freshness

from .surroundings import Surroundings

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


class State(enum.Enum):
    """The state of a view. The value is the word that users see.

    The order of the members is the order in which states are counted and listed. A new state is one line here
    and one rule in ``diagnosis.py``; the admin adds its translated word and its icon.

    Attributes:
        urgency: the rank in a list that is sorted by urgency; the lowest number comes first.
        style: the role of Django's ``BaseCommand.style`` that colours the state; "" for no colour.
        advice: what to do, a sentence; "" for nothing. The reason may call for other advice.
    """

    _value_: str

    SYNCED = "synced", 9, "SUCCESS", ""
    STALE = "stale", 8, "WARNING", "Refresh it."
    CHANGED = "changed", 5, "WARNING", "Sync it."
    DRIFTED = "drifted", 4, "WARNING", "Sync it to put it back."
    MISSING = "missing", 3, "WARNING", "Sync it."
    ORPHANED = "orphaned", 7, "WARNING", "Sync to drop it, or declare it again."
    UNMANAGED = "unmanaged", 10, "", ""
    WRONG_KIND = "wrong kind", 2, "WARNING", "Sync it."
    NOT_POPULATED = "not populated", 6, "WARNING", "Refresh it."
    EXPOSES = "exposes", 1, "ERROR", "Until then no view of this database can be synced."
    INVALID = "invalid", 0, "ERROR", "Fix its class. Until then no view of this database can be synced."

    def __new__(cls, word: str, urgency: int, style: str, advice: str) -> State:
        state = object.__new__(cls)
        state._value_ = word
        state.urgency, state.style, state.advice = urgency, style, advice
        return state

    urgency: int
    style: str
    advice: str

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return bool(self.advice)


@dataclass(frozen=True)
class ViewStatus:
    """A view, its state, the reason for the state, and what to do.

    Attributes:
        database: the alias.
        name: the view's name; None when its class is so wrong that it has no name.
        label: ``app_label.ClassName``; "" when no class declares the view.
        kind: the kind that the class declares, else the kind that is installed.
        reason: why it has this state, a sentence.
        advice: what to do, a sentence; "" when there is nothing to do.
        definition: the compiled class; None when there is no class, or when it is invalid.
        installed: the view in the database; None when it is missing.
        differences: how the installed view differs from the class; None without a valid class.
        freshness: the age of its rows; None unless it is a materialised view with a valid class. Rows may be
            stale in any state. ``State.STALE`` means that nothing else is wrong with the view.
        error: why the class is invalid; None when it is valid. The reason is its whole message.
        problems: what it shows of personal columns, and must not. ``get_status()`` does not look for that.
        warnings: what somebody should look at, because it shows personal columns, or may.
    """

    database: str
    name: ViewName | None
    label: str
    kind: ViewKind | None
    state: State
    reason: str
    advice: str = ""
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    differences: Differences | None = None
    freshness: Freshness | None = None
    error: OrmViewsError | None = None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def is_stale(self) -> bool:
        """Whether a refresh is due: its rows are older than promised, or it has none yet."""
        return self.freshness is not None and self.freshness.is_stale

    @property
    def can_refresh(self) -> bool:
        """Whether it is a materialised view both in its class and in the database."""
        declared = self.definition.kind if self.definition else None
        installed = self.installed.kind if self.installed else None
        return declared is installed is ViewKind.MATERIALISED_VIEW

    @property
    def why_not_concurrently(self) -> str:
        """Why a refresh would lock readers out; "" when it would not."""
        return why_not_concurrently(self.installed) if self.installed and self.can_refresh else ""


@dataclass(frozen=True)
class DatabaseStatus:
    """The views of one database, or the error that kept them from being read."""

    database: str
    views: tuple[ViewStatus, ...] = ()
    error: OrmViewsError | None = None


@dataclass(frozen=True)
class ViewDetail:
    """Everything about one view.

    Attributes:
        columns: the columns of the installed view; those of the dry run when it is missing.
        expected: the view that the dry run created; None when there was none, or PostgreSQL refused the SQL.
        not_tried: why the dry run failed, a sentence; "" when it did not, or when there is no class.
        reads: every relation that the view reads.
        read_by: every relation that reads the view.
        surroundings: what its columns are made of, and what hangs on it.
    """

    status: ViewStatus
    columns: tuple[Column, ...] = ()
    expected: ExpectedView | None = None
    not_tried: str = ""
    reads: tuple[ViewName, ...] = ()
    read_by: tuple[ViewName, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)


def count_states(statuses: Collection[DatabaseStatus]) -> Mapping[State, int]:
    """Count views by state, in the order of :class:`State`."""
    states = [view.state for database in statuses for view in database.views]
    return {state: states.count(state) for state in State if state in states}
