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
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .states import Condition, State, ViewStatus
from .unreadable import Obstacle

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


#: That of a view of which nothing else is to be said.
_SYNCED = Condition(State.SYNCED, says("The database has what its class says."))


def with_findings(
    status: ViewStatus, problems: Sequence[Finding] = (), warnings: Sequence[Finding] = ()
) -> ViewStatus:
    """Return a status with what the guard of personal columns has found of its view."""
    status = replace(status, problems=tuple(problems), warnings=tuple(warnings))
    if not problems or status.definition is None:
        return status
    reason = listed((each.sentence for each in problems), "\n")
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
    return ViewStatus(
        database=definition.database,
        name=definition.name,
        label=definition.label,
        kind=definition.kind,
        conditions=(_SYNCED,),
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
        return _condition(State.MISSING, says("It is registered, but not in the database."))
    relation = installed.relation
    if diff.obstructed_by:
        return Condition(
            State.WRONG_KIND,
            says("The name belongs to a %(relation)s that no sync created.", relation=relation),
            says("Rename the %(relation)s, or give the view another name.", relation=diff.obstructed_by),
        )
    if diff.other_kind:
        reason = says(
            "It is a %(relation)s in the database; its class says %(kind)s.",
            relation=relation,
            kind=definition.kind.label,
        )
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
    reason = says("It has no rows yet and cannot be read.")
    if obstacle is None or obstacle.closed:
        return _condition(State.NOT_POPULATED, reason)
    return Condition(
        State.NOT_POPULATED,
        says("%(reason)s %(view)s, which it reads, has none.", reason=reason, view=obstacle.view),
        says("Refresh it after %(view)s: --upstream does that.", view=obstacle.view),
    )


def _age(freshness: Freshness | None) -> Condition | None:
    """Return that the rows are older than promised."""
    reason = how_stale(freshness) if freshness else NOTHING
    return _condition(State.STALE, reason) if reason else None


def _changes(installed: InstalledView | None, diff: Differences) -> Iterator[Condition]:
    """Yield how the class and the database differ: at most one condition of each state."""
    if installed is None or diff.obstructed_by or diff.other_kind:
        return
    if diff.unbelieved:
        why = why_not_believed(installed)
        reason = says("%(why)s A sync changes it if its SQL differs.", why=why)
        yield Condition(State.DRIFTED, reason, how_to_trust(installed))
        return
    if diff.unrecorded:
        reason = says("No sync has recorded it. If its SQL is the same, it is adopted.")
        yield _condition(State.CHANGED, reason)
        return
    if reasons := list(_why_changed(diff)):
        yield _condition(State.CHANGED, listed(reasons, " "))
    if diff.drifted:
        yield _condition(State.DRIFTED, says("It was changed in the database since the last sync."))


def _why_changed(diff: Differences) -> Iterator[Sentence]:
    if diff.code:
        yield says("Its class has changed since the last sync.")
    if diff.restored:
        yield says(
            "It was %(restored)s since the last sync. If its SQL is the same, a sync only records it.",
            restored=diff.restored,
        )
    if diff.resolved:
        names = listed(diff.resolved, "; ")
        yield says("The search path gives names in its SQL another meaning: %(names)s.", names=names)
    if diff.sources:
        yield says("It selects *, and the columns of what it reads have changed.")
    if diff.grant:
        yield says("SELECT on it is not granted to %(roles)s.", roles=listed(diff.grant))
    if diff.revoke:
        yield says("SELECT on it is still granted to %(roles)s.", roles=listed(diff.revoke))
    if diff.comment:
        yield says("Its comment is not the docstring of its class, or its label.")
    if diff.column_comments:
        yield says("A column's comment is not the help_text of its field.")
    if diff.record and not diff.code:
        yield says("The roles in its grant_select_to have changed since the last sync.")


def _condition(state: State, reason: Sentence) -> Condition:
    return Condition(state, reason, state.advice)


def invalid(error: OrmViewsError) -> Condition:
    """Return the condition of a view whose class is invalid, or whose SQL PostgreSQL refuses."""
    return Condition(State.INVALID, error.message, State.INVALID.advice, error)


def invalid_status(
    database: str, name: ViewName | None, label: str, error: OrmViewsError, installed: InstalledView | None
) -> ViewStatus:
    """Return the status of a view whose class is invalid."""
    return ViewStatus(database, name, label, None, (invalid(error),), installed=installed)


def unanswered_status(
    database: str, name: ViewName | None, label: str, kind: ViewKind | None, error: OrmViewsError
) -> ViewStatus:
    """Return the status of a registered view whose database cannot be read."""
    condition = Condition(State.UNREADABLE, error.message, says("Make its database answer."), error)
    return ViewStatus(database, name, label, kind, (condition,))


def left_over_status(database: str, installed: InstalledView, *, orphaned: bool) -> ViewStatus:
    """Return the status of an installed view without a class. An orphaned one was made by a sync."""
    if orphaned:
        state, reason = State.ORPHANED, says("A sync made it, and no class declares it any more.")
    elif installed.state and installed.state.database == database:
        state = State.UNMANAGED
        reason = says(
            "A sync made it, and no class places views in its schema any more. No sync drops it, because it "
            "may be another tenant's."
        )
    elif installed.state:
        alias = installed.state.database
        state = State.UNMANAGED
        reason = says("It was synced under the alias %(database)r. A sync here ignores it.", database=alias)
    else:
        state = State.UNMANAGED
        reason = says("It is in a schema of the views, but no sync made it or changes it.")
    return ViewStatus(
        database=database,
        name=installed.name,
        label="",
        kind=installed.kind,
        conditions=(_condition(state, reason),),
        installed=installed,
    )
