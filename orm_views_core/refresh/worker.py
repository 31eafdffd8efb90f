"""One refresh of one view, in one transaction.

A view is refreshed by one session at a time. A second session waits for the first one. If that one succeeds,
its rows count for the second session too: the outcome is “joined”, which means that the second refresh is
coalesced with one that was already running. Those rows may be older than the request, so the result has the
time as of which they are, and ``Task.not_before`` sets how old they may be.
https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.ownership import why_not_refreshed
from orm_views_core.database.relations import why_not
from orm_views_core.database.sync_state import join_comment, split_comment
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.building import building
from orm_views_core.engines.postgresql.catalog.dependencies import Sources, read_sources_of
from orm_views_core.engines.postgresql.catalog.trust import read_trusted_roles
from orm_views_core.engines.postgresql.errors.diagnostics import quoting
from orm_views_core.engines.postgresql.errors.refusals import is_refusal
from orm_views_core.engines.postgresql.locking.advisory_locks import try_refresh_lock
from orm_views_core.engines.postgresql.locking.locks import in_savepoint, in_transaction, limit_lock_waits
from orm_views_core.engines.postgresql.locking.sessions import running
from orm_views_core.engines.postgresql.locking.turns import wait_for_refresh_lock
from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.names import ViewKind, printable
from orm_views_core.sentences import as_sentence, listed, says

from .failures import explained, why_not_there
from .listener import Relay
from .measure import RefreshedView, count_rows, look, measure
from .results import Outcome, RefreshResult, RefreshStart, Task, choose_mode, result_of


@dataclass
class _Progress:
    """How far a refresh has come, over all its tries.

    Attributes:
        pause: waits for some seconds between two tries to get a lock; may raise an exception to end the
            refresh.
        start: the refresh as it was last reported; None before that.
        waits: how many times it has reported that it waits.
        waited: how many seconds were spent waiting for locks.
        previous: the pid of the session that last held the view's lock; None when unknown.
        trusted: the oids of the roles whose sync states are believed.
    """

    task: Task
    relay: Relay
    pause: Callable[[float], None]
    start: RefreshStart | None = None
    waits: int = 0
    waited: float = 0.0
    previous: int | None = None
    trusted: Collection[int] = ()

    def report_waiting(self, what: str) -> None:
        self.waits += 1
        if self.start is not None:
            self.relay.waiting(self.start, what)


class _Replaced(Exception):  # noqa: N818 - not an error: the refresh begins again
    """A sync has replaced the view by another one of its name while this session waited for a lock."""


def refresh_one(task: Task, relay: Relay, pause: Callable[[float], None] = time.sleep) -> RefreshResult:
    """Refresh one view in a transaction of this thread's connection.

    Args:
        task: the view, and how to refresh it.
        relay: hears of the start and of waiting, and may veto the refresh. The caller reports the end.
        pause: waits for some seconds between two tries to get a lock; may raise an exception to end the
            refresh.

    Returns:
        the result. An OrmViewsError, also one from the listener, is part of it and is not raised.
    """
    progress, began = _Progress(task, relay, pause), time.perf_counter()
    try:
        connection = get_connection(task.database)
        return in_transaction(
            connection, partial(_refresh, progress=progress), progress.report_waiting, pause=pause
        )
    except OrmViewsError as error:
        return replace(
            result_of(progress.start or task, Outcome.FAILED),
            seconds=max(0.0, time.perf_counter() - began - progress.waited),
            waited=progress.waited,
            error=explained(task, error),
        )


def _refresh(connection: BaseDatabaseWrapper, progress: _Progress) -> RefreshResult:
    """Wait for the view's lock, and then join the refresh that held it or compute the rows.

    This is one try: when a lock cannot be had, ``in_transaction()`` rolls back and calls it again.
    """
    task = progress.task
    with connection.cursor() as cursor:
        progress.trusted = read_trusted_roles(cursor)
    before = _look(connection, progress)
    start = _report_start(progress, before)
    while True:
        view = _take_turn(connection, progress, before)
        if _is_done(task, before, view):
            return _joined(start, view, progress)
        start = _report_start(progress, view)
        limit_lock_waits(connection)
        try:
            return _compute(connection, progress, start, view)
        except _Replaced:
            continue


def _look(connection: BaseDatabaseWrapper, progress: _Progress) -> RefreshedView:
    task = progress.task
    view = look(connection, task.name, progress.trusted)
    if view.relkind != "m":
        raise RefreshError(why_not_there(task, view.relkind))
    if view.state is not None and not view.may_refresh:
        raise RefreshError(
            says(
                "%(where)s: %(view)s in database %(database)r cannot be refreshed: %(why)s.",
                where=task.where,
                view=task.name,
                database=task.database,
                why=why_not_refreshed(printable(view.owner)),
            )
        )
    return view


def _report_start(progress: _Progress, view: RefreshedView) -> RefreshStart:
    """Note how the refresh begins, and report that if it has not been reported for this backend.

    Raises:
        RefreshError: when the refresh is not wanted any more, or cannot be concurrent as it has to be.
    """
    task, known = progress.task, progress.start
    mode = choose_mode(task.concurrently, why_not(view.populated, view.has_key), task.where)
    start = RefreshStart(
        database=task.database,
        name=task.name,
        label=task.label,
        request=task.request,
        asked=known.asked if known else task.asked or view.now,
        pid=view.pid,
        concurrently=mode.concurrently,
        why_not=mode.why_not,
        jobs=task.jobs,
    )
    progress.start = start
    if (known is None or known.pid != start.pid) and (reason := progress.relay.started(start)):
        raise RefreshError(as_sentence(reason))
    return start


def _take_turn(connection: BaseDatabaseWrapper, progress: _Progress, view: RefreshedView) -> RefreshedView:
    """Take the view's lock, after other sessions that refresh it, and return the view as it is then.

    A sync may replace the view by another one of its name meanwhile. Then the lock of that one is taken.
    """
    progress.previous = None
    while True:
        if not try_refresh_lock(connection, view.oid):
            others = [one for one in running(connection) if one.name == progress.task.name and not one.waits]
            why = says("another refresh of it is running")
            if others:
                progress.previous, why = others[0].pid, listed([why, others[0].sentence], ": ")
            progress.report_waiting(why)
            since = time.perf_counter()
            wait_for_refresh_lock(connection, view.oid, progress.pause)
            progress.waited += time.perf_counter() - since
        now = _look(connection, progress)
        if now.oid == view.oid:
            return now
        view = now


def _is_done(task: Task, before: RefreshedView, view: RefreshedView) -> bool:
    """Return whether another session has refreshed the view well enough since we first looked."""
    known, oldest = task.unless_newer_than or before.refreshed, task.not_before
    if task.reads_new_rows:
        oldest = max(oldest, before.now) if oldest else before.now
    if view.refreshed is None or not view.populated:
        return False
    return (known is None or view.refreshed > known) and (oldest is None or view.refreshed >= oldest)


def _joined(start: RefreshStart, view: RefreshedView, progress: _Progress) -> RefreshResult:
    state = view.state
    assert state is not None
    assert state.refreshed is not None
    seconds = state.seconds or 0.0
    return replace(
        result_of(start, Outcome.JOINED),
        seconds=seconds,
        waited=progress.waited,
        started=state.refreshed,
        finished=state.refreshed + dt.timedelta(seconds=seconds),
        seen=view.now,
        pid=progress.previous,
        rows_after=view.rows,
    )


def _compute(
    connection: BaseDatabaseWrapper, progress: _Progress, start: RefreshStart, view: RefreshedView
) -> RefreshResult:
    """Send REFRESH MATERIALIZED VIEW as soon as no session is in the way, and record its time.

    Raises:
        _Replaced: when another view has the name by then.
    """
    task = progress.task
    sources = read_sources_of(connection, [view.oid]).get(view.oid, Sources((), 0))
    since, waited, waits = time.perf_counter(), progress.waited, progress.waits

    def compute(timeout: float) -> RefreshResult:
        limit_lock_waits(connection, timeout)
        if progress.waits > waits:
            progress.waited = waited + time.perf_counter() - since
        began = time.perf_counter()
        before = measure(connection, view.oid, task.name, progress.trusted)
        with building(connection, task.settings, task.where):
            _send_refresh(connection, task, concurrently=start.concurrently)
        after = measure(connection, view.oid, task.name, progress.trusted)
        if after.oid != view.oid:
            raise _Replaced
        rows = count_rows(view.rows, before, after, concurrently=start.concurrently)
        result = replace(
            result_of(start, Outcome.REFRESHED),
            seconds=time.perf_counter() - began,
            waited=progress.waited,
            started=before.as_of,
            finished=after.now,
            rows_before=view.rows,
            rows_after=rows,
            rows_exact=rows is not None and not start.concurrently,
            size_before=before.size,
            size_after=after.size,
        )
        if view.is_owner:
            _record(connection, result, after.comment, sources.changes)
        elif view.state is not None:
            why = says(
                "its time is not recorded on it, because it belongs to %(owner)s", owner=printable(view.owner)
            )
            result = replace(result, unrecorded=why)
        return result

    return in_savepoint(
        connection,
        compute,
        relations=[view.oid],
        reads=sources.oids,
        readers=not start.concurrently,  # a concurrent refresh and readers do not wait for each other
        on_wait=progress.report_waiting,
        pause=progress.pause,
    )


def _send_refresh(connection: BaseDatabaseWrapper, task: Task, *, concurrently: bool) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(ddl.refresh(task.name, concurrently=concurrently))
    except DatabaseError as error:
        if not is_refusal(error):
            raise  # in_transaction() handles locks and lost connections
        what = says(
            "%(view)s in database %(database)r could not be refreshed", view=task.name, database=task.database
        )
        whole, rest = listed([what, str(error).strip()], ": "), says("%(what)s.", what=what)
        raise RefreshError(quoting(whole, rest, error)) from error


def _record(
    connection: BaseDatabaseWrapper, result: RefreshResult, comment: str | None, changes: int
) -> None:
    """Write the time of the rows into the sync state in the view's COMMENT.

    Args:
        connection: the database.
        result: the refresh.
        comment: the COMMENT, read while the locks of the refresh were held.
        changes: how many changes of what the view reads PostgreSQL's statistics had counted before.
    """
    text, state = split_comment(comment)
    if state is None:
        return
    text = text or result.label  # earlier releases did not label the views without a docstring
    state = replace(state, refreshed=result.started, seconds=round(result.seconds, 3), changes=changes)
    comment = ddl.comment_on_view(ViewKind.MATERIALISED_VIEW, result.name, join_comment(text, state))
    with connection.cursor() as cursor:
        cursor.execute(comment)
