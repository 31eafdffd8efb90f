"""The plan of a sync, made from definitions, catalog and dry run. Pure.

The same plan is printed, confirmed and carried out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orm_views_core.database.ownership import owner_warnings
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, listed, says

from .facts import Facts
from .preconditions import find_obstacles, find_problems
from .propagation import propagate
from .rules import decide, having
from .step_writer import Draft, drop_steps, lock_order, schema_steps, view_steps
from .steps import Action, Plan
from .unfilled import find_emptied

_NAMED = 3


def warn_of_left_behind(names: Collection[ViewName]) -> Iterator[Sentence]:
    """Yield a warning about views in schemas in which no class places views any more, if there are any."""
    if names:
        some, more = listed(sorted(names)[:_NAMED]), len(names) - _NAMED
        if more > 0:
            some = says("%(names)s and %(n)s more", names=some, n=more)
        yield says(
            "%(views)s: made by a sync, in a schema in which no class places views any more. It is left, "
            "because it may be another tenant's. Drop it by hand if nobody needs it.",
            views=some,
        )


def make_plan(facts: Facts) -> Plan:
    """Return the plan of a sync."""
    catalog, scope = facts.catalog, facts.scope
    own = {name: decide(name, facts) for name in scope.order if name in facts.definitions}
    decisions = propagate({name: decision for name, decision in own.items() if decision}, facts)
    draft = Draft(facts, decisions)
    steps = [*schema_steps(draft), *drop_steps(draft)]
    steps += [step for name in scope.order for step in view_steps(draft, name)]
    problems = [*find_problems(decisions, facts), *find_emptied(decisions, facts, draft.unfilled)]
    problems += find_obstacles(steps, catalog, facts.taken)
    rebuilt = having(decisions, Action.REBUILD)
    return Plan(
        database=facts.database,
        steps=tuple(steps),
        lock_order=lock_order({step.name for step in steps if step.locks_readers}, catalog),
        staging={name.schema: stage for name, stage in draft.moves.items()},
        search_path=catalog.search_path,
        extras={catalog.relations[name].oid: facts.extras.get(name, ()) for name in rebuilt},
        problems=tuple(problems),
        warnings=(
            *owner_warnings(v for n, v in catalog.relations.items() if n in facts.definitions),
            *warn_of_left_behind(facts.left_behind),
        ),
        unchanged=len(facts.definitions.keys() & scope.looked_at - {step.name for step in steps}),
    )
