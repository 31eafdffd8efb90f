"""Writing the sync states of views: what a sync did to them, recorded on themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.extras import options_by_hand
from orm_views_core.database.relations import InstalledView, StoredView, stored_fingerprint
from orm_views_core.database.sync_state import SyncState, join_comment
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.dependencies import read_sync_states_of
from orm_views_core.engines.postgresql.catalog.introspection import read_created
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import has_text_by_hand, kept_comment
from orm_views_core.plan.steps import Action, Step

_BATCH = 250
_NEW = {Action.CREATE, Action.REPLACE, Action.REBUILD}


def record(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    steps: Sequence[Step],
    now: dt.datetime,
    seconds: Mapping[ViewName, float],
    command_roles: Sequence[str],
    *,
    refreshed: Mapping[ViewName, InstalledView],
) -> None:
    """Record on the views of some steps what their classes said and what PostgreSQL stores.

    Args:
        connection: their database, inside the transaction that made them.
        cursor: a cursor of it.
        steps: those that have been carried out, each with a definition. What is built aside gets its sync
            state before it takes its place.
        now: the time of the sync.
        seconds: how long it took to fill the materialised views that were filled.
        command_roles: the roles that only the command line named.
        refreshed: what :func:`read_refreshed` returned before the comments of some were set.
    """
    last = {step.name: step for step in steps}
    new = {step.name for step in steps if step.action in _NEW}
    places = {name: step.built_at or name for name, step in last.items() if _changes_what_is_stored(step)}
    stars = [place for name, place in places.items() if _has_star(last[name])]
    found = read_created(connection, list(places.values()), stars)
    refreshed = {**refreshed, **read_refreshed(cursor, steps)}
    statements = []
    for name, step in last.items():
        definition = step.definition
        assert definition is not None
        stored = as_read(step, found[places[name]]) if name in places else as_before(step.installed)
        assert stored is not None
        before = refreshed.get(name, step.installed)
        state = new_sync_state(
            definition,
            stored,
            before,
            now,
            is_new=name in new,
            filled_in=seconds.get(name),
            command_roles=command_roles,
        )
        comment = join_comment(kept_comment(definition, step.installed), state)
        statements.append(ddl.comment_on_view(definition.kind, step.built_at or name, comment))
    for start in range(0, len(statements), _BATCH):
        cursor.execute(";\n".join(statements[start : start + _BATCH]))


def read_refreshed(cursor: CursorWrapper, steps: Sequence[Step]) -> dict[ViewName, InstalledView]:
    """Return materialised views that keep their rows, with the times of refreshes that ended meanwhile.

    A refresh may end between the plan and the step. It cannot once the step has set the view's comment.
    """
    new = {step.name for step in steps if step.action in _NEW}
    views = {
        step.name: step.installed
        for step in steps
        if step.name not in new
        if step.installed is not None and step.installed.state is not None
        if step.installed.kind is ViewKind.MATERIALISED_VIEW
    }
    states = read_sync_states_of(cursor, [view.oid for view in views.values()])
    return {
        name: replace(
            view,
            state=replace(
                view.state, refreshed=found.refreshed, seconds=found.seconds, changes=found.changes
            ),
        )
        for name, view in views.items()
        if view.state is not None and (found := states.get(view.oid)) is not None
    }


def _changes_what_is_stored(step: Step) -> bool:
    """Say whether the sync state is made of what PostgreSQL stores now, not of the previous sync state."""
    return step.expected is not None or as_before(step.installed) is None


def _has_star(step: Step) -> bool:
    return step.definition is not None and step.definition.has_star


class Stored(NamedTuple):
    """What PostgreSQL has of a view, as far as a sync state speaks of it."""

    fingerprint: str
    indexes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    sources: str | None = None


def as_before(view: InstalledView | None) -> Stored | None:
    """Say what PostgreSQL has of a view that a step leaves as it was; None when no sync state knows."""
    if view is None or view.state is None:
        return None
    return Stored(view.state.installed, view.state.indexes, view.state.options, view.state.sources)


def as_read(step: Step, view: StoredView) -> Stored:
    """Say what PostgreSQL has of a view after a step.

    Args:
        step: what was done.
        view: the view, read since.
    """
    definition = step.definition
    assert definition is not None
    there = {index.name: index for index in view.indexes}
    ours = tuple(index.name for index in definition.indexes if index.name in there)
    options = _our_options(step, view) if view.options else ()
    fingerprint = stored_fingerprint(view.kind, view.rule, options, [there[name] for name in ours])
    return Stored(fingerprint, ours, tuple(name for name, _ in options), view.sources)


def _our_options(step: Step, view: StoredView) -> Sequence[tuple[str, str]]:
    """Return a plain view's options without those that somebody set by hand."""
    if view.kind is not ViewKind.VIEW:
        return []
    assert step.definition is not None
    tried = step.expected.options if step.expected else ()
    by_hand = options_by_hand(step.installed, step.definition, tried)
    return [option for option in view.options if option not in by_hand]


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
    """Return the sync state that a view is to have.

    Args:
        definition: what its class says.
        stored: what PostgreSQL has of it.
        before: the view as it was.
        now: the time of the sync.
        is_new: whether it was created, replaced or rebuilt.
        filled_in: how many seconds it took to fill a materialised view, if it was.
        command_roles: the roles that only the command line named.
    """
    old = before.state if before else None
    materialised = definition.kind is ViewKind.MATERIALISED_VIEW
    keeps_rows = old is not None and materialised and not is_new
    named: dict[str, None] = {}
    if not definition.hidden and (old or command_roles):
        named = dict.fromkeys([*(old.granted_by_command if old else ()), *command_roles])
    return SyncState(
        database=definition.database,
        code=definition.fingerprint,
        installed=stored.fingerprint,
        synced=now if is_new or old is None else old.synced,
        refreshed=now if filled_in is not None else old.refreshed if old and keeps_rows else None,
        seconds=round(filled_in, 3) if filled_in is not None else old.seconds if old and keeps_rows else None,
        indexes=stored.indexes,
        options=stored.options,
        text_by_hand=has_text_by_hand(definition, before),
        sources=stored.sources if definition.has_star else None,
        granted=definition.grant_select_to,
        granted_by_command=tuple(role for role in named if role not in definition.grant_select_to),
        changes=old.changes if old and keeps_rows and filled_in is None else None,
    )
