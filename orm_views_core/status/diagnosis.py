"""Rules that decide the state of a view from its class and the installed view. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orm_views_core.database.ownership import how_to_trust, why_not_believed
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Differences, differences
from orm_views_core.refresh.freshness import Freshness, how_stale

from .states import State, ViewStatus

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


def with_findings(
    status: ViewStatus, problems: Sequence[Finding] = (), warnings: Sequence[Finding] = ()
) -> ViewStatus:
    """Return a status with what the guard of personal columns has found of its view.

    A problem of a view with a valid class is its state. Whatever else is to be done is said behind it.
    """
    status = replace(status, problems=tuple(problems), warnings=tuple(warnings))
    if not problems or status.definition is None:
        return status
    reasons = [str(each) for each in problems]
    advice = State.EXPOSES.advice
    if status.state.needs_attention:
        reasons.append(status.reason)
        advice = status.advice
    return replace(status, state=State.EXPOSES, reason="\n".join(reasons), advice=advice)


def registered_status(
    definition: ViewDefinition,
    installed: InstalledView | None,
    freshness: Freshness | None = None,
    empty: ViewName | None = None,
) -> ViewStatus:
    """Return the status of a view with a valid class.

    Args:
        definition: what the class declares.
        installed: the relation with the view's name, or None.
        freshness: the age of its rows.
        empty: a materialised view without rows that it reads.
    """
    diff = differences(definition, installed)
    state, reason = _diagnose(definition, installed, diff, empty)
    if stale := how_stale(freshness) if freshness else "":
        state, reason = (State.STALE, stale) if state is State.SYNCED else (state, f"{reason} {stale}")
    advice = state.advice
    if diff.obstructed_by:
        advice = f"Rename the {diff.obstructed_by}, or give the view another name."
    elif diff.unbelieved and installed:
        advice = how_to_trust(installed)
    elif empty and state is State.NOT_POPULATED:
        is_plain = definition.kind is ViewKind.VIEW
        advice = f"Refresh {empty}." if is_plain else f"Refresh it after {empty}: --upstream does that."
    return ViewStatus(
        database=definition.database,
        name=definition.name,
        label=definition.label,
        kind=definition.kind,
        state=state,
        reason=reason,
        advice=advice,
        definition=definition,
        installed=installed,
        differences=diff,
        freshness=freshness,
    )


def _diagnose(
    definition: ViewDefinition, installed: InstalledView | None, diff: Differences, empty: ViewName | None
) -> tuple[State, str]:
    """Return the state, and the reason for it, of the first rule that applies."""
    if installed is None:
        return State.MISSING, "It is registered, but not in the database."
    relation, kind = installed.relation, definition.kind.label
    rules = [
        (diff.obstructed_by, State.WRONG_KIND, f"The name belongs to a {relation} that no sync created."),
        (diff.other_kind, State.WRONG_KIND, f"It is a {relation} in the database; its class says {kind}."),
        (
            diff.unbelieved,
            State.DRIFTED,
            f"{why_not_believed(installed)} A sync changes it if its SQL differs.",
        ),
        (diff.unrecorded, State.CHANGED, "No sync has recorded it. If its SQL is the same, it is adopted."),
        (diff.code, State.CHANGED, "Its class has changed since the last sync."),
        (
            diff.restored,
            State.CHANGED,
            f"It was {diff.restored} since the last sync. If its SQL is the same, a sync only records it.",
        ),
        (diff.drifted, State.DRIFTED, "It was changed in the database since the last sync."),
        (
            diff.resolved,
            State.CHANGED,
            f"The search path gives names in its SQL another meaning: {'; '.join(diff.resolved)}.",
        ),
        (diff.sources, State.CHANGED, "It selects *, and the columns of what it reads have changed."),
        (diff.grant, State.CHANGED, f"SELECT on it is not granted to {', '.join(diff.grant)}."),
        (diff.revoke, State.CHANGED, f"SELECT on it is still granted to {', '.join(diff.revoke)}."),
        (diff.comment, State.CHANGED, "Its comment is not the docstring of its class, or its label."),
        (diff.column_comments, State.CHANGED, "A column's comment is not the help_text of its field."),
        (diff.record, State.CHANGED, "The roles in its grant_select_to have changed since the last sync."),
        (
            not installed.populated,
            State.NOT_POPULATED,
            "It has no rows yet and cannot be read."
            + (f" {empty}, which it reads, has none." if empty else ""),
        ),
        (
            empty and definition.kind is ViewKind.VIEW,
            State.NOT_POPULATED,
            f"It cannot be read: {empty} has no rows.",
        ),
        (True, State.SYNCED, "The database has what its class says."),
    ]
    return next((state, reason) for applies, state, reason in rules if applies)


def invalid_status(
    database: str, name: ViewName | None, label: str, error: OrmViewsError, installed: InstalledView | None
) -> ViewStatus:
    """Return the status of a view whose class is invalid."""
    state = State.INVALID
    reason = str(error)
    return ViewStatus(
        database, name, label, None, state, reason, state.advice, installed=installed, error=error
    )


def left_over_status(database: str, installed: InstalledView, *, orphaned: bool) -> ViewStatus:
    """Return the status of an installed view without a class. An orphaned one was made by a sync."""
    if orphaned:
        state, reason = State.ORPHANED, "A sync made it, and no class declares it any more."
    elif installed.state and installed.state.database == database:
        state = State.UNMANAGED
        reason = (
            "A sync made it, and no class places views in its schema any more. No sync drops it, because it "
            "may be another tenant's."
        )
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
