"""What is said of a sync whose engine changes views one after the other, and which stopped at a step."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError

from orm_views_core.engines.base import PlainEngine
from orm_views_core.exceptions import LockNotAvailableError, OrmViewsError, SyncFailedError
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence, listed, says, says_n

from .executor import StepResult
from .refusals import FAILED

#: So many steps are named.
_NAMED = 10


def stopped(
    engine: PlainEngine, plan: Plan, done: Sequence[StepResult], error: DatabaseError | OrmViewsError
) -> OrmViewsError:
    """Return the error to raise when a step could not be carried out.

    Args:
        engine: the engine.
        plan: the plan.
        done: the steps before it.
        error: of the engine.
    """
    step = plan.steps[len(done)]
    left = what_is_left(plan, done, is_atomic=engine.spelling.abilities.atomic)
    if isinstance(error, LockNotAvailableError):
        return LockNotAvailableError(error.message.followed_by(left, "\n"))
    if isinstance(error, OrmViewsError):
        return error
    where = step.definition.where if step.definition else str(step.name)
    what = says("%(where)s: %(failed)s", where=where, failed=FAILED[step.action])
    said = Quoting(
        says("%(what)s: %(said)s.", what=what, said=engine.said(error)), says("%(what)s.", what=what)
    )
    return SyncFailedError(said.followed_by(left, "\n"))


def what_is_left(plan: Plan, done: Sequence[StepResult], *, is_atomic: bool) -> Sentence:
    """Return what of a plan is in the database after an error."""
    if is_atomic:
        return says("Nothing was changed.")
    step = plan.steps[len(done)]
    maybe = says(
        "%(view)s may have been changed before the error. The next sync looks at what is there, and does "
        "the rest.",
        view=step.target,
    )
    if not done:
        return listed([says("No step was done before it."), maybe], " ")
    names = [_named(result.step) for result in done[:_NAMED]]
    steps = listed(names if len(done) <= _NAMED else [*names, "…"])
    were = says_n(
        "%(done)s of %(count)s steps was done: %(steps)s.",
        "%(done)s of %(count)s steps were done: %(steps)s.",
        len(done),
        done=len(done),
        count=len(plan.steps),
        steps=steps,
    )
    return listed([were, maybe], " ")


def _named(step: Step) -> str:
    return f"{step.action.verb} {step.target}"
