"""make_plan: definitions, catalog and dry run in, steps out. Pure.

The same plan is printed, confirmed and run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orm_views_core.names import ViewName

from .preconditions import find_obstacles
from .propagation import drop_orphans, follow_up, lock_order, stop_at_other_dependents
from .rules import Decisions, decide_alone
from .step_writer import Facts, StepWriter
from .steps import Action, Plan, Step


def make_plan(
    facts: Facts,
    *,
    command_roles: Sequence[str] = (),
    orphans: Collection[ViewName] = (),
    dropped: Collection[ViewName] = (),
    force: bool = False,
    drop_dependents: bool = False,
) -> Plan:
    """Turn what is wanted, what there is and what was tried into steps.

    Args:
        facts: those.
        command_roles: further roles to grant SELECT to.
        orphans: views that a sync made and nobody registers any more.
        dropped: those of them that are to go; the others go only if they are in the way.
        force: replace or rebuild what is looked at although nothing differs.
        drop_dependents: drop the views of others that are in the way.
    """
    definitions, catalog, scope, dry_run = facts.definitions, facts.catalog, facts.scope, facts.dry_run
    views = {**definitions, **facts.external}
    decisions = Decisions()
    for name in scope.order:
        if name in definitions:
            forced = force and name in scope.differences
            decide_alone(decisions, definitions[name], catalog, scope, dry_run, forced)
    drop_orphans(decisions, definitions, catalog, dry_run, dropped)
    follow_up(
        decisions,
        views,
        catalog,
        scope,
        dry_run,
        external=facts.external,
        orphans=orphans,
        drop_dependents=drop_dependents,
    )
    stop_at_other_dependents(decisions, facts.dependents)
    writer = StepWriter(facts, decisions, tuple(command_roles))
    steps = [*writer.schema_steps(), *writer.drop_steps()]
    for name in scope.order:
        steps += writer.view_steps(name)
    touched = {step.name for step in steps} & set(definitions)
    swapped = {step.name for step in steps if step.locks_readers}
    return Plan(
        database=facts.database,
        steps=tuple(steps),
        lock_order=lock_order(swapped, catalog),
        staging=writer.staging,
        search_path=catalog.search_path,
        extras={
            catalog.relations[name].oid: facts.extras.get(name, ())
            for name in decisions.having(Action.REBUILD)
        },
        problems=(*decisions.problems, *find_obstacles(steps, catalog, facts.taken)),
        unchanged=len(definitions) - len(touched),
    )


__all__ = ["Action", "Facts", "Plan", "Step", "make_plan"]
