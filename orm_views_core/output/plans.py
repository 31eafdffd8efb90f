"""Plans and statuses as text and as JSON, for the commands. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from orm_views_core.plan.steps import Action, Phase, Plan, Step

_WORDS = {
    Action.SCHEMA: "schema to prepare",
    Action.CREATE: "to create",
    Action.REPLACE: "to replace",
    Action.REBUILD: "to rebuild",
    Action.DROP: "to drop",
    Action.ADOPT: "to adopt",
    Action.OPTIONS: "to set options of",
    Action.INDEX: "to re-index",
    Action.GRANT: "to grant",
    Action.REVOKE: "to revoke from",
    Action.COMMENT: "to comment",
}


def summary(plan: Plan) -> str:
    """Return “2 to create, 1 to replace, 38 unchanged”."""
    parts = [f"{count} {_WORDS[action]}" for action, count in plan.counts.items()]
    if plan.problems:
        parts.insert(0, "blocked")
    return ", ".join([*parts, f"{plan.unchanged} unchanged"])


def plan_lines(plan: Plan, *, with_sql: bool = False) -> Iterator[str]:
    """Yield a plan as people read it: what is done to which view, and why."""
    yield f"Plan for database '{plan.database}': {summary(plan)}."
    width = max((len(step.action.verb) for step in plan.steps), default=0)
    for step in plan.steps:
        where = f" ({step.definition.where})" if step.definition else ""
        yield f"  {step.action.sign} {step.action.verb:<{width}}  {step.target}: {step.reason}{where}"
        yield from (f"      {line}" for line in _how(step))
        if with_sql:
            yield from (f"      {line}" for line in [*definition_diff(step), *_sql_lines(step)])
    yield from (f"  {line}" for line in _swap_lines(plan))
    for problem in plan.problems:
        yield f"  ! {problem}"
    if plan.is_empty:
        yield "  Nothing to do."


def _how(step: Step) -> Iterator[str]:
    """Say where a view is built, whom that keeps waiting, and what becomes of what was added by hand."""
    usual = "" if step.usual_seconds is None else f"; the last build took {step.usual_seconds:g} s"
    if step.built_at is not None:
        yield f"built aside, in {step.built_at.schema}; keeps waiting: nobody{usual}"
        yield f"swapped in; keeps waiting: {step.blocks}"
    elif step.deferred:
        yield f"built in the swap; keeps waiting: {step.blocks}{usual}"
    elif step.action in {Action.REPLACE, Action.DROP, Action.INDEX, Action.OPTIONS}:
        yield f"keeps waiting: {step.blocks}"
    if step.kept:
        yield f"keeps: {', '.join(step.kept)}"
    for lost in step.lost:
        yield f"LOSES {lost}"


def _sql_lines(step: Step) -> Iterator[str]:
    """Yield the statements of a step, those of the swap behind a line that says so."""
    is_swap = False
    for phase, sql in step.statements:
        if phase is not Phase.BUILD and not is_swap:
            yield "-- in the swap:"
            is_swap = True
        yield from f"{sql};".splitlines()


def _swap_lines(plan: Plan) -> Iterator[str]:
    """Sum up in which stages the plan is carried out, where readers have a part in it."""
    if not plan.swapped:
        return
    aside = [step for step in plan.steps if step.built_at is not None]
    yield "How it is carried out:"
    if aside:
        known = [step.usual_seconds for step in aside if step.usual_seconds is not None]
        took = f" (the last builds took {sum(known):g} s)" if known else ""
        yield f"  1. build aside {_names(aside)}{took}; nobody waits"
    deferred = [step for step in plan.steps if step.deferred and step.fills]
    while_ = f", while {_names(deferred)} is built: readers wait for that too" if deferred else ""
    yield f"  {2 if aside else 1}. swap {_names(plan.swapped)} in one moment{while_}"


def _names(steps: Iterable[Step]) -> str:
    return ", ".join(dict.fromkeys(step.target for step in steps))


def definition_diff(step: Step) -> list[str]:
    """Return the unified difference between the installed definition and the one to come, line by line.

    Both as PostgreSQL writes them, so that only what differs for it shows.
    """
    if step.installed is None or step.expected is None or step.installed.definition is None:
        return []
    before, after = step.installed.definition.splitlines(), step.expected.definition.splitlines()
    return list(difflib.unified_diff(before, after, "in the database", "as registered", lineterm=""))


def plan_as_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it."""
    return {
        "database": plan.database,
        "fingerprint": plan.fingerprint,
        "unchanged": plan.unchanged,
        "problems": list(plan.problems),
        "steps": [
            {
                "action": step.action.verb,
                "view": step.target,
                "class": step.definition.label if step.definition else None,
                "source": str(step.definition.source) if step.definition and step.definition.source else None,
                "reason": step.reason,
                "indirect": step.indirect,
                "blocks": step.blocks,
                "usual_seconds": step.usual_seconds,
                "late": step.deferred or None,
                "kept": list(step.kept),
                "lost": list(step.lost),
                "sql": [{"phase": phase.value, "statement": sql} for phase, sql in step.statements],
            }
            for step in plan.steps
        ],
    }
