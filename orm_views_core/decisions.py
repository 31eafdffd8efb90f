"""Deciding what has to happen to each view, without yet saying how. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .catalog import Catalog, Column, InstalledView
from .changes import Differences, Scope
from .definition import ViewDefinition
from .graph import closure, creation_order, reverse
from .names import ViewKind, ViewName
from .rehearsal import Rehearsal, RehearsedView
from .statements import index_changes, option_changes
from .steps import Action


@dataclass
class Decisions:
    """What has been decided so far, by view."""

    action: dict[ViewName, Action] = field(default_factory=dict)
    reason: dict[ViewName, str] = field(default_factory=dict)
    indirect: set[ViewName] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def decide(self, name: ViewName, action: Action, reason: str, *, indirect: bool = False) -> None:
        self.action[name], self.reason[name] = action, reason
        if indirect:
            self.indirect.add(name)

    def rebuild_with(self, reader: ViewName, name: ViewName) -> None:
        """Rebuild what reads a view that is rebuilt, remembering that it has changed itself, if it has."""
        why = f"it reads {name}, which is rebuilt"
        if self.action.get(reader) is Action.REPLACE and reader not in self.indirect:
            self.decide(reader, Action.REBUILD, f"{self.reason[reader]}, and {why}")
        else:
            self.decide(reader, Action.REBUILD, why, indirect=True)

    def having(self, *actions: Action) -> set[ViewName]:
        return {name for name, action in self.action.items() if action in actions}


def decide_alone(
    decisions: Decisions,
    definition: ViewDefinition,
    catalog: Catalog,
    scope: Scope,
    rehearsal: Rehearsal,
    force: bool,
) -> None:
    """Decide about a view as if it were the only one."""
    name = definition.name
    difference = scope.differences.get(name, Differences())
    if difference.missing:
        decisions.decide(name, Action.CREATE, "it is not in the database")
    elif difference.obstructed_by:
        decisions.problems.append(
            f"{definition.where}: {name} is a {difference.obstructed_by}, which is not ours to replace. "
            "Rename that, or give the view another name."
        )
    elif difference.other_kind:
        decisions.decide(name, Action.REBUILD, f"it becomes a {definition.kind.label}")
    elif name in rehearsal.views:
        _decide_from_rehearsal(decisions, definition, catalog.relations[name], difference, rehearsal, force)


def _decide_from_rehearsal(
    decisions: Decisions,
    definition: ViewDefinition,
    installed: InstalledView,
    difference: Differences,
    rehearsal: Rehearsal,
    force: bool,
) -> None:
    name, rehearsed = definition.name, rehearsal.views[definition.name]
    same = rehearsed.definition == installed.definition
    why = why_changed(difference)
    if same and not force:
        if difference.needs_rehearsal and not _needs_repair(definition, installed, rehearsed):
            decisions.decide(name, Action.ADOPT, f"{why}; PostgreSQL's definition is the same")
        return
    indirect = not same and not difference.needs_rehearsal
    if same:
        why = "forced"
    elif indirect:
        why = "what it reads has changed"
    elif difference.untagged:
        why = f"{UNRECORDED}, and its definition is another one"
    if definition.kind is ViewKind.MATERIALISED_VIEW:
        decisions.decide(name, Action.REBUILD, why, indirect=indirect)
        return
    obstacle = _why_not_replace(rehearsal.installed_columns.get(name, ()), rehearsed)
    if obstacle:
        decisions.decide(name, Action.REBUILD, f"{why}: {obstacle}", indirect=indirect)
    else:
        decisions.decide(name, Action.REPLACE, why, indirect=indirect)


UNRECORDED = "it is in the database, but no sync has recorded it"


def why_changed(difference: Differences) -> str:
    if difference.untagged:
        return UNRECORDED
    if difference.code and difference.drifted:
        return "its class has changed, and so has the database"
    if difference.sources and not difference.drifted and not difference.code:
        return "its SQL has a star, and what it reads has other columns now"
    return "its class has changed" if difference.code else "it was changed in the database"


def _needs_repair(definition: ViewDefinition, installed: InstalledView, rehearsed: RehearsedView) -> bool:
    return bool(
        option_changes(definition, installed, rehearsed)
        or any(index_changes(definition, installed, rehearsed))
    )


def _why_not_replace(old: Sequence[Column], rehearsed: RehearsedView) -> str:
    """Say why CREATE OR REPLACE VIEW would be refused: it can only add columns at the end."""
    new = rehearsed.columns
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


def rebuild_stale(
    decisions: Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
) -> None:
    """Rebuild every materialised view downstream of a change: its rows come from the old definition."""
    changed = decisions.having(Action.REPLACE, Action.REBUILD)
    affected = closure(reverse(scope.dependencies), changed)
    for name in scope.order:
        definition, installed = definitions[name], catalog.relations.get(name)
        if name not in affected or installed is None or installed.kind is not definition.kind:
            continue
        if definition.kind is ViewKind.MATERIALISED_VIEW and decisions.action.get(name) is not Action.REBUILD:
            source = _first(scope.order, closure(scope.dependencies, {name}) & changed - {name})
            decisions.decide(
                name, Action.REBUILD, f"its rows come from {source}, which changes", indirect=True
            )


def _first(order: Sequence[ViewName], names: Collection[ViewName]) -> ViewName:
    return next(name for name in reversed(order) if name in names)


def drop_readers_first(
    decisions: Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    orphans: Collection[ViewName],
) -> None:
    """Whatever reads a view that is dropped has to be dropped before it; ours come back, others' stop us."""
    pending = sorted(decisions.having(Action.REBUILD))
    seen = set(pending)
    while pending:
        name = pending.pop()
        for reader in sorted(catalog.relations[name].read_by - seen):
            if reader in definitions:
                decisions.rebuild_with(reader, name)
            elif reader in orphans:
                decisions.decide(reader, Action.DROP, _ORPHANED)
            else:
                decisions.problems.append(
                    f"{name} has to be dropped and created again ({decisions.reason[name]}), and {reader}, "
                    f"which is not ours, reads it. Change or drop {reader} first, or keep {name}'s columns."
                )
                continue
            seen.add(reader)
            pending.append(reader)


_ORPHANED = "no class declares it any more"


def drop_orphans(
    decisions: Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    rehearsal: Rehearsal,
    orphans: Collection[ViewName],
) -> None:
    """Drop what no class declares any more, unless something still reads it."""
    for name in sorted(orphans):
        for reader in sorted(catalog.relations[name].read_by - set(orphans)):
            tried = rehearsal.views.get(reader)
            if reader in definitions and tried is not None and name not in tried.reads:
                continue
            whose = definitions[reader].where if reader in definitions else f"{reader}, which is not ours,"
            decisions.problems.append(
                f"{name} has to go, because {_ORPHANED}, and {whose} still reads it. "
                f"Declare {name} again, or change what reads it."
            )
        if name not in decisions.action:
            decisions.action[name] = Action.DROP
            decisions.reason[name] = _ORPHANED


def drop_order(decisions: Decisions, catalog: Catalog) -> tuple[ViewName, ...]:
    """Order what is dropped first, readers before what they read.

    Readers lock a view before what it reads; dropping in the other order would deadlock with them.
    """
    rebuilt = decisions.having(Action.REBUILD)
    read_by = {name: catalog.relations[name].read_by for name in rebuilt | decisions.having(Action.DROP)}
    first = {name for name in closure(read_by, rebuilt) if name in read_by}
    return tuple(creation_order({name: read_by[name] & first for name in sorted(first)}))
