"""What follows for other views from what happens to one. Pure.

A view that is built anew beside the old one is another relation, with another oid. What reads the old one has
to read the new one before the old one can be dropped: a plain view by CREATE OR REPLACE, where it stands; a
materialised view, and what stands between two of them, by being built anew as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewKind, ViewName

from .diff import Scope
from .rules import Decisions, why_not_replace
from .steps import Action

_BUILT = {Action.CREATE, Action.REBUILD}
_ORPHANED = "no class declares it any more"


def follow_up(
    decisions: Decisions,
    views: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    dry_run: DryRun,
    *,
    external: Collection[ViewName] = (),
    orphans: Collection[ViewName] = (),
    drop_dependents: bool = False,
) -> None:
    """Decide about what reads the views that were decided about.

    Args:
        decisions: those about the views that differ themselves.
        views: the registered views and the external dependents.
        catalog: the database.
        scope: in which order they are created, and what each reads.
        dry_run: what PostgreSQL made of those that were tried.
        external: views that others made and that read ours.
        orphans: views that a sync made and nobody registers any more.
        drop_dependents: drop the external dependents that do not fit any more.
    """
    _rebuild_stale(decisions, views, catalog, scope, external)
    before: dict[ViewName, Action] | None = None
    while before != decisions.action:  # each round decides more, never less
        before = dict(decisions.action)
        built = {n for n in decisions.having(*_BUILT) if views[n].kind is ViewKind.MATERIALISED_VIEW}
        sources = closure(scope.dependencies, built)
        for name in scope.order:
            if name in catalog.relations and decisions.action.get(name) not in {Action.REBUILD, Action.DROP}:
                _follow_one(decisions, views, catalog, scope, dry_run, name, name in sources, built)
    _find_late(decisions, views, scope, dry_run)
    _drop_orphans_in_the_way(decisions, catalog, orphans)
    _judge_external_dependents(decisions, catalog, dry_run, external, drop_dependents)


def _drop_orphans_in_the_way(decisions: Decisions, catalog: Catalog, orphans: Collection[ViewName]) -> None:
    """Drop the orphans that read what is rebuilt, and those that read these."""
    read_by = {name: catalog.relations[name].read_by & set(orphans) for name in orphans}
    readers = {r for n in decisions.having(Action.REBUILD) for r in catalog.relations[n].read_by}
    for name in sorted(closure(read_by, readers & set(orphans))):
        decisions.decide(name, Action.DROP, _ORPHANED)


def _rebuild_stale(
    decisions: Decisions,
    views: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    external: Collection[ViewName],
) -> None:
    """Rebuild every materialised view downstream of a change: its rows come from the old definition."""
    changed = decisions.having(Action.REPLACE, Action.REBUILD)
    affected = closure(reverse(scope.dependencies), changed)
    for name in scope.order:
        installed = catalog.relations.get(name)
        if name not in affected or name in external or installed is None:
            continue
        is_materialised = installed.kind is views[name].kind is ViewKind.MATERIALISED_VIEW
        if is_materialised and decisions.action.get(name) is not Action.REBUILD:
            source = _last(scope.order, closure(scope.dependencies, {name}) & changed - {name})
            decisions.decide_too(name, Action.REBUILD, f"its rows come from {source}, which changes")


def _last(order: Sequence[ViewName], names: Collection[ViewName]) -> ViewName:
    return next(name for name in reversed(order) if name in names)


def _follow_one(
    decisions: Decisions,
    views: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    dry_run: DryRun,
    name: ViewName,
    is_source: bool,
    built: Collection[ViewName],
) -> None:
    """Decide about a view as far as others make it necessary.

    Args:
        is_source: whether a materialised view that is built reads it, perhaps through others.
        built: the materialised views that are built.
    """
    installed, tried = catalog.relations[name], dry_run.views.get(name)
    if installed.kind is None or tried is None:
        return
    rebuilt = (installed.reads | tried.reads) & decisions.having(Action.REBUILD)
    if decisions.action.get(name) is Action.REPLACE and is_source:
        reader = _last(scope.order, closure(reverse(scope.dependencies), {name}) & set(built))
        decisions.decide_too(name, Action.REBUILD, f"{reader} is built from the new one, beside the old")
    elif rebuilt:
        why = f"it reads {_last(scope.order, rebuilt)}, which is rebuilt"
        obstacle = why_not_replace(name, dry_run) if installed.kind is ViewKind.VIEW else ""
        if rows := tried.row_types & rebuilt:
            obstacle = obstacle or f"a column holds rows of {min(rows)}"
        if obstacle:
            decisions.decide_too(name, Action.REBUILD, f"{why}: {obstacle}")
        elif installed.kind is ViewKind.MATERIALISED_VIEW or is_source or tried.stuck & rebuilt:
            decisions.decide_too(name, Action.REBUILD, why)
        elif decisions.action.get(name) is not Action.REPLACE:
            decisions.decide_too(name, Action.REPLACE, why)


def _find_late(
    decisions: Decisions,
    views: Mapping[ViewName, ViewDefinition],
    scope: Scope,
    dry_run: DryRun,
) -> None:
    """Find the views that cannot be built beside the old version, and all that reads them.

    Either their text names a view in a way that could not be moved to the new version; or they read one
    without naming it, by way of a function, which finds the old version under the name.
    """
    pending = decisions.having(Action.REBUILD, Action.REPLACE)
    reads: dict[ViewName, Collection[ViewName]] = {n: tried.reads for n, tried in dry_run.views.items()}
    for name in scope.order:
        action, tried = decisions.action.get(name), dry_run.views.get(name)
        if tried is None or action is Action.DROP:
            continue
        known: set[ViewName] = closure(reads, [name])
        stuck = tried.stuck & decisions.having(Action.REBUILD) if action else frozenset()
        hidden = pending.intersection(views[name].declared_dependencies) - known if action in _BUILT else None
        deferred = set(scope.dependencies[name]) & decisions.deferred.keys()
        if stuck:
            why = f"its SQL names {min(stuck)} in a way that cannot be pointed at the new version"
        elif hidden and views[name].kind is ViewKind.MATERIALISED_VIEW:
            why = f"it depends on {min(hidden)} without naming it in its SQL"
        elif deferred:
            why = f"it reads {min(deferred)}, which is built in the swap"
        else:
            continue
        decisions.deferred[name] = why
        if action is not Action.CREATE:
            decisions.decide_too(name, Action.REBUILD, why)


def _judge_external_dependents(
    decisions: Decisions,
    catalog: Catalog,
    dry_run: DryRun,
    external: Collection[ViewName],
    drop_dependents: bool,
) -> None:
    """Drop the external dependents that no longer fit, if that is asked for; else they stop the sync."""
    for name in creation_order({n: catalog.relations[n].reads & set(external) for n in sorted(external)}):
        reads = catalog.relations[name].reads
        dropped, rebuilt = reads & decisions.having(Action.DROP), reads & decisions.having(Action.REBUILD)
        fits = name in dry_run.views and not dropped
        if fits or not dropped | rebuilt or decisions.action.get(name) is Action.DROP:
            continue
        source, relation = min(dropped or rebuilt), catalog.relations[name].relation
        if catalog.relations[name].kind is None:
            decisions.problems.append(
                f"{_has_to_go(source, decisions)}, and the {relation} {name} uses the type of its rows. "
                f"Change {name} first."
            )
        elif drop_dependents:
            goes = "which goes" if dropped else "fits it no more"
            decisions.decide(name, Action.DROP, f"it reads {source}, {goes}, and --drop-dependents was said")
        elif dropped:
            decisions.problems.append(
                f"{_has_to_go(source, decisions)}, and {name}, which is not ours, still reads it. Declare "
                f"{source} again, change or drop {name} first, or say --drop-dependents to drop it."
            )
        else:
            refused = dry_run.errors.get(name)
            because = f" {str(refused).splitlines()[0].partition(': ')[2]}" if refused else ""
            decisions.problems.append(
                f"{_has_to_go(source, decisions)}, and {name}, which is not ours, reads it and does not fit "
                f"any more.{because} Change or drop {name} first, or say --drop-dependents to drop it."
            )


def _has_to_go(name: ViewName, decisions: Decisions) -> str:
    what = "dropped" if decisions.action[name] is Action.DROP else "built anew"
    return f"{name} has to be {what} ({decisions.reason[name]})"


def stop_at_other_dependents(decisions: Decisions, dependents: Mapping[ViewName, Collection[str]]) -> None:
    """Let what depends on a view and is none itself stop the sync, if the view has to go.

    Args:
        dependents: such objects as PostgreSQL describes them, by view.
    """
    for name in sorted(decisions.having(Action.REBUILD, Action.DROP)):
        for dependent in sorted(dependents.get(name, ())):
            decisions.problems.append(
                f"{_has_to_go(name, decisions)}, and {dependent} depends on it. Drop that first, and create "
                "it again afterwards."
            )


def drop_orphans(
    decisions: Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    dry_run: DryRun,
    orphans: Collection[ViewName],
) -> None:
    """Drop what no class declares any more, unless a registered view still reads it.

    Args:
        definitions: the registered views, without external dependents.
        orphans: the views to drop.
    """
    for name in sorted(orphans):
        decisions.decide(name, Action.DROP, _ORPHANED)
        for reader in sorted(catalog.relations[name].read_by & definitions.keys()):
            tried = dry_run.views.get(reader)
            if tried is None or name in tried.reads:
                decisions.problems.append(
                    f"{name} has to go, because {_ORPHANED}, and {definitions[reader].where} still reads it. "
                    f"Declare {name} again, or change what reads it."
                )


def lock_order(names: Collection[ViewName], catalog: Catalog) -> tuple[ViewName, ...]:
    """Order views for locking and dropping: those that read others first, through whatever is in between.

    Readers lock a view before what it reads; the other order would deadlock with them.
    """
    reads = {name: view.reads for name, view in catalog.relations.items()}
    by_name = sorted(names, reverse=True)  # what does not matter goes by name
    order = creation_order({name: closure(reads, reads[name]) & set(names) for name in by_name})
    return tuple(reversed(order))
