"""Which views have to be staged, so that the old and the new rows are those of two whole sets of views. Pure.

A view that reads a changed view has other rows too. So each side has its own version of everything between
what changes and what is compared. What does not change is read in its place by both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import Scope
from orm_views_core.plan.steps import Action as StepAction
from orm_views_core.plan.steps import Plan

from .values import Action

_ACTIONS = {
    StepAction.CREATE: Action.NEW,
    StepAction.REPLACE: Action.CHANGED,
    StepAction.REBUILD: Action.CHANGED,
    StepAction.DROP: Action.DROPPED,
}


def find_targets(plan: Plan, wanted: Collection[ViewName] | None) -> dict[ViewName, Action]:
    """Return the views to compare, each with what a plan does to its rows.

    Args:
        plan: the plan.
        wanted: the views; None for those whose rows it may change: those that it creates, replaces, rebuilds
            and drops, and those of ours that mean something else afterwards.
    """
    found = {
        step.name: _ACTIONS[step.action]
        for step in plan.steps
        if step.action in _ACTIONS and (step.definition is not None or step.action is StepAction.DROP)
    }
    found |= {each.view: Action.CHANGED for each in plan.meanings if each.is_ours and each.view not in found}
    if wanted is None:
        return found
    return {name: found.get(name, Action.SAME) for name in wanted}


def new_names(scope: Scope, targets: Collection[ViewName]) -> list[ViewName]:
    """Return the views that are staged for the new rows, each after those that it reads.

    Args:
        scope: the differences of all registered views.
        targets: the views to compare that a class declares.
    """
    changed = {name for name, each in scope.differences.items() if each.needs_dry_run or each.missing}
    found = _between(scope.dependencies, changed, targets)
    return [name for name in scope.order if name in found]


def old_names(catalog: Catalog, scope: Scope, targets: Collection[ViewName]) -> list[ViewName]:
    """Return the installed views that are staged for the old rows, each after those that it reads.

    Args:
        catalog: what the database contains.
        scope: the differences of all registered views.
        targets: the views to compare that are in the database.
    """
    views = {name: view for name, view in catalog.relations.items() if view.kind}
    reads = {name: view.reads & views.keys() for name, view in views.items()}
    changed = {name for name, each in scope.differences.items() if each.needs_dry_run} & views.keys()
    found = _between(reads, changed, targets)
    return creation_order({name: reads[name] & found for name in reads if name in found})


def as_plain(definition: ViewDefinition) -> ViewDefinition:
    """Return a definition of a plain view with the same rows."""
    return replace(
        definition,
        kind=ViewKind.VIEW,
        options=definition.options if definition.kind is ViewKind.VIEW else (),
        indexes=(),
        column_comments={},
        comment="",
    )


def _between(
    reads: Mapping[ViewName, Collection[ViewName]],
    changed: Collection[ViewName],
    targets: Collection[ViewName],
) -> set[ViewName]:
    """Return the targets, and what stands between them and what is changed."""
    above = closure(reverse(reads), changed)
    return {*targets} | (closure(reads, targets) & above)
