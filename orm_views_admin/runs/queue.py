"""Starting what staff request: runs are written into the queue, then handed to the executor.

A request is one run or several. The executor calls ``perform`` with its id.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import error_summary, error_text
from orm_views_admin.files.request import ExportRequest
from orm_views_admin.models import Run
from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.refresh import plan_refresh
from orm_views_core.sentences import number, says, says_n

from .audit_log import log
from .executors import get_executor
from .reconciliation import reconcile
from .writing import error_fields

logger = logging.getLogger("orm_views_admin")

#: After so many seconds in the queue a request is handed to the executor again when somebody requests the
#: same. The process that takes it first performs it.
_FORGOTTEN = 30
#: How many exports of a user may be under way.
MOST_EXPORTS = 3
_STARTED = {
    Run.Kind.REFRESH: lambda: _("Started a refresh."),
    Run.Kind.SYNC: lambda: _("Started a sync."),
    Run.Kind.EXPORT: lambda: _("Started an export."),
}


class TooManyExportsError(OrmViewsError):
    """A user has as many exports under way as one may have."""


def start_refresh(user: Any, addresses: Iterable[ViewAddress]) -> list[Run]:
    """Queue the refresh of materialised views. Each view is a run, and all of them are one request.

    The request is performed after the commit of the transaction that this is called in.

    Args:
        user: the user who requests it.
        addresses: the views.

    Returns:
        the runs, each after those of the views that it reads. A view with an active run is not refreshed
        again: its active run is returned.

    Raises:
        UnknownViewError: when an address is not that of a registered materialised view.
        OrmViewsError: when a view is invalid or a database does not answer. Nothing is started.
    """
    by_database: defaultdict[str, list[str]] = defaultdict(list)
    for address in addresses:
        by_database[address.database].append(str(address.name))
    new = [
        Run(kind=Run.Kind.REFRESH, database=database, **planned.definition.name._asdict())
        # Sorted, so that two requests lock rows in the same order and cannot wait for each other.
        for database, names in sorted(by_database.items())
        for planned in plan_refresh(names, databases=[database])
    ]
    return _start(user, new)


def start_sync(
    user: Any, database: str, only: Collection[ViewName] | None = None, fingerprint: str | None = None
) -> Run:
    """Queue the sync of a database.

    It is performed after the commit of the transaction that this is called in. When the plan has changed by
    then, the run fails and the database stays as it is.

    Args:
        user: the user who requests it.
        database: the alias.
        only: the views to sync; None for all.
        fingerprint: the fingerprint of the plan that the user confirmed.

    Returns:
        the run; the active run when a sync of this database is queued or running already.
    """
    options = {"only": None if only is None else [list(name) for name in only], "fingerprint": fingerprint}
    (run,) = _start(user, [Run(kind=Run.Kind.SYNC, database=database, options=options)])
    return run


def start_export(user: Any, address: ViewAddress, request: ExportRequest) -> Run:
    """Queue an export of rows of a view. Any number of exports of a view may be under way.

    It is performed after the commit of the transaction that this is called in.

    Args:
        user: the user who requests it.
        address: the view.
        request: which rows, and in which format.

    Raises:
        TooManyExportsError: when the user has as many under way as one may have.
    """
    own = Run.objects.filter(kind=Run.Kind.EXPORT, user=user, state__in=Run.ACTIVE)
    reconcile(own)
    alias = router.db_for_write(Run)

    def start() -> Run:
        _lock_user(user, alias)
        if own.using(alias).count() >= MOST_EXPORTS:
            words = says_n(
                "%(count)s export of yours is under way. Wait until it has ended, or cancel it.",
                "%(count)s exports of yours are under way. Wait until one has ended, or cancel one.",
                MOST_EXPORTS,
                count=number(MOST_EXPORTS),
            )
            raise TooManyExportsError(words)
        run = Run(kind=Run.Kind.EXPORT, database=address.database, **address.name._asdict())
        run.options = request.as_options()
        (started,) = _start(user, [run])
        return started

    return in_short_transaction(alias, start)


def _lock_user(user: Any, alias: str) -> None:
    """Have the user's other requests wait until the end of the transaction: each of them would find room."""
    # Other tables may refer to the user meanwhile.
    no_key = connections[alias].features.has_select_for_no_key_update
    users = get_user_model()._base_manager.using(alias).select_for_update(no_key=no_key)
    list(users.filter(pk=user.pk).values_list("pk"))


def _start(user: Any, new: Sequence[Run]) -> list[Run]:
    """Save runs in the queue, and hand them to the executor as one request."""
    request, alias = uuid.uuid4(), router.db_for_write(Run)
    for run in new:
        run.request = request
        run.origin, run.user, run.who = Run.Origin.ADMIN, user, user.get_username()
    reconcile([active for run in new if (active := _find_active(run)) is not None])

    def save() -> list[Run]:
        if not connections[alias].features.supports_partial_indexes:
            _lock_user(user, alias)  # no constraint keeps a double click from making two runs
        runs = [_save_or_find(run) for run in new]
        for run in runs:
            if run.request == request:
                log(user, run, _STARTED[Run.Kind(run.kind)]())
        for each in {run.request for run in runs if run.request == request or _is_forgotten(run)}:
            transaction.on_commit(partial(_submit, each), using=alias)
        return runs

    return in_short_transaction(alias, save)


def _find_active(run: Run) -> Run | None:
    """Return the active run of the same target. An export is one of its own."""
    if run.kind == Run.Kind.EXPORT:
        return None
    return Run.objects.filter(**run.target._asdict(), kind=run.kind, state__in=Run.ACTIVE).first()


def _save_or_find(run: Run, tries: int = 5) -> Run:
    """Save a run, or return the active run of its target. A constraint allows only one active run."""
    while True:
        if (active := _find_active(run)) is not None:
            return active
        try:
            run.pk = None  # of a try that was rolled back
            run.insert()
            return run
        except IntegrityError:
            # Another session has saved a run. That run may have ended before it is looked for.
            tries -= 1
            if not tries:
                raise


def _is_forgotten(run: Run) -> bool:
    is_waiting = run.state == Run.State.QUEUED and run.claimed_at is None
    return is_waiting and (timezone.now() - run.queued_at).total_seconds() > _FORGOTTEN


def _submit(request: uuid.UUID) -> None:
    """Hand a request to the executor. Its runs fail when the executor raises."""
    try:
        get_executor()(str(request))
    except Exception as error:
        logger.exception("Request %s could not be handed to the executor, or failed in it", request)
        facts = error_fields(_not_handed_over(error))
        waiting = Run.objects.filter(request=request, state=Run.State.QUEUED, claimed_at=None)
        waiting.update(state=Run.State.FAILED, finished_at=timezone.now(), **facts)


def _not_handed_over(error: Exception) -> OrmViewsError:
    """Return that a request was not handed to the executor, and why."""
    whole, rest = (
        says("The request could not be handed to the executor: %(error)s", error=each)
        for each in (error_text(error), error_summary(error))
    )
    return OrmViewsError(Quoting(whole, rest))
