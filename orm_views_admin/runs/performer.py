"""Starting what staff ask for, and carrying it out wherever an executor does that.

A request is one or several rows first. Whoever performs it takes the rows from the queue in one transaction,
so that of two workers only one does it.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.origins import started_by
from orm_views_core.engines.connections import spare_connections
from orm_views_core.exceptions import OrmViewsError, UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.refresh import RefreshStart, plan_refresh, refresh_views
from orm_views_core.sync import sync_views

from .audit_log import log
from .cancellation import cancel
from .executors import get_executor
from .reconciliation import holders, reconcile
from .retention import prune, prune_now_and_then
from .storable import storable
from .sync_progress import SyncProgress

__all__ = ["cancel", "holders", "perform", "prune", "reconcile", "start_refresh", "start_sync"]

logger = logging.getLogger("orm_views_admin")

#: A request that is in the queue for longer, in seconds, is handed to the executor again if somebody asks for
#: the same; whoever takes it first does it.
_FORGOTTEN = 30


def start_refresh(user: Any, addresses: Iterable[ViewAddress]) -> list[Run]:
    """Have materialised views refreshed: each is a run, all of them one request.

    It is carried out once the transaction that this is called in has been committed.

    Args:
        user: who asks for it.
        addresses: the views.

    Returns:
        the runs, each after those of the views that it reads. A view that is being refreshed, or is in the
        queue, is not refreshed again: that run of it is returned.

    Raises:
        UnknownViewError: when one of them is no registered materialised view.
        OrmViewsError: when a view is invalid or a database does not answer. Nothing is started.
    """
    by_database: defaultdict[str, list[str]] = defaultdict(list)
    for address in addresses:
        by_database[address.database].append(str(address.name))
    planned = [
        each.definition
        # In one order for everybody: of two who ask in different ones each would wait for the other's rows.
        for database, names in sorted(by_database.items())
        for each in plan_refresh(names, databases=[database])
    ]
    blanks = [
        Run(kind=Run.Kind.REFRESH, database=each.database, schema=each.name.schema, name=each.name.name)
        for each in planned
    ]
    return _start(user, blanks)


def start_sync(
    user: Any,
    database: str,
    only: Collection[ViewName] | None = None,
    fingerprint: str | None = None,
    *,
    force: bool = False,
    allow_drop_all: bool = False,
    drop_dependents: bool = False,
) -> Run:
    """Have a database synced.

    It is carried out once the transaction that this is called in has been committed. If the plan is another
    one by then, nothing is done and the run has failed.

    Args:
        user: who asks for it.
        database: the alias.
        only: the views to sync; all when None.
        fingerprint: of the plan that was confirmed.
        force: as :func:`~orm_views_core.sync.sync_views` takes it, like the others.

    Returns:
        the run; that of another sync of this database, if there is one in the queue or at work.
    """
    options = {
        "only": None if only is None else [list(name) for name in only],
        "fingerprint": fingerprint,
        "force": force,
        "allow_drop_all": allow_drop_all,
        "drop_dependents": drop_dependents,
    }
    (run,) = _start(user, [Run(kind=Run.Kind.SYNC, database=database, options=options)])
    return run


def _start(user: Any, blanks: Sequence[Run]) -> list[Run]:
    """Write runs into the queue, and hand them over as one request."""
    request, alias = uuid.uuid4(), router.db_for_write(Run)
    for blank in blanks:
        blank.request = request
        blank.origin, blank.user, blank.who = Run.Origin.ADMIN, user, user.get_username()
    reconcile([run for blank in blanks if (run := _active_like(blank)) is not None])
    with transaction.atomic(using=alias):
        runs = [_save_or_find(blank) for blank in blanks]
        requests = {run.request for run in runs if run.request == request or _is_forgotten(run)}
        for run in runs:
            if run.request == request:
                log(user, run, _("Started a sync.") if run.kind == Run.Kind.SYNC else _("Started a refresh."))
        for each in requests:
            transaction.on_commit(partial(_submit, each), using=alias)
    return runs


def _active_like(run: Run) -> Run | None:
    return Run.objects.filter(
        kind=run.kind, database=run.database, schema=run.schema, name=run.name, state__in=Run.ACTIVE
    ).first()


def _save_or_find(blank: Run, tries: int = 5) -> Run:
    """Write a run, or return the one that is active; the database lets only one be."""
    while True:
        if (found := _active_like(blank)) is not None:
            return found
        try:
            with transaction.atomic(using=router.db_for_write(Run)):
                blank.save(force_insert=True)
            return blank
        except IntegrityError:
            # Somebody else was faster; by the time that we look, it may be over again.
            blank.pk, tries = None, tries - 1
            if not tries:
                raise


def _is_forgotten(run: Run) -> bool:
    is_waiting = run.state == Run.State.QUEUED and run.claimed_at is None
    return is_waiting and (timezone.now() - run.queued_at).total_seconds() > _FORGOTTEN


def _submit(request: uuid.UUID) -> None:
    """Hand a request to the executor. Its runs say so if that cannot be."""
    try:
        get_executor().submit(request)
    except Exception as error:
        logger.exception("Request %s could not be handed to the executor, or failed there", request)
        said = _("It could not be handed to the executor: %(error)s") % {"error": _words(error)}
        waiting = Run.objects.filter(request=request, state=Run.State.QUEUED, claimed_at=None)
        waiting.update(state=Run.State.FAILED, error=said, finished_at=timezone.now())


def perform(request: uuid.UUID) -> None:
    """Carry out what is in the queue of a request; nothing if somebody else has taken it.

    This is what executors call, in whichever process. How it went is in the runs, and is not raised.

    Args:
        request: the id that the runs have in common.

    Raises:
        Exception: what is a mistake in the code, once the runs say so.
    """
    runs = _claim(request)
    if not runs:
        return
    try:
        if runs[0].kind == Run.Kind.SYNC:
            _sync(runs[0])
        else:
            _refresh(runs)
    except OrmViewsError as error:
        _fail_the_rest(runs, _words(error))
    except BaseException as error:
        _fail_the_rest(runs, _words(error))
        raise
    else:
        _fail_the_rest(runs, _("It ended without a result."))
    prune_now_and_then()


def _claim(request: uuid.UUID) -> list[Run]:
    """Take the runs of a request from the queue."""
    now = timezone.now()
    with transaction.atomic(using=router.db_for_write(Run)):
        waiting = Run.objects.filter(request=request, state=Run.State.QUEUED, claimed_at=None)
        runs = list(waiting.select_for_update().order_by("pk"))
        Run.objects.filter(pk__in=[run.pk for run in runs]).update(claimed_at=now)
    for run in runs:
        run.claimed_at = now
    return runs


def _begin(run: Run) -> bool:
    """Say that a run's turn has come; return whether it is still wanted, and still ours to do."""
    still_ours = Run.objects.filter(pk=run.pk, claimed_at=run.claimed_at, cancelled_by="")
    return bool(still_ours.filter(state__in=Run.ACTIVE).update(state=Run.State.RUNNING))


