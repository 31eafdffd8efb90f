"""Writing the tags of views: what a sync did to them, recorded on themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import InstalledView
from orm_views_core.database.sync_state import join_comment
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.dependencies import read_tags_of
from orm_views_core.engines.postgresql.introspection import read_created
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import kept_comment
from orm_views_core.plan.steps import Action, Step
from orm_views_core.plan.sync_state import as_before, as_read, new_tag

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
        steps: those that have been carried out, each with a definition. What is built aside has its tag
            written before it takes its place.
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
        tag = new_tag(
            definition,
            stored,
            before,
            now,
            is_new=name in new,
            filled_in=seconds.get(name),
            command_roles=command_roles,
        )
        comment = join_comment(kept_comment(definition, step.installed), tag)
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
        if step.installed is not None and step.installed.tag is not None
        if step.installed.kind is ViewKind.MATERIALISED_VIEW
    }
    tags = read_tags_of(cursor, [view.oid for view in views.values()])
    return {
        name: replace(
            view,
            tag=replace(view.tag, refreshed=found.refreshed, seconds=found.seconds, changes=found.changes),
        )
        for name, view in views.items()
        if view.tag is not None and (found := tags.get(view.oid)) is not None
    }


def _changes_what_is_stored(step: Step) -> bool:
    """Say whether the tag has to be made of what PostgreSQL stores now, and not of the tag before."""
    return step.rehearsed is not None or as_before(step.installed) is None


def _has_star(step: Step) -> bool:
    return step.definition is not None and step.definition.has_star
