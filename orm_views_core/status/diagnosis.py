"""Rules that decide the state of a view from its class and the installed view. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orm_views_core.database.ownership import how_to_trust, why_not_believed
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Differences, differences
from orm_views_core.refresh.freshness import Freshness, how_stale

from .states import Condition, State, ViewStatus
from .unreadable import Obstacle

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


def with_findings(
    status: ViewStatus, problems: Sequence[Finding] = (), warnings: Sequence[Finding] = ()
) -> ViewStatus:
    """Return a status with what the guard of personal columns has found of its view."""
    status = replace(status, problems=tuple(problems), warnings=tuple(warnings))
    if not problems or status.definition is None:
        return status
    reason = "\n".join(str(each) for each in problems)
    return status.with_condition(Condition(State.EXPOSES, reason, State.EXPOSES.advice))


def registered_status(
    definition: ViewDefinition,
    installed: InstalledView | None,
    freshness: Freshness | None = None,
    obstacle: Obstacle | None = None,
) -> ViewStatus:
    """Return the status of a view with a valid class.

    Args:
        definition: what the class declares.
        installed: the relation with the view's name, or None.
        freshness: the age of its rows.
        obstacle: why it, or what it reads, cannot be read.
    """
    diff = differences(definition, installed)
    found = [_structure(definition, installed, diff), _rows(installed, obstacle), _age(freshness)]
    conditions = [*(each for each in found if each), *_changes(installed, diff)]
    synced = Condition(State.SYNCED, "The database has what its class says.")
    return ViewStatus(
        database=definition.database,
        name=definition.name,
        label=definition.label,
        kind=definition.kind,
        conditions=(synced,),
        definition=definition,
        installed=installed,
        differences=diff,
        freshness=freshness,
    ).with_condition(*conditions)


def _structure(
    definition: ViewDefinition, installed: InstalledView | None, diff: Differences
) -> Condition | None:
    """Return that the view is not there, or is something else. What else may differ is no news then."""
    if installed is None:
        return _condition(State.MISSING, "It is registered, but not in the database.")
    relation = installed.relation
    if diff.obstructed_by:
        return Condition(
            State.WRONG_KIND,
            f"The name belongs to a {relation} that no sync created.",
            f"Rename the {diff.obstructed_by}, or give the view another name.",
        )
    if diff.other_kind:
        reason = f"It is a {relation} in the database; its class says {definition.kind.label}."
        return _condition(State.WRONG_KIND, reason)
    return None


def _rows(installed: InstalledView | None, obstacle: Obstacle | None) -> Condition | None:
    """Return that the view cannot be read."""
    if installed is None or installed.kind is None:
        return None
    if installed.populated:
        if obstacle is None or installed.kind is not ViewKind.VIEW:
            return None
        return Condition(State.UNREADABLE, obstacle.reason, obstacle.advice)
    reason = "It has no rows yet and cannot be read."
    if obstacle is None or obstacle.closed:
        return _condition(State.NOT_POPULATED, reason)
    return Condition(
        State.NOT_POPULATED,
        f"{reason} {obstacle.view}, which it reads, has none.",
        f"Refresh it after {obstacle.view}: --upstream does that.",
    )


def _age(freshness: Freshness | None) -> Condition | None:
    """Return that the rows are older than promised."""
    reason = how_stale(freshness) if freshness else ""
    return _condition(State.STALE, reason) if reason else None


def _changes(installed: InstalledView | None, diff: Differences) -> Iterator[Condition]:
    """Yield how the class and the database differ: at most one condition of each state."""
    if installed is None or diff.obstructed_by or diff.other_kind:
        return
    if diff.unbelieved:
        reason = f"{why_not_believed(installed)} A sync changes it if its SQL differs."
        yield Condition(State.DRIFTED, reason, how_to_trust(installed))
        return
    if diff.unrecorded:
        reason = "No sync has recorded it. If its SQL is the same, it is adopted."
        yield _condition(State.CHANGED, reason)
        return
    rules = [
        (diff.code, "Its class has changed since the last sync."),
        (
            diff.restored,
            f"It was {diff.restored} since the last sync. If its SQL is the same, a sync only records it.",
        ),
        (
            diff.resolved,
            f"The search path gives names in its SQL another meaning: {'; '.join(diff.resolved)}.",
        ),
        (diff.sources, "It selects *, and the columns of what it reads have changed."),
        (diff.grant, f"SELECT on it is not granted to {', '.join(diff.grant)}."),
        (diff.revoke, f"SELECT on it is still granted to {', '.join(diff.revoke)}."),
        (diff.comment, "Its comment is not the docstring of its class, or its label."),
        (diff.column_comments, "A column's comment is not the help_text of its field."),
        (
            diff.record and not diff.code,
            "The roles in its grant_select_to have changed since the last sync.",
        ),
    ]
    if reasons := [reason for applies, reason in rules if applies]:
        yield _condition(State.CHANGED, " ".join(reasons))
    if diff.drifted:
        yield _condition(State.DRIFTED, "It was changed in the database since the last sync.")


def _condition(state: State, reason: str) -> Condition:
    return Condition(state, reason, state.advice)


def invalid(error: OrmViewsError) -> Condition:
    """Return the condition of a view whose class is invalid, or whose SQL PostgreSQL refuses."""
    return Condition(State.INVALID, str(error), State.INVALID.advice, error)


def invalid_status(
    database: str, name: ViewName | None, label: str, error: OrmViewsError, installed: InstalledView | None
) -> ViewStatus:
    """Return the status of a view whose class is invalid."""
    return ViewStatus(database, name, label, None, (invalid(error),), installed=installed)


def unanswered_status(
    database: str, name: ViewName | None, label: str, kind: ViewKind | None, error: OrmViewsError
) -> ViewStatus:
    """Return the status of a registered view whose database cannot be read."""
    condition = Condition(State.UNREADABLE, str(error), "Make its database answer.", error)
    return ViewStatus(database, name, label, kind, (condition,))


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
        conditions=(_condition(state, reason),),
        installed=installed,
    )
