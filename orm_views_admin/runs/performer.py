"""Performing a request.

Its runs are taken from the queue in one transaction, so that only one process performs them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import router
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.origins import started_by
from orm_views_core.engines.connections import spare_connections
from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.refresh import RefreshStart, can_be_refreshed, refresh_views
from orm_views_core.sentences import says
from orm_views_core.sync import sync_views

from .retention import prune_now_and_then
from .sync_progress import SyncProgress
from .writing import error_fields, written_beside


def perform(request: uuid.UUID) -> None:
    """Perform the queued runs of a request. When another process has taken them, nothing is done.

    Executors call this, in any process. A failure of a refresh, a sync or an export is recorded in its run
    and not raised.

    Args:
        request: the id that the runs have in common.

    Raises:
        Exception: an error that is no ``OrmViewsError``, after it was recorded: a mistake in the code.

    Example:
        >>> from threading import Thread
        >>> from orm_views_admin.runs import perform
        >>> def submit(request):
        ...     "An executor of a project: ORM_VIEWS_ADMIN['EXECUTOR'] = 'shop.tasks.submit'."
        ...     Thread(target=perform, args=[request]).start()
    """
    runs = _claim(request)
    if not runs:
        return
    first, keys = runs[0], {run.target: run.pk for run in runs}
    try:
        # What core reports in this context is recorded in these runs.
        with started_by(first.origin, who=first.who, runs=keys, claimed_at=first.claimed_at):
            for database in dict.fromkeys(run.database for run in runs):
                _perform_in(database, [run for run in runs if run.database == database])
    except BaseException as error:
        _fail_active(runs, error)
        raise
    else:
        _fail_active(runs, says("The executor ended without recording a result."))
    prune_now_and_then()


def _claim(request: uuid.UUID) -> list[Run]:
    """Take the runs of a request from the queue."""
    now = timezone.now()

    def claim() -> list[Run]:
        waiting = Run.objects.filter(request=request, state=Run.State.QUEUED, claimed_at=None)
        runs = list(waiting.select_for_update().order_by("pk"))
        Run.objects.filter(pk__in=[run.pk for run in runs]).update(claimed_at=now)
        return runs

    runs = in_short_transaction(router.db_for_write(Run), claim)
    for run in runs:
        run.claimed_at = now
    return runs


def _fail_active(runs: Sequence[Run], error: BaseException | str) -> None:
    """Fail those runs that are still active, since this process no longer works on them. Most have ended."""
    pks, claims = [run.pk for run in runs], {run.claimed_at for run in runs}
    ours = Run.objects.filter(pk__in=pks, claimed_at__in=claims, state__in=Run.ACTIVE)
    facts = {"finished_at": timezone.now(), "waiting_for": "", **error_fields(error)}
    ours.update(state=Run.State.FAILED, **facts)


def _perform_in(database: str, runs: Sequence[Run]) -> None:
    try:
        if runs[0].kind == Run.Kind.SYNC:
            _sync(runs[0])
        elif runs[0].kind == Run.Kind.EXPORT:
            from .exporting import perform_export  # with what only exports need: a sync imports none of it

            perform_export(runs[0])
        else:
            _refresh(database, runs)
    except OrmViewsError as error:  # the views that were tried have their results; this is about the rest
        _fail_active(runs, error)


def _refresh(database: str, runs: Sequence[Run]) -> None:
    by_name = {run.view_name: run for run in runs if run.view_name}

    def veto(start: RefreshStart) -> str:
        run = by_name[start.name]
        if run.begin():
            return ""
        if run.as_claimed().exists():
            return says("The run was cancelled before it began.")
        return says("Another process has taken the run from the queue.")

    registered = can_be_refreshed(database, by_name.keys())
    _fail_active(
        [run for run in runs if run.view_name not in registered],
        says("No registered materialised view has this name any more."),
    )
    if known := [run for run in runs if run.view_name in registered]:
        refresh_views([str(run.view_name) for run in known], databases=[database], veto=veto)


def _sync(run: Run) -> None:
    if not run.begin():
        return
    only = run.options.get("only")
    with spare_connections(written_beside(run)) as aside:
        progress = SyncProgress(run, aside)
        with progress.kept():
            sync_views(
                databases=[run.database],
                only=None if only is None else [ViewName(*name) for name in only],
                expected_fingerprint=run.options.get("fingerprint"),
                on_plan=progress.on_plan,
                progress=progress.callbacks,
            )
