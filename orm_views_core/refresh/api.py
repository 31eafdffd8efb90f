"""Refreshing materialised views: in dependency order, and without locking readers out where possible."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from orm_views_core.database.relations import why_not_concurrently
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.connections import get_connection
from orm_views_core.exceptions import DatabaseUnavailableError, RefreshError
from orm_views_core.names import declared
from orm_views_core.views.identity import describe, label_of, name_of

from .planner import PlannedRefresh, plan_refresh, plan_what_answers
from .pool import Callbacks, Key, carry_out
from .results import Outcome, RefreshResult, RefreshStart, Task

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
) -> list[RefreshResult]:
    """Refresh materialised views, each after those that it reads, each in its own transaction.

    A view that somebody else refreshes already is not refreshed once more: the other refresh is joined, and
    the result says as of when its rows are. What fails stops what reads it, and nothing else.

    Args:
        views: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``); all when None.
        concurrently: True or False insists; None goes concurrently where it is possible.
        databases: aliases; those with registered views when None.
        downstream: also those that read the views, through plain views too.
        upstream: also those that they read.
        due: of the views only those that have no rows, or rows older than ``refresh_every``. What
            ``downstream`` and ``upstream`` add is refreshed with them, due or not.
        fresh: join no refresh that had begun before this call.
        jobs: how many at once, each on a connection of its own. One after another on the caller's connection
            when 1, and where the caller has a transaction open.
        on_start: called before each refresh with the view, whether it goes concurrently, and why not.
        on_done: called after each that succeeded.
        on_failed: called after each that failed, and for each that is skipped.
        on_wait: called with what a refresh waits for, in words, whenever that changes.

    Returns:
        what came of each, in the order in which they ended.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when a view could not be refreshed, or a database does not answer, once all that can be
            are; ``results`` has all of them. An error that is alone is raised as it is, and may be another
            OrmViewsError.
            Or, before anything is done, when ``concurrently`` is insisted on for a view that cannot be.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}. Give a number from 1 on.")
    planned, silent = plan_what_answers(
        views,
        concurrently=concurrently,
        databases=databases,
        downstream=downstream,
        upstream=upstream,
        due=due,
    )
    request = uuid.uuid4()
    by_key = {(p.definition.database, p.definition.name): p for p in planned}
    tasks = {
        key: _task(p.definition, p, request, concurrently=concurrently, due=due, fresh=fresh, jobs=jobs)
        for key, p in by_key.items()
    }
    waits_for = {key: {(key[0], name) for name in p.waits_for} for key, p in by_key.items()}

    def started(start: RefreshStart) -> None:
        if on_start:
            definition = by_key[start.database, start.name].definition
            on_start(definition, start.concurrently, start.why_not)

    results = carry_out(
        tasks,
        waits_for,
        {key: p.seconds for key, p in by_key.items() if p.seconds is not None},
        Callbacks(started, on_wait, on_done, on_failed),
        sender=refresh_views,
        jobs=jobs,
    )
    _raise_errors(results, silent)
    return results


def refresh_materialized_view(view: Any, concurrently: bool = False) -> None:
    """Refresh one materialised view, or join somebody else's refresh of it.

    Args:
        view: its class, or an instance of it.
        concurrently: whether readers may go on reading meanwhile.

    Raises:
        ValueError: when ``concurrently`` is asked for and there is no ``pk_field``.
        RefreshError: when PostgreSQL refuses.
    """
    cls: Any = view if isinstance(view, type) else type(view)
    cls.get_refresh_sql(concurrently)  # raises the ValueError
    alias = declared(cls, "database", DEFAULT_DB_ALIAS)
    get_connection(alias)
    key: Key = alias, name_of(cls)
    task = Task(*key, label_of(cls), describe(cls), concurrently, uuid.uuid4())
    _raise_errors(carry_out({key: task}, {key: set()}, {}, Callbacks(), sender=refresh_views, jobs=1))


def _task(
    definition: ViewDefinition,
    planned: PlannedRefresh,
    request: uuid.UUID,
    *,
    concurrently: bool | None,
    due: bool,
    fresh: bool,
    jobs: int,
) -> Task:
    state = planned.installed.state if planned.installed else None
    return Task(
        definition.database,
        definition.name,
        definition.label,
        definition.where,
        concurrently,
        request,
        planned.asked,
        jobs,
        not_before=planned.asked if fresh else None,
        # Another process may have done what is due while those before it were refreshed here.
        unless_newer_than=((state.refreshed if state else None) or _LONG_AGO) if due else None,
    )


def _raise_errors(results: Sequence[RefreshResult], silent: Sequence[DatabaseUnavailableError] = ()) -> None:
    errors = [*silent, *(result.error for result in results if result.error is not None)]
    if not errors:
        return
    if len(results) + len(silent) == 1:
        raise errors[0]
    raise RefreshError("\n".join(map(str, errors)), results) from errors[0]


__all__ = [
    "Outcome",
    "PlannedRefresh",
    "RefreshResult",
    "RefreshStart",
    "plan_refresh",
    "refresh_materialized_view",
    "refresh_views",
    "why_not_concurrently",
]
