"""Refreshing materialised views in the order of their dependencies.

The way through a refresh: ``refresh_views()`` → planner (which views, in which order) → tasks (how to refresh
each) → pool (jobs) → worker (one refresh) → results (what came of it) → listener (signals and callbacks).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from orm_views_core.conf import get_settings
from orm_views_core.definitions.class_compiler import build_settings_of
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.connections import get_connection
from orm_views_core.exceptions import DatabaseUnavailableError, RefreshError, joined_errors
from orm_views_core.views.identity import describe, label_of, name_of
from orm_views_core.views.options import ViewOptions

from .listener import Listener
from .plain import is_plain
from .planner import PlannedRefresh, RefreshRequest, make_plan
from .pool import carry_out
from .results import Key, RefreshResult, RefreshStart, Task

_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.timezone.utc)


def refresh_views(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    due: bool = False,
    fresh: bool = False,
    jobs: int = 1,
    on_start: Callable[[ViewDefinition, bool, str], None] | None = None,
    on_done: Callable[[RefreshResult], None] | None = None,
    on_failed: Callable[[RefreshResult], None] | None = None,
    on_wait: Callable[[RefreshStart, str], None] | None = None,
    veto: Callable[[RefreshStart], str] | None = None,
) -> list[RefreshResult]:
    """Refresh materialised views, each after those that it reads, each in its own transaction.

    If another session is already refreshing a view, this call waits for that refresh and joins it. The result
    says as of when the rows are. If a view fails, the views that read it are skipped; all others are
    refreshed. In the database of an engine without materialised views, there is nothing to refresh.

    Args:
        views: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``); all when None.
        concurrently: True or False insists; None refreshes concurrently where that is possible.
        databases: aliases; those with registered views when None.
        downstream: also refresh the views that read these, through plain views too.
        upstream: also refresh the views that these read.
        due: of the views, refresh only those without rows, or with rows older than ``refresh_every``. The
            views that ``downstream`` and ``upstream`` add are refreshed with them, due or not.
        fresh: do not join a refresh that had begun before this call.
        jobs: how many views to refresh at once, each on a connection of its own. With 1, and where the caller
            has a transaction open, they are refreshed one after another on the caller's connection.
        on_start: called before each refresh with the view, whether it is concurrent, and why not.
        on_done: called after each refresh that succeeded.
        on_failed: called after each refresh that failed, and for each that is skipped.
        on_wait: called with what a refresh waits for, in words, whenever that changes.
        veto: called after ``on_start``, before anything is computed. It returns why the refresh is not wanted
            any more, or "" when it is. A refresh that is not wanted fails with that reason.

    Returns:
        the results, in the order in which the refreshes ended.

    Raises:
        ValueError: when ``jobs`` is less than 1.
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when a view could not be refreshed, or a database does not answer. It is raised at the
            end, after everything that can be refreshed, and ``results`` has all results. A single error is
            raised as it is, and may be another OrmViewsError.
            It is raised before any refresh when ``concurrently`` is insisted on for a view that cannot be
            refreshed concurrently.

    Example:
        >>> from orm_views_core.refresh import refresh_views
        >>> for result in refresh_views(["geo_cities"], upstream=True):
        ...     print(result.name, result.outcome.value)
        views.loan_book refreshed
        views.geo_cities refreshed
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}. Give a number from 1 on.")
    request = RefreshRequest(
        views, concurrently, databases, downstream=downstream, upstream=upstream, due=due
    )
    plan = make_plan(request)
    call = uuid.uuid4()
    tasks = [_task_of(planned, request, call, fresh=fresh) for planned in plan.refreshes]
    listener = Listener(
        sender=refresh_views,
        definitions={Key(p.definition.database, p.definition.name): p.definition for p in plan.refreshes},
        on_start=on_start,
        on_done=on_done,
        on_failed=on_failed,
        on_wait=on_wait,
        veto=veto,
    )
    results = carry_out(tasks, listener, jobs=jobs)
    _raise_errors(results, plan.unavailable)
    return results


def plan_refresh(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    due: bool = False,
) -> list[PlannedRefresh]:
    """Return what ``refresh_views`` would refresh, in its order, and which views would make readers wait.

    The arguments are those of :func:`~orm_views_core.refresh.refresh_views`.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        DatabaseUnavailableError: when a database does not answer.
        RefreshError: when ``concurrently`` is insisted on for a view that cannot be refreshed concurrently.

    Example:
        >>> from orm_views_core.refresh import plan_refresh
        >>> for planned in plan_refresh(["geo_cities"], upstream=True):
        ...     print(planned.definition.name, planned.concurrently)
        views.loan_book True
        views.geo_cities True
    """
    request = RefreshRequest(
        views, concurrently, databases, downstream=downstream, upstream=upstream, due=due
    )
    plan = make_plan(request)
    if plan.unavailable:
        raise plan.unavailable[0]
    return plan.refreshes


def refresh_materialized_view(view: Any, concurrently: bool = False) -> None:
    """Refresh one materialised view, or join another session's refresh of it.

    In the database of an engine without materialised views, nothing is done.

    Args:
        view: its class, or an instance of it.
        concurrently: whether readers may go on reading meanwhile.

    Raises:
        ValueError: when ``concurrently`` is asked for and there is no ``pk_field``.
        RefreshError: when PostgreSQL refuses.

    Example:
        >>> from lending.postgres_views import LoanBook
        >>> from orm_views_core.refresh import refresh_materialized_view
        >>> refresh_materialized_view(LoanBook, concurrently=True)
    """
    cls: Any = view if isinstance(view, type) else type(view)
    cls.get_refresh_sql(concurrently)  # raises the ValueError
    alias = ViewOptions(cls).database
    if is_plain(alias):
        return
    get_connection(alias)
    task = Task(
        database=alias,
        name=name_of(cls),
        label=label_of(cls),
        where=describe(cls),
        concurrently=concurrently,
        request=uuid.uuid4(),
        settings=build_settings_of(cls, get_settings()),
    )
    _raise_errors(carry_out([task], Listener(sender=refresh_views), jobs=1), unavailable=[])


def _task_of(planned: PlannedRefresh, request: RefreshRequest, call: uuid.UUID, *, fresh: bool) -> Task:
    definition, state = planned.definition, planned.installed.state if planned.installed else None
    refreshed = state.refreshed if state else None
    return Task(
        database=definition.database,
        name=definition.name,
        label=definition.label,
        where=definition.where,
        concurrently=request.concurrently,
        request=call,
        asked=planned.asked,
        waits_for=frozenset(Key(definition.database, name) for name in planned.waits_for),
        last_seconds=planned.seconds,
        not_before=planned.asked if fresh else None,
        # Another process may refresh a view that is due while this call refreshes the views before it.
        unless_newer_than=(refreshed or _LONG_AGO) if request.due else None,
        settings=definition.build_settings,
    )


def _raise_errors(results: Sequence[RefreshResult], unavailable: Sequence[DatabaseUnavailableError]) -> None:
    errors = [*unavailable, *(result.error for result in results if result.error is not None)]
    if not errors:
        return
    if len(results) + len(unavailable) == 1:
        raise errors[0]
    raise RefreshError(joined_errors(errors), results) from errors[0]