def _why_not_begun(run: Run) -> str:
    if Run.objects.filter(pk=run.pk, claimed_at=run.claimed_at).exists():
        return _("It was cancelled before it began.")
    return _("Somebody else has taken it over.")


def _fail_the_rest(runs: Iterable[Run], error: str) -> None:
    """Let no run stay active that nobody works on any more; most often there is none."""
    for run in runs:
        still_ours = Run.objects.filter(pk=run.pk, claimed_at=run.claimed_at, state__in=Run.ACTIVE)
        still_ours.update(state=Run.State.FAILED, error=error, finished_at=timezone.now(), waiting_for="")


def _refresh(runs: Sequence[Run]) -> None:
    by_database: defaultdict[str, dict[tuple[str, str, str], Run]] = defaultdict(dict)
    for run in runs:
        by_database[run.database][run.database, run.schema, run.name] = run
    for database, by_key in by_database.items():
        try:
            _refresh_in(database, by_key)
        except OrmViewsError as error:  # what became of each is recorded; this is what came before that
            _fail_the_rest(by_key.values(), str(error))


def _refresh_in(database: str, by_key: dict[tuple[str, str, str], Run]) -> None:
    def veto(start: RefreshStart) -> str:
        run = by_key[(database, *start.name)]
        return "" if _begin(run) else _why_not_begun(run)

    known = {(database, *each.definition.name) for each in plan_refresh(databases=[database])}
    for key in by_key.keys() - known:
        error = UnknownViewError(_("No registered materialised view has this name any more."))
        _fail_the_rest([by_key.pop(key)], str(error))
    if not by_key:
        return
    one = next(iter(by_key.values()))
    names = [str(run.view_name) for run in by_key.values()]
    keys = {key: run.pk for key, run in by_key.items()}
    with started_by(one.origin, who=one.who, runs=keys, claimed_at=one.claimed_at):
        refresh_views(names, databases=[database], veto=veto)


def _sync(run: Run) -> None:
    if not _begin(run):
        return
    options = run.options
    only = options.get("only")
    alias = router.db_for_write(Run)
    inside = any(connections[each].in_atomic_block for each in (alias, run.database))
    keys = {(run.database, "", ""): run.pk}
    with (
        started_by(run.origin, who=run.who, runs=keys, claimed_at=run.claimed_at),
        spare_connections(() if inside else (alias,)) as aside,
    ):
        progress = SyncProgress(run.pk, aside, partial(_begin, run))
        sync_views(
            databases=[run.database],
            only=None if only is None else [ViewName(*name) for name in only],
            expected_fingerprint=options.get("fingerprint"),
            force=options.get("force", False),
            allow_drop_all=options.get("allow_drop_all", False),
            drop_dependents=options.get("drop_dependents", False),
            on_plan=progress.on_plan,
            progress=progress.callbacks,
        )


def _words(error: BaseException) -> str:
    return storable(str(error).strip() or type(error).__name__)
