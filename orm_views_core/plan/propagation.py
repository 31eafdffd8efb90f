"""What follows from a change of one view for the views that read it. Pure.

A view that is built beside the old version is another relation with another oid. Everything that reads the
old version has to read the new one before the old one can be dropped. A plain view is pointed at the new
version with CREATE OR REPLACE, where it stands. A materialised view has no OR REPLACE, so it is rebuilt too.
A plain view between two materialised views is rebuilt as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, says

from .facts import Facts
from .rules import Decision, Decisions, action_of, having, why_not_replace, with_obstacle
from .steps import Action

#: Other views cannot change these decisions any more.
_FINAL = {Action.REBUILD, Action.DROP}
#: Why an orphan is dropped.
ORPHANED = says("no class declares it any more")


def propagate(decisions: Decisions, facts: Facts) -> dict[ViewName, Decision]:
    """Add the decisions to drop orphans, and those that follow for the views that read a changed one.

    Args:
        decisions: what happens to the views that differ from their classes.
        facts: what the plan is made from.
    """
    decisions = {**decisions, **_drop_orphans(facts.dropped)}
    decided = {**decisions, **_rebuilt_for_their_rows(decisions, facts)}
    before: dict[ViewName, Decision] | None = None
    while before != decided:  # a round only adds or strengthens decisions, so this ends
        before = dict(decided)
        created = having(decided, Action.CREATE, Action.REBUILD)
        built = {name for name in created if facts.views[name].kind is ViewKind.MATERIALISED_VIEW}
        sources = closure(facts.scope.dependencies, built)
        for name in facts.scope.order:
            if decision := _following(name, decided, facts, built=built, is_source=name in sources):
                decided[name] = decision
    decided = _with_deferred(decided, facts)
    decided |= _orphans_that_read_rebuilt_views(decided, facts)
    return _without_misfits(decided, facts) if facts.drop_dependents else decided


def _because_of_others(decision: Decision | None, action: Action, why: Sentence) -> Decision:
    """Return the decision for a view that another view affects; its own reason to change comes first."""
    if decision is None or decision.action is Action.ADOPT or decision.indirect:
        return Decision(action, why, indirect=True)
    reason = says("%(reason)s, and %(other)s", reason=decision.reason, other=why)
    return replace(decision, action=action, reason=reason)


def _rebuilt_for_their_rows(decisions: Decisions, facts: Facts) -> dict[ViewName, Decision]:
    """Rebuild every materialised view downstream of a change: its rows come from the old definition."""
    scope, changed = facts.scope, having(decisions, Action.REPLACE, Action.REBUILD)
    affected = closure(reverse(scope.dependencies), changed) & set(scope.try_views)
    rebuilt = {}
    for name in scope.order:
        installed = facts.catalog.relations.get(name)
        if name not in affected or name not in facts.definitions or installed is None:
            continue
        is_materialised = installed.kind is facts.definitions[name].kind is ViewKind.MATERIALISED_VIEW
        if is_materialised and action_of(decisions, name) is not Action.REBUILD:
            source = _last(scope.order, closure(scope.dependencies, {name}) & changed - {name})
            why = says("its rows come from %(source)s, which changes", source=source)
            rebuilt[name] = _because_of_others(decisions.get(name), Action.REBUILD, why)
    return rebuilt


def _last(order: Sequence[ViewName], names: Collection[ViewName]) -> ViewName:
    return next(name for name in reversed(order) if name in names)


def _following(
    name: ViewName, decisions: Decisions, facts: Facts, *, built: Collection[ViewName], is_source: bool
) -> Decision | None:
    """Return the decision that other views make necessary for a view; None when they make none necessary.

    Args:
        built: the materialised views that are built.
        is_source: whether one of these reads the view, directly or through other views.
    """
    installed, tried = facts.catalog.relations.get(name), facts.dry_run.views.get(name)
    decision, action = decisions.get(name), action_of(decisions, name)
    if installed is None or installed.kind is None or tried is None or action in _FINAL:
        return None
    if action is Action.REPLACE and is_source:
        reader = _last(facts.scope.order, closure(reverse(facts.scope.dependencies), {name}) & set(built))
        why = says("%(reader)s is built from its new version before the swap", reader=reader)
        return _because_of_others(decision, Action.REBUILD, why)
    rebuilt = {read for read in installed.reads | tried.reads if action_of(decisions, read) is Action.REBUILD}
    if not rebuilt:
        return None
    why = says("it reads %(source)s, which is rebuilt", source=_last(facts.scope.order, rebuilt))
    obstacle = why_not_replace(name, facts.dry_run) if installed.kind is ViewKind.VIEW else NOTHING
    if not obstacle and (row_types := tried.row_types & rebuilt):
        obstacle = says("a column holds rows of %(view)s", view=min(row_types))
    if obstacle:
        return _because_of_others(decision, Action.REBUILD, with_obstacle(why, obstacle))
    if installed.kind is ViewKind.MATERIALISED_VIEW or is_source or tried.stuck & rebuilt:
        return _because_of_others(decision, Action.REBUILD, why)
    return None if action is Action.REPLACE else _because_of_others(decision, Action.REPLACE, why)


def _with_deferred(decisions: Decisions, facts: Facts) -> dict[ViewName, Decision]:
    """Mark the views that cannot be built beside the old version, and all views that read them.

    A view cannot if its SQL names another view in a way that cannot be moved to the new version. Neither can
    a materialised view that reads another one without naming it, through a function: the function finds the
    old version under the name. Neither can a plain view that reads a replaced one, which gets its new columns
    in the swap.
    """
    decided = dict(decisions)
    columns = facts.dry_run.installed_columns
    widened = {
        name
        for name in having(decided, Action.REPLACE)
        if name in facts.dry_run.views and columns.get(name) != facts.dry_run.views[name].columns
    }
    pending = having(decided, Action.REBUILD, Action.REPLACE)
    reads: dict[ViewName, frozenset[ViewName]] = {n: tried.reads for n, tried in facts.dry_run.views.items()}
    for name in facts.scope.order:
        action, tried = action_of(decided, name), facts.dry_run.views.get(name)
        if tried is None or action is Action.DROP:
            continue
        stuck = {read for read in tried.stuck if action and action_of(decided, read) is Action.REBUILD}
        known: set[ViewName] = closure(reads, [name])
        hidden = pending.intersection(facts.views[name].declared_dependencies) - known
        is_filled = facts.views[name].kind is ViewKind.MATERIALISED_VIEW
        dependencies = facts.scope.dependencies[name]
        deferred = [read for read in dependencies if read in decided and decided[read].deferred]
        if stuck:
            why = says(
                "its SQL names %(view)s in a way that cannot be pointed at the new version", view=min(stuck)
            )
        elif hidden and is_filled and action in {Action.CREATE, Action.REBUILD}:
            why = says("it depends on %(view)s without naming it in its SQL", view=min(hidden))
        elif action is Action.REBUILD and (late := tried.reads & widened):
            why = says("it reads %(view)s, which gets its new columns in the swap", view=min(late))
        elif deferred:
            why = says("it reads %(view)s, which is built in the swap", view=min(deferred))
        else:
            continue
        decision = decided.get(name)
        if decision is None or action is not Action.CREATE:
            decision = _because_of_others(decision, Action.REBUILD, why)
        decided[name] = replace(decision, deferred=why)
    return decided


def _drop_orphans(orphans: Collection[ViewName]) -> dict[ViewName, Decision]:
    """Return the decisions to drop some orphans."""
    return {name: Decision(Action.DROP, ORPHANED) for name in sorted(orphans)}


def _orphans_that_read_rebuilt_views(decisions: Decisions, facts: Facts) -> dict[ViewName, Decision]:
    """Drop the orphans that read what is rebuilt, and the orphans that read these."""
    relations, names = facts.catalog.relations, set(facts.orphans)
    readers = {r for name in having(decisions, Action.REBUILD) for r in relations[name].read_by}
    read_by = {name: relations[name].read_by & names for name in names}
    return _drop_orphans(closure(read_by, readers & names))


def misfits(decisions: Decisions, facts: Facts, name: ViewName) -> frozenset[ViewName]:
    """Return the views because of which an external dependent no longer fits; empty when it fits.

    They are the dropped views that it reads or, if there are none and PostgreSQL refused it in the dry run,
    the rebuilt ones.
    """
    reads = facts.catalog.relations[name].reads
    dropped = reads & having(decisions, Action.DROP)
    if dropped or name in facts.dry_run.views:
        return dropped
    return reads & having(decisions, Action.REBUILD)


def external_order(facts: Facts) -> list[ViewName]:
    """Return the external dependents, each after those that it reads."""
    relations, names = facts.catalog.relations, set(facts.external)
    return creation_order({name: relations[name].reads & names for name in sorted(names)})


def _without_misfits(decisions: Decisions, facts: Facts) -> dict[ViewName, Decision]:
    """Drop the external dependents that no longer fit.

    One that is not a view stops the sync instead, and so does one of another session's temporary schema: its
    readers cannot be locked out.
    """
    decided = dict(decisions)
    for name in external_order(facts):
        view = facts.catalog.relations[name]
        if view.kind is None or view.is_temporary or action_of(decided, name) is Action.DROP:
            continue
        if sources := misfits(decided, facts, name):
            source = min(sources)
            if action_of(decided, source) is Action.DROP:
                reason = says(
                    "it reads %(view)s, which is dropped, and --drop-dependents is set", view=source
                )
            else:
                reason = says(
                    "it reads %(view)s, which it no longer fits, and --drop-dependents is set", view=source
                )
            decided[name] = Decision(Action.DROP, reason)
    return decided
