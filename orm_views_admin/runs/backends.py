"""The backends that work on runs, and the sessions that they wait for.

A backend is a server process of PostgreSQL. PostgreSQL reuses pids, so a backend is known by its pid and the
time when it was started.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError
from django.utils.translation import gettext as _

from orm_views_admin.datetimes import from_field
from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.locking.blocking import find_blockers
from orm_views_core.engines.postgresql.locking.sessions import Backend, find_backends
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sentences import listed, translate
from orm_views_core.spelling import spelling_on


def has_sessions(database: str) -> bool:
    """Return whether a database tells which of its sessions are at work, and for which run."""
    return spelling_on(database).abilities.staging


def backends_of(database: str, runs: Sequence[Run]) -> dict[int, Backend]:
    """Return the backends that were recorded for runs and still exist, by the primary key of the run.

    Args:
        database: the alias of the database of all these runs.
        runs: the runs.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database does not answer.
    """
    by_pid = find_backends(database, [run.pid for run in runs if run.pid is not None])
    return {
        run.pk: backend
        for run in runs
        if run.pid is not None
        and (backend := by_pid.get(run.pid))
        and backend.is_that_of(run.backend_start and from_field(run.backend_start))
    }


def holders(run: Run) -> str:
    """Return what a run waits for, in words: who holds the lock, with which kind of statement, for how long.

    A refresh queues for a lock only for a short time, because readers queue behind it. It pauses and tries
    again. During a pause the sessions that blocked its last try are returned.

    Returns:
        the words; "" when the run does not wait, or when nothing is known.
    """
    if run.state != Run.State.RUNNING:
        return ""
    if run.pid is None:
        return translate(run.said("waiting_for"))
    try:
        backend = backends_of(run.database, [run]).get(run.pk)
        blockers = find_blockers(run.database, run.pid) if backend else []
    except (OrmViewsError, DatabaseError):  # the pages of that database show the error
        return ""
    if blockers:
        names = listed((each.sentence for each in blockers), "; ")
        return _("waiting for a lock held by %(names)s") % {"names": translate(names)}
    if backend and run.waiting_for and (backend.state or "").startswith("idle"):
        return _("waiting: %(what)s") % {"what": translate(run.said("waiting_for"))}
    return ""
