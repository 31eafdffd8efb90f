"""What a project does from its own code."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import connections
from django.dispatch import receiver
from django.test import TestCase

from orm_views_admin.models import Run
from orm_views_admin.origins import started_by
from orm_views_admin.runs import perform
from orm_views_core.comparison import compare_views
from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.lineage import ask, downstream, read_lineage
from orm_views_core.names import ViewName
from orm_views_core.refresh import RefreshResult, refresh_views
from orm_views_core.refresh_locks import cancel, find_running
from orm_views_core.signals import view_refreshed
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import Plan, Progress, plan_views, sync_views
from orm_views_core.testing import RefreshedViewsMixin, refresh_for_test

from .postgres_views import SalesByDay


def deploy(show: bool) -> float:
    """Sync, and return for how many seconds readers waited."""

    def print_plan(plan: Plan) -> None:
        for step in plan.steps:
            print(step.action.verb, step.target, step.usual_seconds or 0.0)

    if show:
        print([problem for plan in plan_views() for problem in plan.problems])
    results = sync_views(on_plan=print_plan, progress=Progress(on_wait=print))
    return sum(result.swap_seconds or 0.0 for result in results)


def nightly(user: Any) -> dt.timedelta:
    """Refresh what is due, and return how late the rows are at most."""
    with started_by(Run.Origin.TASK, user=user):
        try:
            results = refresh_views(due=True, jobs=2)
        except RefreshError as error:
            raise OrmViewsError(error.summary) from error
    return max((result.missed for result in results), default=dt.timedelta(0))


@receiver(view_refreshed)
def announce(database: str, request: uuid.UUID, result: RefreshResult, **kwargs: Any) -> None:
    print(database, request, result.name.schema, result.rows_after)


def troubled() -> list[str]:
    """Name the views that somebody should look at."""
    views = [view for database in get_statuses() for view in database.views]
    return [view.label for view in views if view.state.needs_attention or view.state is State.UNMANAGED]


def readers() -> list[str]:
    """Name what hangs on the column of a table."""
    lineage = read_lineage(connections["default"])
    hanging = downstream(lineage, ViewName("public", "shop_sale"), "amount")
    asked = [str(view.view) for answer in ask("shop.Sale.amount") for view in answer.downstream or ()]
    return [*asked, *(str(view.view) for view in hanging)]


def differing() -> int:
    """Count the rows that a sync would change."""
    compared = [view for plan in plan_views() for view in compare_views(plan).views]
    return sum(view.counts.changed or 0 for view in compared if view.counts)


def stop() -> list[bool]:
    return [cancel("default", running.pid) for running in find_running("default") if running.pid]


def submit(request: uuid.UUID) -> None:
    perform(request)


class SalesTests(RefreshedViewsMixin, TestCase):
    def test_there_are_none(self) -> None:
        names: list[ViewName] = self.refresh_views(SalesByDay) + refresh_for_test("salesbyday")
        assert len(names) == 2
        assert [row.amount for row in SalesByDay.objects.all()] == []
