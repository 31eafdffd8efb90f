"""Writing the sync states of views into their comments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import (
    InstalledView,
    StoredView,
    recorded_fingerprint,
    stored_fingerprint,
    tablespace_of,
)
from orm_views_core.database.sync_state import SyncState, join_comment
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.dependencies import read_sync_states_of
from orm_views_core.engines.postgresql.catalog.introspection import read_created
from orm_views_core.engines.postgresql.locking.locks import Overtaken
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import has_text_by_hand, kept_comment, options_by_hand, wanted_readers
from orm_views_core.plan.steps import Action, Step
from orm_views_core.sentences import says

_BATCH = 250
_NEW = {Action.CREATE, Action.REPLACE, Action.REBUILD}


@dataclass(frozen=True)
class Outcome:
    """What sync states record of a sync itself.

    Attributes:
        now: the time of the sync.
        seconds: how many seconds it took to fill the materialised views that were filled.
        refreshed: what :func:`read_refreshed` returned before the steps set comments.
        command_roles: the roles that only the command line named.
    """

    now: dt.datetime
    seconds: Mapping[ViewName, float]
    refreshed: Mapping[ViewName, InstalledView]
    command_roles: Sequence[str]


def record(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, steps: Iterable[Step], outcome: Outcome
) -> None:
    """Write the sync states of the registered views among those of some steps.

    Args:
        connection: their database, inside the transaction that changed them.
        cursor: a cursor of the connection.
        steps: steps that were carried out. The new version of a rebuilt view is recorded where it was built.
        outcome: what to record of the sync.

    Raises:
        Overtaken: when one of the views is not there any more.
    """
    steps = [step for step in steps if step.definition]
    last = {step.name: step for step in steps}
    new = {step.name for step in steps if step.action in _NEW}
    places = {name: step.built_at or name for name, step in last.items() if _is_stored_anew(step)}
    stars = [place for name, place in places.items() if _definition(last[name]).has_star]
    found = read_created(connection, list(places.values()), stars)
    for place in places.values():
        if place not in found:
            raise Overtaken(says("%(view)s was dropped or renamed meanwhile", view=place))
    refreshed = {**outcome.refreshed, **read_refreshed(connection, steps)}
    statements = []
    for name, step in last.items():
        definition = _definition(step)
        stored = as_read(step, found[places[name]]) if name in places else as_before(step.installed)
        assert stored is not None
        state = new_sync_state(
            definition,
            stored,
            refreshed.get(name, step.installed),
            outcome.now,
            is_new=name in new,
            filled_in=outcome.seconds.get(name),
            command_roles=outcome.command_roles,
        )
        comment = join_comment(kept_comment(definition, step.installed), state)
        statements.append(ddl.comment_on_view(definition.kind, step.built_at or name, comment))
    for start in range(0, len(statements), _BATCH):
        send(cursor, statements[start : start + _BATCH])


def read_refreshed(connection: BaseDatabaseWrapper, steps: Sequence[Step]) -> dict[ViewName, InstalledView]:
    """Return the materialised views that keep their rows, with what their sync states say of refreshes now.

    A refresh may end between the plan and the step. It cannot end after the step has set the view's comment.
    """
    new = {step.name for step in steps if step.action in _NEW}
    views = [step.installed for step in steps if step.installed and step.name not in new]
    views = [view for view in views if view.kind is ViewKind.MATERIALISED_VIEW]
    found = read_sync_states_of(connection, [view.oid for view in views if view.state])
    refreshed = {}
    for view in views:
        if view.state and (now := found.get(view.oid)):
            state = replace(view.state, refreshed=now.refreshed, seconds=now.seconds, changes=now.changes)
            refreshed[view.name] = replace(view, state=state)
    return refreshed


def _is_stored_anew(step: Step) -> bool:
    """Return whether the previous sync state does not say what PostgreSQL stores after a step."""
    return step.expected is not None or as_before(step.installed) is None


def _definition(step: Step) -> ViewDefinition:
    assert step.definition is not None
    return step.definition


class Stored(NamedTuple):
    """What PostgreSQL stores of a view, as far as the sync state records it."""

    fingerprint: str
    indexes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    sources: str | None = None


def as_before(view: InstalledView | None) -> Stored | None:
    """Return what the sync state of a view records; None when it has no sync state."""
    if view is None or view.state is None:
        return None
    return Stored(view.state.installed, view.state.indexes, view.state.options, view.state.sources)


def as_read(step: Step, view: StoredView) -> Stored:
    """Return what the sync state of a view has to record.

    Args:
        step: what was done.
        view: the view as it was read after the step.
    """
    definition = _definition(step)
    indexes = {index.name: index for index in view.indexes}
    ours = tuple(index.name for index in definition.indexes if index.name in indexes)
    options: Sequence[tuple[str, str]] = ()
    if view.options and view.kind is ViewKind.VIEW:
        by_hand = options_by_hand(definition, step.installed, step.expected)
        options = [option for option in view.options if option not in by_hand]
    elif view.options:  # no SELECT sets a storage parameter
        declared = dict(definition.options)
        options = [option for option in view.options if option[0] in declared]
    names = [name for name, _ in options]
    names += [tablespace_of(i.name) for i in definition.indexes if i.tablespace and i.name in indexes]
    stored = [indexes[name].without_unrecorded(names) for name in ours]
    fingerprint = stored_fingerprint(view.kind, view.rule, options, stored)
    fingerprint = recorded_fingerprint(fingerprint, view.oid, view.server)
    return Stored(fingerprint, ours, tuple(names), view.sources)


def new_sync_state(
    definition: ViewDefinition,
    stored: Stored,
    before: InstalledView | None,
    now: dt.datetime,
    *,
    is_new: bool = False,
    filled_in: float | None = None,
    command_roles: Sequence[str] = (),
) -> SyncState:
    """Return the new sync state of a view.

    Args:
        definition: what its class declares.
        stored: what PostgreSQL stores of it.
        before: the view before the sync.
        now: the time of the sync.
        is_new: whether it was created, replaced or rebuilt.
        filled_in: how many seconds it took to fill a materialised view; None when it was not filled.
        command_roles: the roles that only the command line named.
    """
    old = before.state if before else None
    kept = old if definition.kind is ViewKind.MATERIALISED_VIEW and not is_new else None  # with its rows
    refreshed = kept.refreshed if kept and before and before.populated else None
    # The statistics of another server or database have counted other changes.
    is_counted = kept and filled_in is None and before and not before.restored
    named = wanted_readers(definition, [*(old.granted_by_command if old else ()), *command_roles])
    return SyncState(
        database=definition.database,
        code=definition.fingerprint,
        installed=stored.fingerprint,
        synced=now if is_new or old is None else old.synced,
        refreshed=now if filled_in is not None else refreshed,
        seconds=round(filled_in, 3) if filled_in is not None else kept.seconds if kept else None,
        indexes=stored.indexes,
        options=stored.options,
        text_by_hand=has_text_by_hand(definition, before),
        sources=stored.sources if definition.has_star else None,
        granted=definition.grant_select_to,
        granted_by_command=tuple(role for role in named if role not in definition.grant_select_to),
        changes=kept.changes if kept and is_counted else None,
    )
