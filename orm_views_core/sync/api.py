"""Planning and syncing databases: the functions that commands, admin pages and projects call."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core import signals
from orm_views_core.definitions.lookup import find_views
from orm_views_core.engines.connections import open_database, view_databases
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.postgresql.locking.locks import in_transaction, limit_lock_waits
from orm_views_core.engines.postgresql.locking.turns import take_sync_lock
from orm_views_core.engines.postgresql.stand_ins.catalog import drop_unused_functions
from orm_views_core.exceptions import PlanBlockedError, StalePlanError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Plan
from orm_views_core.privacy.guarded import refuse_exposed
from orm_views_core.refresh.api import refresh_materialized_view
from orm_views_core.sentences import says
from orm_views_core.views.registry import registry

from .executor import Progress, StepResult, apply_plan
from .inputs import plan_database
from .options import SyncOptions, role_names
from .overtaken import applied_as_planned
from .plain import apply_plainly, plan_plainly


@dataclass(frozen=True)
class SyncResult:
    """What a sync of one database did.

    Attributes:
        plan: the plan that was carried out.
        steps: the result of each of its steps.
        seconds: how many seconds the sync took.
        swap_seconds: for how many seconds readers were locked out at most; None when they were not.
    """

    plan: Plan
    steps: tuple[StepResult, ...]
    seconds: float
    swap_seconds: float | None = None


def plan_views(
    databases: Sequence[str] | None = None,
    *,
    grant_select_permissions_to_user: str | Sequence[str] | None = None,
    views: Collection[str] | None = None,
    only: Collection[ViewName] | None = None,
    force: bool = False,
    allow_drop_all: bool = False,
    drop_dependents: bool = False,
) -> list[Plan]:
    """Return what :func:`sync_views` would do. Every changed view is tried, and nothing is changed.

    Args:
        databases: aliases. When None, those with registered views, and the default database.
        grant_select_permissions_to_user: a role, or several, to grant SELECT to.
        views: the views to sync, by name (``loan_book``, ``views.loan_book``) or label
            (``lending.LoanBook``); all when None. Databases without one of them are left alone. What they
            cannot do without is synced too: missing views that they read, and changed ones if they need them.
        only: the same by schema and name, in every database.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: plan even when no view is registered and every view would be dropped.
        drop_dependents: drop external dependents that do not fit the changed views.

    Returns:
        a plan for each database. The ``problems`` of a plan are what prevents it from being carried out.

    Raises:
        OrmViewsError: when a view is invalid, a role is missing or a database does not answer.

    Example:
        >>> from orm_views_core.sync import plan_views
        >>> [plan] = plan_views(views=["loans_by_status"], force=True)
        >>> for step in plan.steps:
        ...     print(step.action.value, step.target)
        ~ replace views.loans_by_status
        >>> plan.problems
        ()
    """
    roles = role_names(grant_select_permissions_to_user)
    chosen = _choose(databases, views, only)
    options = SyncOptions(
        roles, None, force=force, allow_drop_all=allow_drop_all, drop_dependents=drop_dependents
    )

    def plan(connection: BaseDatabaseWrapper) -> Plan:
        limit_lock_waits(connection)
        asked = replace(options, only=chosen[connection.alias], tells_meanings=True, is_confirmed=True)
        return plan_database(connection, asked, try_missing=True)

    def plan_of(connection: BaseDatabaseWrapper) -> Plan:
        if engine := plain_engine_of(connection):
            with engine.planning(connection):
                return plan_plainly(connection, engine, replace(options, only=chosen[connection.alias]))
        return in_transaction(connection, plan)

    return [plan_of(connection) for connection in _connect(chosen)]


def sync_views(
    grant_select_permissions_to_user: str | Sequence[str] | None = None,
    *,
    databases: Sequence[str] | None = None,
    views: Collection[str] | None = None,
    only: Collection[ViewName] | None = None,
    force: bool = False,
    allow_drop_all: bool = False,
    drop_dependents: bool = False,
    expected_fingerprint: str | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    progress: Progress | None = None,
) -> list[SyncResult]:
    """Make the databases match the registered views. Only what differs is changed.

    A sync of a database is one transaction, except on MariaDB and MySQL, which commit each view by itself.

    Args:
        grant_select_permissions_to_user: a role, or several, to grant SELECT to.
        databases: aliases. When None, those with registered views, and the default database.
        views: the views to sync, by name (``loan_book``, ``views.loan_book``) or label
            (``lending.LoanBook``); all when None. Databases without one of them are left alone. What they
            cannot do without is synced too: missing views that they read, and changed ones if they need them.
        only: the same by schema and name, in every database.
        force: replace or rebuild views although nothing differs.
        allow_drop_all: go on when no view is registered and every view would be dropped.
        drop_dependents: drop external dependents that do not fit the changed views.
        expected_fingerprint: the fingerprint of the plan that was confirmed, for a single database.
        on_plan: called with each database's plan before it is carried out.
        progress: what to call while a plan is carried out.

    Returns:
        what was done in each database.

    Raises:
        OrmViewsError: when a view is invalid, a role is missing, a plan has problems, a lock could not be had
            or a database does not answer. That database is then as it was before. Where each view is
            committed by itself, the error says what was done.

    Example:
        >>> from orm_views_core.sync import sync_views
        >>> [result] = sync_views(databases=["default"])
        >>> result.plan.is_empty
        True
        >>> [result] = sync_views(views=["loans_by_status"], force=True)
        >>> for each in result.steps:
        ...     print(each.step.action.verb, each.step.target)
        replace views.loans_by_status
    """
    roles = role_names(grant_select_permissions_to_user)
    chosen = _choose(databases, views, only)
    options = SyncOptions(
        roles, None, force=force, allow_drop_all=allow_drop_all, drop_dependents=drop_dependents
    )
    results = []
    request = uuid.uuid4()
    for connection in _connect(chosen):
        asked = replace(options, only=chosen[connection.alias])
        with announced(connection.alias, request) as announced_sync:
            announced_sync.result = sync_database(
                connection,
                asked,
                expected_fingerprint=expected_fingerprint,
                on_made=announced_sync.note_plan,
                on_plan=on_plan,
                progress=progress,
            )
            results.append(announced_sync.result)
    return results


@dataclass
class AnnouncedSync:
    """What the signals of a sync tell: the plan once it is made, and the result once it is carried out."""

    plan: Plan | None = None
    result: SyncResult | None = None

    def note_plan(self, plan: Plan) -> None:
        """Note the plan."""
        self.plan = plan


@contextmanager
def announced(alias: str, request: uuid.UUID) -> Iterator[AnnouncedSync]:
    """Send the signals of a sync: before a block, and after it or when it fails.

    Args:
        alias: the database.
        request: identifies the call.

    Yields:
        where the block puts the plan and the result.
    """
    about = AnnouncedSync()
    started, now = time.perf_counter(), dt.datetime.now(dt.timezone.utc)
    arguments = {"sender": sync_views, "database": alias, "request": request, "started": now}
    signals.views_sync_started.send_robust(**arguments)
    try:
        yield about
    except BaseException as error:
        failure = {"error": error, "seconds": time.perf_counter() - started, "plan": about.plan}
        failure["committed"] = about.result
        signals.views_sync_failed.send_robust(**arguments, **failure)
        raise
    signals.views_synced.send_robust(**arguments, result=about.result)


def sync_database(
    connection: BaseDatabaseWrapper,
    asked: SyncOptions,
    *,
    expected_fingerprint: str | None = None,
    anew: bool = True,
    on_made: Callable[[Plan], None] | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    progress: Progress | None = None,
) -> SyncResult:
    """Sync one database, without signals. The arguments are those of :func:`sync_views`.

    Args:
        connection: the database.
        asked: the options.
        expected_fingerprint: the fingerprint of the plan that was confirmed.
        anew: compile the classes anew. Whoever has done so in the same run need not.
        on_made: called with the plan when it is made, also when it has problems.
        on_plan: called with the plan before it is carried out.
        progress: what to call while it is carried out.

    Raises:
        OrmViewsError: as :func:`sync_views` does.
    """
    on_wait = progress.on_wait if progress else None
    confirm = partial(_confirm, expected_fingerprint=expected_fingerprint, on_made=on_made, on_plan=on_plan)
    if engine := plain_engine_of(connection):
        started = time.perf_counter()
        with engine.turn(connection, on_wait):
            plan = confirm(plan_plainly(connection, engine, asked, anew=anew))
            applied = apply_plainly(connection, engine, plan, asked, progress)
        return SyncResult(plan, applied.steps, time.perf_counter() - started)

    def sync(connection: BaseDatabaseWrapper) -> SyncResult:
        started = time.perf_counter()
        limit_lock_waits(connection)
        # A confirmed plan was made by plan_views(), which also tries missing views: this one is made alike.
        # What some views need besides themselves shows when they are tried.
        is_confirmed = expected_fingerprint is not None
        options = replace(asked, is_confirmed=is_confirmed)
        try_missing = is_confirmed or asked.only is not None
        make_plan = partial(plan_database, connection, options, try_missing=try_missing, anew=anew)
        plan = confirm(make_plan())
        with applied_as_planned(connection, plan, make_plan):
            applied = apply_plan(connection, plan, command_roles=asked.grant_select_to, progress=progress)
        if plan.judged_late:
            refuse_exposed(connection)
        if plan.steps:
            drop_unused_functions(connection)
        return SyncResult(plan, applied.steps, time.perf_counter() - started, applied.swap_seconds)

    return in_transaction(connection, sync, on_wait, take_turn=partial(take_sync_lock, on_wait=on_wait))


def _confirm(
    plan: Plan,
    *,
    expected_fingerprint: str | None,
    on_made: Callable[[Plan], None] | None,
    on_plan: Callable[[Plan], None] | None,
) -> Plan:
    """Return a plan that may be carried out.

    Raises:
        StalePlanError: when it is not the plan that was confirmed.
        PlanBlockedError: when it has problems.
    """
    if on_made:
        on_made(plan)
    if expected_fingerprint not in (None, plan.fingerprint):
        raise StalePlanError(
            says(
                "Database %(database)r or the code has changed since this plan was made. Nothing was "
                "done; look at the new plan.",
                database=plan.database,
            )
        )
    if plan.problems:
        raise PlanBlockedError(plan.problems)
    if on_plan:
        on_plan(plan)
    return plan


def _choose(
    databases: Sequence[str] | None, views: Collection[str] | None, only: Collection[ViewName] | None
) -> Mapping[str, Collection[ViewName] | None]:
    """Return the databases to sync, each with the names of the views to sync; None for all views."""
    if views is not None:
        return find_views(views, registry.databases() if databases is None else databases)
    return dict.fromkeys(view_databases() if databases is None else databases, only)


def _connect(databases: Iterable[str]) -> list[BaseDatabaseWrapper]:
    """Open every database before the first is synced, so that a wrong alias changes nothing."""
    return [open_database(alias) for alias in databases]


__all__ = ["Progress", "SyncResult", "plan_views", "refresh_materialized_view", "sync_views"]
