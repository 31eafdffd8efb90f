"""The state of a view, and the values that report the state of views. Pure."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.relations import Column, InstalledView, why_not_concurrently
from orm_views_core.definitions.definition import SkippedView, ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Differences
from orm_views_core.refresh.freshness import Freshness
from orm_views_core.sentences import NOTHING, Sentence, says

from .surroundings import Surroundings

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


class State(enum.Enum):
    """The state of a view. The value is the word that users see.

    The order of the members is that of urgency, the worst first. A new state is one line here and one rule in
    ``diagnosis.py``; the admin adds its translated word, its icon and its place among its own states.

    Attributes:
        UNREADABLE: PostgreSQL refuses to read it, or the database does not answer.
        INVALID: its class is invalid, or PostgreSQL refuses its SQL.
        EXPOSES: it shows personal columns to roles that may not read them in their tables.
        WRONG_KIND: it is a plain view and its class is materialised, or the other way round.
        NOT_POPULATED: it is a materialised view without rows.
        STALE: its rows are older than ``refresh_every``.
        CHANGED: its class has changed since the last sync.
        DRIFTED: somebody has changed it in the database.
        MISSING: its class has no view in the database yet.
        ORPHANED: it was synced, and no class declares it any more.
        SYNCED: it is as its class says.
        UNMANAGED: somebody else created it, in a schema of ours.
        urgency: the rank in a list that is sorted by urgency; the lowest number comes first.
        style: the role of Django's ``BaseCommand.style`` that colours the state; "" for no colour.
        advice: what to do, a sentence; "" for nothing. The reason may call for other advice.
    """

    _value_: str

    UNREADABLE = "cannot be read", "ERROR", says("Make what it reads readable.")
    INVALID = "invalid", "ERROR", says("Fix its class. Until then no view of this database can be synced.")
    EXPOSES = "exposes", "ERROR", says("Until then no view of this database can be synced.")
    WRONG_KIND = "wrong kind", "WARNING", says("Sync it.")
    NOT_POPULATED = "not populated", "WARNING", says("Refresh it.")
    STALE = "stale", "WARNING", says("Refresh it.")
    CHANGED = "changed", "WARNING", says("Sync it.")
    DRIFTED = "drifted", "WARNING", says("Sync it to put it back.")
    MISSING = "missing", "WARNING", says("Sync it.")
    ORPHANED = "orphaned", "WARNING", says("Sync to drop it, or declare it again.")
    SYNCED = "synced", "SUCCESS", NOTHING
    UNMANAGED = "unmanaged", "", NOTHING

    def __new__(cls, word: str, style: str, advice: Sentence) -> State:
        state = object.__new__(cls)
        state._value_ = word
        state.urgency, state.style, state.advice = len(cls.__members__), style, advice
        return state

    urgency: int
    style: str
    advice: Sentence

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return bool(self.advice)


@dataclass(frozen=True)
class Condition:
    """A state that a view is in, why, and what to do. A view may be in several states at once.

    Attributes:
        state: the state.
        reason: why it is in this state, a sentence.
        advice: what to do, a sentence; "" when there is nothing to do.
        error: what the reason is the message of; None when there was no error. The message may quote rows.
    """

    state: State
    reason: Sentence
    advice: Sentence = NOTHING
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

    def place(self) -> tuple[object, ...]:
        """Return what statuses are sorted by."""
        return self.name or ("", ""), self.label

    @property
    def state(self) -> State:
        """The worst of its states."""
        return self.conditions[0].state

    @property
    def reason(self) -> Sentence:
        """Why it has this state, a sentence."""
        return self.conditions[0].reason

    @property
    def advice(self) -> Sentence:
        """What to do about this state, a sentence; "" when there is nothing to do."""
        return self.conditions[0].advice

    @property
    def error(self) -> OrmViewsError | None:
        """The error that this state is from; None when it is from none. The reason is its whole message."""
        return self.conditions[0].error

    def with_condition(self, *new: Condition) -> ViewStatus:
        """Return the status of a view that is in further states, and is therefore not synced.

        Args:
            *new: the further states.
        """
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
    def why_not_concurrently(self) -> Sentence:
        """Why a refresh would lock readers out; "" when it would not."""
        return why_not_concurrently(self.installed) if self.installed and self.can_refresh else NOTHING


@dataclass(frozen=True)
class DatabaseStatus:
    """The views of one database.

    Attributes:
        database: the alias.
        views: its views, sorted by name.
        error: why the database could not be read; None when it could. No registered view can be read then.
        skipped: the views whose classes are for other engines.
    """

    database: str
    views: tuple[ViewStatus, ...] = ()
    error: OrmViewsError | None = None
    skipped: tuple[SkippedView, ...] = ()


@dataclass(frozen=True)
class ViewDetail:
    """Everything about one view.

    Attributes:
        status: its states.
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
    not_tried: Sentence = NOTHING
    reads: tuple[ViewName, ...] = ()
    read_by: tuple[ViewName, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)


def count_states(statuses: Collection[DatabaseStatus]) -> Mapping[State, int]:
    """Count views by state, the worst first."""
    states = [view.state for database in statuses for view in database.views]
    return {state: states.count(state) for state in State if state in states}
