"""What the tests say of a sync and of the states of views."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.plan.steps import Action, Plan
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.identity import name_of

from .kinds import Kind

DDL = re.compile(
    r"^\s*(CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE|REFRESH|TRUNCATE|INSERT|UPDATE|DELETE|REPLACE)\b",
    re.IGNORECASE,
)


def changes(plans: Iterable[Plan]) -> list[tuple[str, str]]:
    """Return the action and the view of each step. Schemas are left out: not every engine has them."""
    return [(s.action.verb, s.target) for plan in plans for s in plan.steps if s.action is not Action.SCHEMA]


def done(kind: Kind | None = None, **asked: Any) -> list[tuple[str, str]]:
    """Sync, and return what was done; of a kind, in its database."""
    results = sync_views(**asked)
    if kind:
        assert all(not result.steps for result in results if result.plan.database != kind.alias)
    carried_out = [result for result in results if not kind or result.plan.database == kind.alias]
    steps = [each.step for result in carried_out for each in result.steps]
    return [(step.action.verb, step.target) for step in steps if step.action is not Action.SCHEMA]


def said_by_plan(kind: Kind) -> str:
    """Return what a plan warns of, or why there is none."""
    try:
        return " ".join(warning for plan in plan_views([kind.alias]) for warning in plan.warnings)
    except InvalidViewError as error:
        return str(error)


def states(kind: Kind) -> dict[str, State]:
    """Return the states of all views in the database of a kind."""
    (database,) = get_statuses([kind.alias])
    assert database.error is None
    return {str(view.name): view.state for view in database.views}


def state_of(kind: Kind, view: type) -> State:
    """Return the state of one view."""
    return states(kind)[str(name_of(view))]
