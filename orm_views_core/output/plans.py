"""Plans of syncs as text and as JSON, for the commands. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action, Phase, Plan, Step

from .meanings import meaning_lines, meanings_as_list
from .statuses import skipped_as_list

#: What a summary says of an action instead of “to” and its verb.
_WORDS = {
    Action.SCHEMA: "schema to prepare",
    Action.OPTIONS: "to set options of",
    Action.INDEX: "to re-index",
    Action.REVOKE: "to revoke from",
}


def summary(plan: Plan) -> str:
    """Return “2 to create, 1 to replace, 38 unchanged”."""
    parts = [f"{count} {_WORDS.get(action, f'to {action.verb}')}" for action, count in plan.counts.items()]
    if plan.problems:
        parts.insert(0, "blocked")
    skipped = [f"{len(plan.skipped)} skipped"] if plan.skipped else []
    return ", ".join([*parts, f"{plan.unchanged} unchanged", *skipped])


def plan_lines(plan: Plan, *, with_sql: bool = False) -> Iterator[str]:
    """Yield the lines of a plan: what is done to which view, and why.

    Args:
        with_sql: also the difference between the definitions, the statements of each step, the notes, and why
            views are skipped.
    """
    yield f"Plan for database '{plan.database}': {summary(plan)}."
    width = max((len(step.action.verb) for step in plan.steps), default=0)
    for step in plan.steps:
        where = f" ({step.definition.where})" if step.definition else ""
        yield f"  {step.action.sign} {step.action.verb:<{width}}  {step.target}: {step.reason}{where}"
        yield from (f"      {line}" for line in _consequences(step))
        if with_sql:
            yield from (f"      {line}" for line in [*definition_diff(step), *_sql_lines(step)])
    yield from (f"  {line}" for line in _stage_lines(plan))
    yield from (f"  {line}" for line in meaning_lines(plan.meanings, every=with_sql))
    for problem in plan.problems:
        yield f"  ! {problem}"
    for warning in plan.warnings:
        yield f"  Warning: {warning}"
    for note in plan.notes if with_sql else ():
        yield f"  Note: {note}"
    for view in plan.skipped if with_sql else ():
        yield f"  Skipped: {view.name or '?'} ({view.label}). {view.reason}"
    if plan.is_empty:
        yield "  Nothing to do."


def _consequences(step: Step) -> Iterator[str]:
    """Yield where a view is built, who waits for it, and which extras are kept and lost."""
    usual = "" if step.usual_seconds is None else f"; the last build took {step.usual_seconds:g} s"
    if step.built_at is not None:
        yield f"built aside, in {step.built_at.schema}; keeps waiting: nobody{usual}"
        yield f"swapped in; keeps waiting: {step.blocks}"
    elif step.deferred:
        yield f"built in the swap; keeps waiting: {step.blocks}{usual}"
    elif step.action in {Action.REPLACE, Action.DROP, Action.INDEX, Action.OPTIONS}:
        yield f"keeps waiting: {step.blocks}"
    if step.no_rows:
        yield f"gets no rows: {step.no_rows}; then: {refresh_advice(step.name)}"
    if step.kept:
        yield f"keeps: {', '.join(step.kept)}"
    for lost in step.lost:
        yield f"LOSES {lost}"


def refresh_advice(name: ViewName) -> str:
    """Return the command that fills a materialised view and those that it reads."""
    return f"refresh_views {name} --upstream"


def _sql_lines(step: Step) -> Iterator[str]:
    """Yield the statements of a step. A line of its own introduces those of the swap."""
    statements = [f"{sql};" for sql in step.sql_in(Phase.BUILD)]
    if step.swap_statements:
        statements += ["-- in the swap:", *(f"{sql};" for sql in step.swap_statements)]
    for statement in statements:
        yield from statement.splitlines()


class Stages(NamedTuple):
    """The stages in which a plan with a swap is carried out.

    Attributes:
        aside: the views that are built in a staging schema before the swap. Readers do not wait.
        swapped: the views that readers are locked out of during the swap, in the order of their locks.
        deferred: the materialised views that are built during the swap. Readers wait for that as well.
        created: the new views that are created during the swap, because they read what it replaces.
    """

    aside: Sequence[Step]
    swapped: Sequence[Step]
    deferred: Sequence[Step]
    created: Sequence[Step]


def stages_of(plan: Plan) -> Stages | None:
    """Return the stages of a plan; None when it locks no readers out."""
    if not plan.swapped:
        return None
    aside = [step for step in plan.steps if step.built_at is not None]
    deferred = [step for step in plan.steps if step.deferred and step.fills]
    return Stages(aside, plan.swapped, deferred, plan.created_in_swap)


def targets(steps: Iterable[Step]) -> str:
    """Return the names of the views of some steps, each once."""
    return ", ".join(dict.fromkeys(step.target for step in steps))


def _stage_lines(plan: Plan) -> Iterator[str]:
    if (stages := stages_of(plan)) is None:
        return
    yield "How it is carried out:"
    if stages.aside:
        known = [step.usual_seconds for step in stages.aside if step.usual_seconds is not None]
        took = f" (the last builds took {sum(known):g} s)" if known else ""
        yield f"  1. build aside {targets(stages.aside)}{took}; nobody waits"
    deferred = f"; readers also wait while {targets(stages.deferred)} is built" if stages.deferred else ""
    created = f"; create {targets(stages.created)}" if stages.created else ""
    yield f"  {2 if stages.aside else 1}. swap {targets(stages.swapped)}{created}{deferred}"


def definition_diff(step: Step) -> list[str]:
    """Return the lines of a unified diff between the installed definition and the new one.

    PostgreSQL writes both, so that only differences that matter to PostgreSQL show.
    """
    if step.installed is None or step.expected is None or step.installed.definition is None:
        return []
    before, after = step.installed.definition.splitlines(), step.expected.definition.splitlines()
    return list(difflib.unified_diff(before, after, "in the database", "as registered", lineterm=""))


def plan_as_dict(plan: Plan) -> dict[str, Any]:
    """Return a plan as a JSON object."""
    return {
        "database": plan.database,
        "fingerprint": plan.fingerprint,
        "unchanged": plan.unchanged,
        "problems": list(plan.problems),
        "warnings": list(plan.warnings),
        "notes": list(plan.notes),
        "meanings": meanings_as_list(plan.meanings),
        "skipped": skipped_as_list(plan.skipped),
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
                "no_rows": step.no_rows or None,
                "sql": [{"phase": sent.phase.value, "statement": sent.sql} for sent in step.statements],
            }
            for step in plan.steps
        ],
    }
