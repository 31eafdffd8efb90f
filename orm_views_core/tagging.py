"""What the tag of a view says after a step. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from .changes import has_text_by_hand
from .definition import ViewDefinition
from .installed import InstalledView, stored_fingerprint
from .names import ViewKind
from .rehearsal import RehearsedView
from .statements import index_changes
from .steps import Action, Step
from .tag import Tag


class Stored(NamedTuple):
    """What PostgreSQL has of a view, as far as a tag speaks of it."""

    fingerprint: str
    indexes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    sources: str | None = None


def stored_after(step: Step) -> Stored | None:
    """Say what PostgreSQL has of a view after a step; None when only PostgreSQL can say.

    What was tried is what will be stored: the definition in the place that it is going to have.
    """
    definition, installed, rehearsed = step.definition, step.installed, step.rehearsed
    assert definition is not None
    if rehearsed is not None:
        indexes = tuple(index.name for index in rehearsed.indexes)
        if step.action not in {Action.CREATE, Action.REPLACE, Action.REBUILD}:
            assert installed is not None
            indexes = index_changes(definition, installed, rehearsed).ours
        return _as_rehearsed(definition, rehearsed, indexes)
    if installed is None or installed.tag is None:
        return None
    tag = installed.tag
    return Stored(tag.installed, tag.indexes, tag.options, tag.sources)


def _as_rehearsed(definition: ViewDefinition, rehearsed: RehearsedView, our_indexes: Sequence[str]) -> Stored:
    indexes = [index for index in rehearsed.indexes if index.name in our_indexes]
    options = rehearsed.options if definition.kind is ViewKind.VIEW else ()
    return Stored(
        stored_fingerprint(definition.kind, rehearsed.definition, options, indexes),
        tuple(index.name for index in definition.indexes if index.name in our_indexes),
        tuple(name for name, _ in options),
        rehearsed.sources,
    )


def as_read(definition: ViewDefinition, view: InstalledView) -> Stored:
    """Say what PostgreSQL has of a view that was just created, as it was read back."""
    assert view.kind is not None
    assert view.definition is not None
    names = {index.name for index in definition.indexes}
    indexes = [index for index in view.indexes if index.name in names]
    options = view.options if view.kind is ViewKind.VIEW else ()
    return Stored(
        stored_fingerprint(view.kind, view.definition, options, indexes),
        tuple(index.name for index in definition.indexes if any(i.name == index.name for i in indexes)),
        tuple(name for name, _ in options),
        view.sources,
    )


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
    named = (*(old.granted_by_command if old else ()), *command_roles)
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
        granted_by_command=()
        if definition.hidden
        else tuple(dict.fromkeys(role for role in named if role not in definition.grant_select_to)),
    )
