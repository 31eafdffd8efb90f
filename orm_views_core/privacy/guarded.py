"""Where a plan meets the guard. Without anything personal, nothing else of this package is imported."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.definition import Definitions
from orm_views_core.exceptions import PlanBlockedError

from .marks import are_used

if TYPE_CHECKING:
    from .plans import PlanGuard


def plan_guard(
    connection: BaseDatabaseWrapper, definitions: Definitions, command_roles: Collection[str]
) -> PlanGuard | None:
    """Return the guard of a plan; None when nothing is personal in the database.

    Args:
        connection: the database, in the transaction of the plan.
        definitions: the registered views.
        command_roles: further roles to grant SELECT to, named on the command line.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    if not are_used():
        return None
    from .plans import PlanGuard

    guard = PlanGuard(connection, definitions, command_roles)
    return guard if any(guard.marked) else None


def refuse_exposed(connection: BaseDatabaseWrapper) -> None:
    """Refuse what is in a database, in the transaction that has made it.

    Raises:
        PlanBlockedError: a view shows what is personal to others than its owner.
    """
    from .api import judge_views
    from .telling import told_once

    if problems := judge_views(connection).problems:
        raise PlanBlockedError([each.sentence for each in told_once(problems)])
