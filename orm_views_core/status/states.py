"""The state of a view, and the values that report the state of views. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
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

    The order of the members is that of urgency, the worst first. A new state is one line here and one rule in
    ``diagnosis.py``; the admin adds its translated word, its icon and its place among its own states.

    Attributes:
        urgency: the rank in a list that is sorted by urgency; the lowest number comes first.
        style: the role of Django's ``BaseCommand.style`` that colours the state; "" for no colour.
        advice: what to do, a sentence; "" for nothing. The reason may call for other advice.
    """

    _value_: str

    UNREADABLE = "cannot be read", "ERROR", "Make what it reads readable."
    INVALID = "invalid", "ERROR", "Fix its class. Until then no view of this database can be synced."
    EXPOSES = "exposes", "ERROR", "Until then no view of this database can be synced."
    WRONG_KIND = "wrong kind", "WARNING", "Sync it."
    NOT_POPULATED = "not populated", "WARNING", "Refresh it."
    STALE = "stale", "WARNING", "Refresh it."
    CHANGED = "changed", "WARNING", "Sync it."
    DRIFTED = "drifted", "WARNING", "Sync it to put it back."
    MISSING = "missing", "WARNING", "Sync it."
    ORPHANED = "orphaned", "WARNING", "Sync to drop it, or declare it again."
    SYNCED = "synced", "SUCCESS", ""
    UNMANAGED = "unmanaged", "", ""

    def __new__(cls, word: str, style: str, advice: str) -> State:
        state = object.__new__(cls)
        state._value_ = word
        state.urgency, state.style, state.advice = len(cls.__members__), style, advice
        return state

    urgency: int
    style: str
    advice: str

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return bool(self.advice)


@dataclass(frozen=True)
class Condition:
    """A state that a view is in, why, and what to do. A view may be in several states at once.

    Attributes:
        reason: a sentence.
        advice: a sentence; "" when there is nothing to do.
        error: what the reason is the message of; None when there was no error. The message may quote rows.
    """

    state: State
    reason: str
    advice: str = ""
    error: OrmViewsError | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ViewStatus:
    """A view, and the states that it is in.

    Attributes:
        database: the alias.
        name: the view's name; None when its class is so wrong that it has no name.
        label: ``app_label.ClassName``; "" when no class declares the view.
        kind: the kind that the class declares, else the kind that is installed.
        conditions: the states that it is in, the worst first. There is at least one.
        definition: the compiled class; None when there is no class, or when it is invalid.
        installed: the view in the database; None when it is missing.
        differences: how the installed view differs from the class; None without a valid class.
        freshness: the age of its rows; None unless it is a materialised view with a valid class.
        problems: what it shows of personal columns, and must not. ``get_status()`` does not look for that.
        warnings: what somebody should look at, because it shows personal columns, or may.
    """

    database: str
    name: ViewName | None
    label: str
    kind: ViewKind | None
    conditions: tuple[Condition, ...]
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    differences: Differences | None = None
    freshness: Freshness | None = None
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def state(self) -> State:
        """The worst of its states."""
        return self.conditions[0].state

    @property
    def reason(self) -> str:
        """Why it has this state, a sentence."""
        return self.conditions[0].reason

    @property
    def advice(self) -> str:
        """What to do about this state, a sentence; "" when there is nothing to do."""
        return self.conditions[0].advice

    @property
    def error(self) -> OrmViewsError | None:
        """The error that this state is from; None when it is from none. The reason is its whole message."""
        return self.conditions[0].error

    def with_condition(self, *new: Condition) -> ViewStatus:
        """Return the status of a view that is in further states, and is therefore not synced."""
        found = [each for each in self.conditions if each.state is not State.SYNCED or not new]
        ordered = sorted([*found, *new], key=lambda each: each.state.urgency)
        return replace(self, conditions=tuple(ordered))

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
    """The views of one database.

    Attributes:
        error: why the database could not be read; None when it could. No registered view can be read then.
    """

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
    """Count views by state, the worst first."""
    states = [view.state for database in statuses for view in database.views]
    return {state: states.count(state) for state in State if state in states}
