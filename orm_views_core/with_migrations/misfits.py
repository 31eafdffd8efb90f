"""Views that do not fit the new tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.errors.diagnostics import detail_of, primary_message, sqlstate
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.names import ViewName
from orm_views_core.plan.step_writer import lock_order
from orm_views_core.sentences import says

_DEPENDENTS = "2BP01"


def why_not(error: DatabaseError) -> str:
    """Return why a view could not be brought back: with what depends on it, if that is why."""
    detail = f" ({detail_of(error)})" if sqlstate(error) == _DEPENDENTS else ""
    return f"{primary_message(error)}{detail}"


def drop_misfits(
    connection: BaseDatabaseWrapper,
    misfits: Collection[ViewName],
    read: Callable[[Collection[ViewName]], Mapping[ViewName, InstalledView]],
    wanted: Collection[ViewName],
) -> list[ViewName]:
    """Drop the stand-ins of views that could not be brought back, and what reads them.

    Args:
        connection: the database, in a transaction.
        misfits: the views.
        read: returns views as they are now.
        wanted: the views that classes declare.

    Returns:
        the views that were dropped, those that read others first.

    Raises:
        PlanBlockedError: when a view that a class declares reads one of them, or something else than a view.
    """
    with as_sync_role(connection):
        found = dict(read(misfits))
        pending = set(found)
        while pending:
            readers = read({reader for name in pending for reader in found[name].read_by} - found.keys())
            found |= readers
            pending = set(readers)
        kept = [n for n, view in found.items() if not view.kind or (n in wanted and n not in misfits)]
        if kept:
            named = [
                says("%(view)s reads a view that does not fit any more. Change %(view)s first.", view=name)
                for name in kept
            ]
            raise PlanBlockedError(sorted(named))
        order = lock_order(found.keys(), Catalog(found))
        with connection.cursor() as cursor:
            for name in order:
                kind = found[name].kind
                assert kind is not None
                cursor.execute(ddl.drop_view(kind, name))
    return list(order)
