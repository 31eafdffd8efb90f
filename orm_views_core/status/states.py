"""How a view stands, from what its class says and what the database has. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from orm_views_core.database.relations import InstalledView, why_not_concurrently
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Differences, differences
from orm_views_core.refresh.freshness import Freshness, how_stale


class State(enum.Enum):
    """How a view stands; the value is the word that people see."""

    SYNCED = "synced"
    STALE = "stale"
    CHANGED = "changed"
    DRIFTED = "drifted"
    MISSING = "missing"
    ORPHANED = "orphaned"
    UNMANAGED = "unmanaged"
    WRONG_KIND = "wrong kind"
    NOT_POPULATED = "not populated"
    INVALID = "invalid"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should do something about it."""
        return self not in {State.SYNCED, State.UNMANAGED}


@dataclass(frozen=True)
class ViewStatus:
    """A view, how it stands, why, and what to do.

    Attributes:
        database: the alias.
        name: its name; None when its class is so wrong that it has none.
        label: ``app_label.ClassName``, or "" when no class declares it.
        kind: as its class says, else as it is installed.
        reason: why it has this state, a sentence.
        advice: what to do, a sentence; "" when nothing.
        definition: what its class says; None when no class does, or when it is invalid.
        installed: what the database has; None when it has nothing.
        freshness: how old its rows are; None for what is no materialised view of a class that is there. Rows
            may be stale in any state: ``State.STALE`` is that of a view with which nothing else is amiss.
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

    @property
    def is_stale(self) -> bool:
        """Whether its rows are older than promised, or should be there and are not."""
        return self.freshness is not None and self.freshness.is_stale

    @property
    def can_refresh(self) -> bool:
        """Whether there is something to refresh."""
        registered = self.definition is not None and self.definition.kind is ViewKind.MATERIALISED_VIEW
        return registered and self.installed is not None and self.installed.kind is ViewKind.MATERIALISED_VIEW

    @property
    def why_not_concurrently(self) -> str:
        """Why a refresh would make readers wait; "" when it would not."""
        return why_not_concurrently(self.installed) if self.installed and self.can_refresh else ""


_SYNC = "Sync it."


def registered_status(
    definition: ViewDefinition, installed: InstalledView | None, freshness: Freshness | None = None
) -> ViewStatus:
    """Say how a registered view stands."""
    difference = differences(definition, installed)
    state, reason, advice = _explain(definition, installed, difference)
    if stale := how_stale(freshness) if freshness else "":
        if state is State.SYNCED:
            state, reason, advice = State.STALE, stale, "Refresh it."
        else:
            reason = f"{reason} {stale}"
    return ViewStatus(
        definition.database,
        definition.name,
        definition.label,
        definition.kind,
        state,
        reason,
        advice,
        definition,
        installed,
        difference,
        freshness,
    )


def _explain(
    definition: ViewDefinition, installed: InstalledView | None, difference: Differences
) -> tuple[State, str, str]:
    if difference.obstructed_by:
        relation = difference.obstructed_by
        advice = f"Rename the {relation}, or give the view another name."
        return State.WRONG_KIND, f"A {relation} that is not ours has its name.", advice
    if difference.missing or installed is None:
        return State.MISSING, "It is registered, but not in the database.", _SYNC
    if difference.other_kind:
        reason = f"It is a {installed.relation} in the database, and its class says {definition.kind.label}."
        return State.WRONG_KIND, reason, _SYNC
    if difference.unrecorded:
        reason = "It is in the database, but no sync has recorded it."
        return State.CHANGED, reason, "Sync it: if its definition is the same, it is adopted and not rebuilt."
    if difference.code:
        return State.CHANGED, "Its class has changed since the last sync.", _SYNC
    if difference.drifted:
        return State.DRIFTED, "It was changed in the database since the last sync.", "Sync it to put it back."
    if difference.sources:
        return State.CHANGED, "Its SQL has a star, and what it reads has other columns now.", _SYNC
    if lesser := _lesser(difference):
        return State.CHANGED, f"{lesser}.", _SYNC
    if not installed.populated:
        return State.NOT_POPULATED, "It has no rows yet and cannot be read.", "Refresh it."
    return State.SYNCED, "The database has what its class says.", ""


def _lesser(difference: Differences) -> str:
    if difference.grant:
        return f"{', '.join(difference.grant)} should be able to read it, and cannot"
    if difference.revoke:
        return f"{', '.join(difference.revoke)} can read it, and should no longer"
    if difference.comment or difference.column_comments:
        return "Its comment is not its class's docstring, or a column's is not its help_text"
    return "The list of its readers has changed" if difference.record else ""


def invalid_status(
    database: str, name: ViewName | None, label: str, error: OrmViewsError, installed: InstalledView | None
) -> ViewStatus:
    """Say how a view stands whose class is wrong."""
    advice = "Mend its class; until then nothing of this database can be synced."
    return ViewStatus(database, name, label, None, State.INVALID, str(error), advice, installed=installed)


def left_over_status(database: str, installed: InstalledView, *, orphaned: bool) -> ViewStatus:
    """Say how a view stands that no class declares; one that is orphaned was made by a sync."""
    if orphaned:
        state, reason = State.ORPHANED, "A sync made it, and no class declares it any more."
        advice = "Sync to drop it, or declare it again."
    elif installed.state:
        state, advice = State.UNMANAGED, ""
        reason = f"It was synced under database alias {installed.state.database!r}; nothing is done here."
    else:
        state, reason, advice = State.UNMANAGED, "It is in our schema, but not ours: it is never touched.", ""
    return ViewStatus(
        database, installed.name, "", installed.kind, state, reason, advice, installed=installed
    )
