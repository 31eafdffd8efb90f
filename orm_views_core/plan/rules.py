"""Deciding what has to happen to each view, without yet saying how. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName

from .diff import NO_DIFFERENCES, Differences, Scope
from .statements import index_changes, option_changes
from .steps import Action


@dataclass
class Decisions:
    """What has been decided so far, by view.

    Attributes:
        deferred: for those that cannot be built beside the old version, why: they are built in the swap.
        problems: what keeps the plan from being carried out.
    """

    action: dict[ViewName, Action] = field(default_factory=dict)
    reason: dict[ViewName, str] = field(default_factory=dict)
    indirect: set[ViewName] = field(default_factory=set)
    deferred: dict[ViewName, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def decide(self, name: ViewName, action: Action, reason: str, *, indirect: bool = False) -> None:
        self.action[name], self.reason[name] = action, reason
        if indirect:
            self.indirect.add(name)

    def decide_too(self, name: ViewName, action: Action, why: str) -> None:
        """Decide because of another view, remembering that it has changed itself, if it has."""
        if self.action.get(name) not in {None, Action.ADOPT} and name not in self.indirect:
            self.decide(name, action, f"{self.reason[name]}, and {why}")
        else:
            self.decide(name, action, why, indirect=True)

    def having(self, *actions: Action) -> set[ViewName]:
        return {name for name, action in self.action.items() if action in actions}


def decide_alone(
    decisions: Decisions,
    definition: ViewDefinition,
    catalog: Catalog,
    scope: Scope,
    dry_run: DryRun,
    force: bool,
) -> None:
    """Decide about a view as if it were the only one."""
    name = definition.name
    difference = scope.differences.get(name, NO_DIFFERENCES)
    if difference.missing:
        decisions.decide(name, Action.CREATE, "it is not in the database")
    elif difference.obstructed_by:
        decisions.problems.append(
            f"{definition.where}: {name} is a {difference.obstructed_by}, which is not ours to replace. "
            "Rename that, or give the view another name."
        )
    elif difference.other_kind:
        decisions.decide(name, Action.REBUILD, f"it becomes a {definition.kind.label}")
    elif name in dry_run.views:
        _decide_from_rehearsal(decisions, definition, catalog.relations[name], difference, dry_run, force)


def _decide_from_rehearsal(
    decisions: Decisions,
    definition: ViewDefinition,
    installed: InstalledView,
    difference: Differences,
    dry_run: DryRun,
    force: bool,
) -> None:
    name, expected = definition.name, dry_run.views[definition.name]
    same = expected.definition == installed.definition
    why = why_changed(difference)
    if same and not force:
        if difference.needs_dry_run and not _needs_repair(definition, installed, expected):
            decisions.decide(name, Action.ADOPT, f"{why}; PostgreSQL's definition is the same")
        return
    indirect = not same and not difference.needs_dry_run
    if same:
        why = "forced"
    elif indirect:
        why = "what it reads has changed"
    elif difference.unrecorded:
        why = f"{UNRECORDED}, and its definition is another one"
    if definition.kind is ViewKind.MATERIALISED_VIEW:
        decisions.decide(name, Action.REBUILD, why, indirect=indirect)
        return
    obstacle = _why_not_replace(dry_run.installed_columns.get(name, ()), expected)
    if obstacle:
        decisions.decide(name, Action.REBUILD, f"{why}: {obstacle}", indirect=indirect)
    else:
        decisions.decide(name, Action.REPLACE, why, indirect=indirect)


UNRECORDED = "it is in the database, but no sync has recorded it"


def why_changed(difference: Differences) -> str:
    if difference.unrecorded:
        return UNRECORDED
    if difference.code and difference.drifted:
        return "its class has changed, and so has the database"
    if difference.sources and not difference.drifted and not difference.code:
        return "its SQL has a star, and what it reads has other columns now"
    return "its class has changed" if difference.code else "it was changed in the database"


def _needs_repair(definition: ViewDefinition, installed: InstalledView, expected: ExpectedView) -> bool:
    return bool(
        option_changes(definition, installed, expected) or index_changes(definition, installed, expected)
    )


def _why_not_replace(old: Sequence[Column], expected: ExpectedView) -> str:
    """Say why CREATE OR REPLACE VIEW would be refused: it can only add columns at the end."""
    new = expected.columns
    kept = {column.name for column in new}
    for column in old:
        if column.name not in kept:
            return f"column {column.name} goes"
    for before, after in zip(old, new, strict=False):
        if before != after:
            if before.name != after.name:
                return f"column {after.name} comes before {before.name}"
            return f"column {_column(before)} becomes {_column(after)}"
    return ""


def _column(column: Column) -> str:
    return f"{column.name} {column.type}" + (f" COLLATE {column.collation}" if column.collation else "")


def why_not_replace(name: ViewName, dry_run: DryRun) -> str:
    """Say why CREATE OR REPLACE VIEW would be refused for a view that was tried; "" when it would not."""
    return _why_not_replace(dry_run.installed_columns.get(name, ()), dry_run.views[name])
