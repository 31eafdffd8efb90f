"""One refresh of one view, in its transaction: taking its turn, joining another one, computing, recording.

What is asked for while somebody is at it already is not done once more: we wait, and if that succeeded, its
rows are ours. It may have begun before we asked, so the result says as of when the rows are; whoever must not
have older ones says so (``not_before``).
https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import why_not
from orm_views_core.database.sync_state import join_comment, split_comment
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.advisory_locks import try_refresh_lock, wait_for_refresh_lock
from orm_views_core.engines.postgresql.catalog.dependencies import Sources, read_sources_of
from orm_views_core.engines.postgresql.errors import is_refusal
from orm_views_core.engines.postgresql.locks import in_savepoint, in_transaction, limit_lock_waits
from orm_views_core.engines.postgresql.sessions import running
from orm_views_core.exceptions import OrmViewsError, RefreshError, SyncFailedError
from orm_views_core.names import ViewKind

from .measure import Measure, RefreshedView, look, measure
from .results import Outcome, RefreshResult, RefreshStart, Task, Tell


def refresh_one(task: Task, tell: Tell) -> RefreshResult:
    """Refresh one view in a transaction of this thread's connection.

    Returns:
        what came of it; an error is in it and not raised.
    """
    one = _Refresh(task, tell)
    try:
        return one.run()
    except OrmViewsError as error:
        return one.failed(error)


class _Moved(Exception):  # noqa: N818 - no error: it is done again
    """Another view has the name now: a sync has put it there while we waited for a lock."""


class _Refresh:
    """A refresh while it is carried out, as many tries as that takes."""

    def __init__(self, task: Task, tell: Tell) -> None:
        self.task, self.tell = task, tell
        self.began = time.perf_counter()
        self.waited = 0.0
        self.start: RefreshStart | None = None

    def run(self) -> RefreshResult:
        connection = get_connection(self.task.database)
        return in_transaction(connection, self._try, self._tell_of_waiting, pause=self.tell.pause)

    def failed(self, error: OrmViewsError) -> RefreshResult:
        task = self.task
        if type(error) is SyncFailedError and str(task.name) not in str(error):
            refused = RefreshError(f"{task.name} could not be refreshed. {error}")
            refused.__cause__ = error
            error = refused
        seconds = time.perf_counter() - self.began - self.waited
        return self._result(Outcome.FAILED, max(0.0, seconds), error=error)

    def _try(self, connection: BaseDatabaseWrapper) -> RefreshResult:
        before = self._look(connection)
        self._tell_of_start(before)
        while True:
            view, session = self._take_turn(connection, before)
            if self._is_done(before, view):
                return self._joined(view, session)
            assert self.start is not None
            self.start = replace(self.start, **self._how(view))
            limit_lock_waits(connection)
            with connection.cursor() as cursor:
                sources = read_sources_of(cursor, [_oid(view)]).get(_oid(view), Sources((), 0))
            try:
                return self._compute(connection, view, sources)
            except _Moved:
                continue

    def _look(self, connection: BaseDatabaseWrapper) -> RefreshedView:
        view = look(connection, self.task.name)
        if view.relkind != "m":
            what = {None: "is not there", "v": "is a view there"}.get(view.relkind, "is no view there")
            raise RefreshError(
                f"{self.task.where}: {self.task.name} {what} in database {self.task.database!r}. "
                "Run sync_views first."
            )
        if view.state is not None and not view.is_owner:
            raise RefreshError(
                f"{self.task.where}: {self.task.name} in database {self.task.database!r} belongs to another "
                "role, so the time of its refresh could not be recorded on it. Connect as its owner, or as a "
                "member of that role."
            )
        return view

    def _tell_of_start(self, view: RefreshedView) -> None:
        task = self.task
        asked = self.start.asked if self.start else task.asked or view.now
        start = RefreshStart(
            task.database,
            task.name,
            task.label,
            task.request,
            asked,
            view.pid,
            **self._how(view),
            jobs=task.jobs,
        )
        is_news = self.start is None or self.start.pid != start.pid
        self.start = start
        if is_news:
            self.tell.started(start)

    def _tell_of_waiting(self, what: str) -> None:
        if self.start is not None:
            self.tell.waiting(self.start, what)

    def _how(self, view: RefreshedView) -> dict[str, Any]:
        """Say whether it goes concurrently, and why not."""
        if self.task.concurrently is False:
            return {"concurrently": False, "why_not": ""}
        why = why_not(bool(view.populated), view.has_key)
        if self.task.concurrently and why:
            raise RefreshError(f"{self.task.where}: it cannot be refreshed concurrently: {why}.")
        return {"concurrently": not why, "why_not": why}

    def _take_turn(
        self, connection: BaseDatabaseWrapper, view: RefreshedView
    ) -> tuple[RefreshedView, int | None]:
        """Take the view's lock; return the view as it is behind it, and the backend that we waited for.

        While we wait, a sync may put another view of the same name in its place.
        """
        waited_for = None
        while True:
            if not try_refresh_lock(connection, _oid(view)):
                others = [r for r in running(connection) if r.name == self.task.name and not r.waits]
                waited_for = others[0].pid if others else (waited_for or 0)
                who = f": {others[0]}" if others else ""
                self._tell_of_waiting(f"another refresh of it is running{who}")
                since = time.perf_counter()
                wait_for_refresh_lock(connection, _oid(view))
                self.waited += time.perf_counter() - since
            now = self._look(connection)
            if now.oid == view.oid:
                return now, waited_for
            view = now

    def _is_done(self, before: RefreshedView, view: RefreshedView) -> bool:
        """Say whether somebody else has done what is asked for since we first looked."""
        known, oldest = self.task.unless_newer_than or before.refreshed, self.task.not_before
        if self.task.reads_new_rows:
            oldest = max(oldest, before.now) if oldest else before.now
        found = view.refreshed
        if found is None or not view.populated:
            return False
        return (known is None or found > known) and (oldest is None or found >= oldest)

    def _joined(self, view: RefreshedView, session: int | None) -> RefreshResult:
        state = view.state
        assert state is not None
        assert state.refreshed is not None
        seconds = state.seconds or 0.0
        return self._result(
            Outcome.JOINED,
            seconds,
            started=state.refreshed,
            finished=state.refreshed + dt.timedelta(seconds=seconds),
            seen=view.now,
            pid=session or None,
            rows_after=view.rows,
        )

    def _compute(
        self, connection: BaseDatabaseWrapper, view: RefreshedView, sources: Sources
    ) -> RefreshResult:
        assert self.start is not None
        concurrently = self.start.concurrently
        since, waited = time.perf_counter(), self.waited
        waits: list[str] = []

        def on_wait(what: str) -> None:
            waits.append(what)
            self._tell_of_waiting(what)

        def work(timeout: float) -> tuple[Measure, Measure, float]:
            limit_lock_waits(connection, timeout)
            if waits:
                self.waited = waited + time.perf_counter() - since
            began = time.perf_counter()
            before = measure(connection, _oid(view), self.task.name)
            self._send(connection, ddl.refresh(self.task.name, concurrently=concurrently))
            after = measure(connection, _oid(view), self.task.name)
            if after.there != view.oid:
                raise _Moved
            return before, after, time.perf_counter() - began

        before, after, seconds = in_savepoint(
            connection,
            work,
            relations=[_oid(view)],
            reads=sources.oids,
            readers=not concurrently,  # those do not wait for us then, nor we for them
            on_wait=on_wait,
            pause=self.tell.pause,
        )
        self._record(connection, after.comment, before.as_of, seconds, sources.changes)
        rows = None
        if after.counts:
            inserted, deleted = after.inserted - before.inserted, after.deleted - before.deleted
            rows = (
                inserted
                if not concurrently
                else None
                if view.rows is None
                else max(0, view.rows + inserted - deleted)
            )
        return self._result(
            Outcome.REFRESHED,
            seconds,
            started=before.as_of,
            finished=after.now,
            rows_before=view.rows,
            rows_after=rows,
            rows_exact=rows is not None and not concurrently,
            size_before=before.size,
            size_after=after.size,
        )

    def _send(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except DatabaseError as error:
            if not is_refusal(error):
                raise  # a lock or the connection, which in_transaction() knows about
            raise RefreshError(
                f"{self.task.name} in database {self.task.database!r} could not be refreshed: "
                f"{str(error).strip()}"
            ) from error

    def _record(
        self,
        connection: BaseDatabaseWrapper,
        comment: str | None,
        started: dt.datetime,
        seconds: float,
        changes: int,
    ) -> None:
        """Write the time of the rows into the view's sync state, as it is behind the locks of the refresh."""
        text, state = split_comment(comment)
        if state is None:
            return
        state = replace(
            state, refreshed=started.astimezone(dt.timezone.utc), seconds=round(seconds, 3), changes=changes
        )
        with connection.cursor() as cursor:
            cursor.execute(
                ddl.comment_on_view(ViewKind.MATERIALISED_VIEW, self.task.name, join_comment(text, state))
            )

    def _result(self, outcome: Outcome, seconds: float, **facts: Any) -> RefreshResult:
        task, start = self.task, self.start
        return RefreshResult(
            task.database,
            task.name,
            start.concurrently if start else bool(task.concurrently),
            start.why_not if start else "",
            seconds,
            outcome,
            **{
                "label": task.label,
                "request": task.request,
                "asked": start.asked if start else task.asked,
                "waited": self.waited,
                "pid": start.pid if start else None,
                **facts,
            },
        )


def _oid(view: RefreshedView) -> int:
    assert view.oid is not None
    return view.oid
