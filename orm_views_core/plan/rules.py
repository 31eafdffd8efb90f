"""What has to happen to a view that differs from its class. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Column
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .diff import NO_DIFFERENCES, Differences
from .facts import Facts
from .statements import index_changes, moved_to, option_changes
from .steps import Action

_UNRECORDED = says("it is in the database, but no sync has recorded it")
_UNBELIEVED = says("its owner is not trusted, and it differs from its class")


@dataclass(frozen=True)
class Decision:
    """What happens to a view, and why.

    Attributes:
        indirect: True when the view itself has not changed, only what it reads.
        deferred: why its new version has to be built in the swap; "" when it is built before the swap.
    """

    action: Action
    reason: Sentence
    indirect: bool = False
    deferred: Sentence = NOTHING


Decisions = Mapping[ViewName, Decision]


def action_of(decisions: Decisions, name: ViewName) -> Action | None:
    """Return what happens to a view; None when nothing was decided."""
    return decisions[name].action if name in decisions else None


def having(decisions: Decisions, *actions: Action) -> set[ViewName]:
    """Return the views to which one of these actions happens."""
    return {name for name, decision in decisions.items() if decision.action in actions}


def decide(name: ViewName, facts: Facts) -> Decision | None:
    """Decide what happens to a registered view, regardless of other views.

    Returns:
        None when its SELECT stays as it is, or when another object has its name.
    """
    definition, difference = facts.definitions[name], facts.scope.differences.get(name, NO_DIFFERENCES)
    if difference.missing:
        return Decision(Action.CREATE, says("it is not in the database"))
    if difference.other_kind:
        return Decision(Action.REBUILD, says("it becomes a %(kind)s", kind=definition.kind.label))
    if name not in facts.dry_run.views:
        return None
    installed, expected = facts.catalog.relations[name], facts.dry_run.views[name]
    is_same = expected.definition == installed.definition
    why = why_changed(difference)
    moved = moved_to(definition, installed, expected)
    if is_same and not moved and not (facts.force and name in facts.scope.differences):
        needs_repair = option_changes(definition, installed, expected, facts.dialect) or index_changes(
            definition, installed, expected, facts.dialect
        )
        # The next sync would not believe it either if this one recorded that nothing differs.
        if difference.is_outdated and not needs_repair and not difference.unbelieved:
            return Decision(Action.ADOPT, says("%(why)s; PostgreSQL's definition is the same", why=why))
        if definition.has_star and installed.state and installed.state.sources != expected.sources:
            return Decision(
                Action.ADOPT, says("what it reads gets other columns; its own stay the same"), indirect=True
            )
        return None
    indirect = not is_same and not difference.needs_dry_run
    if is_same:
        why = says("%(why)s: it moves to %(place)s", why=why, place=moved) if moved else says("forced")
    elif indirect:
        why = says("what it reads has changed")
    elif difference.unrecorded or (difference.restored and not difference.code):
        why = says("%(why)s, and its definition differs", why=why)
    if definition.kind is ViewKind.MATERIALISED_VIEW:
        return Decision(Action.REBUILD, why, indirect)
    if obstacle := why_not_replace(name, facts.dry_run):
        return Decision(Action.REBUILD, with_obstacle(why, obstacle), indirect)
    return Decision(Action.REPLACE, why, indirect)


def with_obstacle(why: Sentence, obstacle: Sentence) -> Sentence:
    """Return why a view is rebuilt, with what keeps it from being replaced."""
    return says("%(why)s: %(obstacle)s", why=why, obstacle=obstacle)


def why_changed(difference: Differences) -> Sentence:
    """Return why a view had to be tried, in words."""
    if difference.unbelieved:
        return _UNBELIEVED
    if difference.unrecorded:
        return _UNRECORDED
    if difference.restored:
        if difference.code:
            return says("its class has changed, and it was %(restored)s", restored=difference.restored)
        return says("it was %(restored)s", restored=difference.restored)
    if difference.resolved and not (difference.code or difference.drifted):
        return says(
            "the search path gives names another meaning: %(names)s", names=listed(difference.resolved, "; ")
        )
    if difference.code and difference.drifted:
        return says("its class has changed, and so has the database")
    if difference.sources and not difference.drifted and not difference.code:
        return says("its SQL has a star, and what it reads has other columns now")
    return says("its class has changed") if difference.code else says("it was changed in the database")


def why_not_replace(name: ViewName, dry_run: DryRun) -> Sentence:
    """Return why CREATE OR REPLACE VIEW is impossible for a view that was tried; "" when it is possible.

    It can only add columns at the end.
    https://www.postgresql.org/docs/current/sql-createview.html
    """
    old, new = dry_run.installed_columns.get(name, ()), dry_run.views[name].columns
    kept = {column.name for column in new}
    for column in old:
        if column.name not in kept:
            return says("column %(column)s is removed", column=column.name)
    for before, after in zip(old, new, strict=False):
        if before.name != after.name:
            return says("column %(column)s comes before %(other)s", column=after.name, other=before.name)
        if before != after:
            old_form, new_form = _described(before), _described(after)
            return says("column %(column)s becomes %(other)s", column=old_form, other=new_form)
    return NOTHING


def _described(column: Column) -> str:
    return f"{column.name} {column.type}" + (f" COLLATE {column.collation}" if column.collation else "")
