"""Rules that decide the state of a view from its class and the installed view. Pure."""

from __future__ import annotations

from typing import NamedTuple

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Differences, differences
from orm_views_core.refresh.freshness import Freshness, how_stale

from .states import State, ViewStatus


class _Diagnosis(NamedTuple):
    """A state and the reason for it; ``advice`` replaces that of the state."""

    state: State
    reason: str
    advice: str = ""


def registered_status(
    definition: ViewDefinition, installed: InstalledView | None, freshness: Freshness | None = None
) -> ViewStatus:
    """Return the status of a view with a valid class."""
    found = differences(definition, installed)
    state, reason, advice = _diagnose(definition, installed, found)
    if stale := how_stale(freshness) if freshness else "":
        state, reason = (State.STALE, stale) if state is State.SYNCED else (state, f"{reason} {stale}")
    return ViewStatus(
        database=definition.database,
        name=definition.name,
        label=definition.label,
        kind=definition.kind,
        state=state,
        reason=reason,
        advice=advice or state.advice,
        definition=definition,
        installed=installed,
        differences=found,
        freshness=freshness,
    )


def _diagnose(definition: ViewDefinition, installed: InstalledView | None, found: Differences) -> _Diagnosis:
    if relation := found.obstructed_by:
        reason = f"The name belongs to a {relation} that no sync created."
        return _Diagnosis(State.WRONG_KIND, reason, f"Rename the {relation}, or give the view another name.")
    if installed is None:
        return _Diagnosis(State.MISSING, "It is registered, but not in the database.")
    if found.other_kind:
        kinds = f"a {installed.relation} in the database, but its class declares a {definition.kind.label}"
        return _Diagnosis(State.WRONG_KIND, f"It is {kinds}.")
    if found.unrecorded:
        advice = "Sync it. A view whose definition is the same is adopted, not rebuilt."
        return _Diagnosis(State.CHANGED, "It is in the database, but no sync has recorded it.", advice)
    if found.code:
        return _Diagnosis(State.CHANGED, "Its class has changed since the last sync.")
    if found.drifted:
        return _Diagnosis(State.DRIFTED, "It was changed in the database since the last sync.")
    if found.sources:
        reason = "Its SQL selects *, and the columns of what it reads have changed since the last sync."
        return _Diagnosis(State.CHANGED, reason)
    if found.grant:
        return _Diagnosis(State.CHANGED, f"SELECT on it has to be granted to {', '.join(found.grant)}.")
    if found.revoke:
        return _Diagnosis(State.CHANGED, f"SELECT on it has to be revoked from {', '.join(found.revoke)}.")
    if found.comment or found.column_comments:
        reason = "Its comment is not its docstring, or a column's comment is not the field's help_text."
        return _Diagnosis(State.CHANGED, reason)
    if found.record:
        return _Diagnosis(State.CHANGED, "The roles that may read it have changed since the last sync.")
    if not installed.populated:
        return _Diagnosis(State.NOT_POPULATED, "It has no rows yet and cannot be read.")
    return _Diagnosis(State.SYNCED, "The database has what its class says.")


def invalid_status(
    database: str, name: ViewName | None, label: str, error: OrmViewsError, installed: InstalledView | None
) -> ViewStatus:
    """Return the status of a view whose class is invalid."""
    state = State.INVALID
    return ViewStatus(database, name, label, None, state, str(error), state.advice, installed=installed)


def left_over_status(database: str, installed: InstalledView, *, orphaned: bool) -> ViewStatus:
    """Return the status of an installed view without a class. An orphaned one was made by a sync."""
    if orphaned:
        state, reason = State.ORPHANED, "A sync made it, and no class declares it any more."
    elif installed.state:
        alias = installed.state.database
        state, reason = State.UNMANAGED, f"It was synced under the alias {alias!r}. A sync here ignores it."
    else:
        state, reason = State.UNMANAGED, "It is in a schema of the views, but no sync made it or changes it."
    return ViewStatus(
        database=database,
        name=installed.name,
        label="",
        kind=installed.kind,
        state=state,
        reason=reason,
        advice=state.advice,
        installed=installed,
    )
