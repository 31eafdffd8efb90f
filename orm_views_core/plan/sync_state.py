"""What the tag of a view says after a step. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from orm_views_core.database.relations import InstalledView, StoredView, stored_fingerprint
from orm_views_core.database.sync_state import Tag
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.extras import options_by_hand
from orm_views_core.names import ViewKind

from .diff import has_text_by_hand
from .steps import Step


class Stored(NamedTuple):
    """What PostgreSQL has of a view, as far as a tag speaks of it."""

    fingerprint: str
    indexes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    sources: str | None = None


def as_before(view: InstalledView | None) -> Stored | None:
    """Say what PostgreSQL has of a view that a step leaves as it was; None when no tag knows."""
    if view is None or view.tag is None:
        return None
    return Stored(view.tag.installed, view.tag.indexes, view.tag.options, view.tag.sources)


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
    tried = step.rehearsed.options if step.rehearsed else ()
    by_hand = options_by_hand(step.installed, step.definition, tried)
    return [option for option in view.options if option not in by_hand]


def new_tag(
    definition: ViewDefinition,
    stored: Stored,
    before: InstalledView | None,
    now: dt.datetime,
    *,
    is_new: bool = False,
    filled_in: float | None = None,
    command_roles: Sequence[str] = (),
) -> Tag:
    """Return the tag that a view is to have.

    Args:
        definition: what its class says.
        stored: what PostgreSQL has of it.
        before: the view as it was.
        now: the time of the sync.
        is_new: whether it was created, replaced or rebuilt.
        filled_in: how many seconds it took to fill a materialised view, if it was.
        command_roles: the roles that only the command line named.
    """
    old = before.tag if before else None
    materialised = definition.kind is ViewKind.MATERIALISED_VIEW
    keeps_rows = old is not None and materialised and not is_new
    named: dict[str, None] = {}
    if not definition.hidden and (old or command_roles):
        named = dict.fromkeys([*(old.granted_by_command if old else ()), *command_roles])
    return Tag(
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
