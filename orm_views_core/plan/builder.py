"""The plan of a sync, made from definitions, catalog and dry run. Pure.

The same plan is printed, confirmed and carried out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orm_views_core.names import ViewName

from .facts import Facts
from .preconditions import find_obstacles, find_problems
from .propagation import drop_orphans, propagate
from .rules import decide, having
from .step_writer import Draft, drop_steps, lock_order, schema_steps, view_steps
from .steps import Action, Plan


def make_plan(
    facts: Facts,
    *,
    command_roles: Sequence[str] = (),
    orphans: Collection[ViewName] = (),
    dropped: Collection[ViewName] = (),
    force: bool = False,
    drop_dependents: bool = False,
) -> Plan:
    """Return the plan of a sync.

    Args:
        facts: what the plan is made from.
        command_roles: further roles to grant SELECT to, named on the command line.
        orphans: the views that a sync made and that no class declares any more.
        dropped: the orphans to drop. The others are dropped only if they read a view that is rebuilt.
        force: replace or rebuild the views in the scope although nothing differs.
        drop_dependents: drop the external dependents that no longer fit.
    """
    catalog, scope = facts.catalog, facts.scope
    own = {
        name: decide(name, facts, force=force and name in scope.differences)
        for name in scope.order
        if name in facts.definitions
    }
    changed = {name: decision for name, decision in own.items() if decision}
    decisions = propagate(
        {**changed, **drop_orphans(dropped)}, facts, orphans=orphans, drop_dependents=drop_dependents
    )
    draft = Draft(facts, decisions, tuple(command_roles))
    steps = [*schema_steps(draft), *drop_steps(draft)]
    steps += [step for name in scope.order for step in view_steps(draft, name)]
    problems = [*find_problems(decisions, facts, dropped), *find_obstacles(steps, catalog, facts.taken)]
    rebuilt = having(decisions, Action.REBUILD)
    return Plan(
        database=facts.database,
        steps=tuple(steps),
        lock_order=lock_order({step.name for step in steps if step.locks_readers}, catalog),
        staging={name.schema: stage for name, stage in draft.moves.items()},
        search_path=catalog.search_path,
        extras={catalog.relations[name].oid: facts.extras.get(name, ()) for name in rebuilt},
        problems=tuple(problems),
        unchanged=len(facts.definitions.keys() - {step.name for step in steps}),
    )
