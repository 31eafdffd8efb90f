"""Compares the rows of views as they are with those that a plan would give them, and changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import get_connection, naming_the_database
from orm_views_core.engines.postgresql.errors.refusals import telling
from orm_views_core.engines.postgresql.locking.locks import limit_lock_waits
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Plan
from orm_views_core.sentences import says

from .comparing import Asked, compare_all
from .scene import set_scene
from .values import Comparison
from .worlds import find_targets

# The rows of all views are those of one moment. Nothing of the transaction is ever committed.
# https://www.postgresql.org/docs/current/transaction-iso.html#XACT-REPEATABLE-READ
_ISOLATION = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_SETTINGS = """
SELECT pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('jit', 'off', true),
       CASE WHEN %s <> '' THEN pg_catalog.set_config('work_mem', %s, true) END
""".replace("<>", "OPERATOR(pg_catalog.<>)")


def compare_views(
    plan: Plan,
    views: Collection[ViewName] | None = None,
    *,
    key: Sequence[str] = (),
    stored: bool = False,
    with_samples: Callable[[ViewName], bool] | None = None,
    with_personal: Callable[[ViewName], bool] | None = None,
    seconds: float | None = None,
) -> Comparison:
    """Compare the rows of views as they are with those that a plan would give them.

    The definitions are staged as plain views in a transaction that is rolled back. Nobody waits for it but
    who wants a lock that readers stand in the way of. It takes at most COMPARE_TIMEOUT: what takes longer is
    compared by a sample, and what that takes too long for is not compared.

    Args:
        plan: a plan of one database, as :func:`~orm_views_core.sync.plan_views` returns it.
        views: the views to compare; all whose rows the plan may change when None. One that stays as it is is
            compared with itself, which shows whether it gives the same rows each time.
        key: the columns that identify a row, for all these views. When there are none, a key is looked for.
        stored: take the rows that are stored, and not those that the old definitions give now. They mix what
            the plan changes with what has changed since the last refresh.
        with_samples: returns whether rows of a view that differ are read; those of each view when None.
            It is called in the transaction, and so is ``with_personal``.
        with_personal: returns whether the values of a view's personal columns are read too; no view's when
            None.
        seconds: how many seconds it may take; ``ORM_VIEWS["COMPARE_TIMEOUT"]`` when None.

    Returns:
        what was found of each view, in the order in which a sync creates them.

    Raises:
        UnknownViewError: when one of the views is neither declared nor in the plan.
        OrmViewsError: when a class is invalid, or the database refuses to stage anything.

    Example:
        >>> from orm_views_core.comparison import compare_views
        >>> from orm_views_core.sync import plan_views
        >>> [plan] = plan_views(views=["loans_by_status"], force=True)
        >>> [compared] = compare_views(plan).views
        >>> print(compared.counts.added, compared.counts.removed, compared.counts.differ)
        0 0 False
    """
    began = time.monotonic()
    connection = get_connection(plan.database, says("A comparison of rows"))
    targets = find_targets(plan, views)
    if not targets:
        return Comparison(plan.database)
    asked = Asked(
        tuple(key), stored, with_samples or (lambda name: True), with_personal or (lambda name: False)
    )
    with _snapshot(connection) as cursor:
        scene = set_scene(cursor, targets)
        cursor.execute(_SETTINGS, [get_settings().WORK_MEM or ""] * 2)
        limit = get_settings().COMPARE_TIMEOUT if seconds is None else seconds
        compared = compare_all(cursor, scene, targets, asked, limit - (time.monotonic() - began))
    return Comparison(plan.database, tuple(compared), time.monotonic() - began)


@contextmanager
def _snapshot(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """Give a cursor in a transaction that sees one state of the database, and is rolled back.

    Inside a transaction of the caller, each statement sees what that lets it see.
    """
    is_own = not connection.in_atomic_block
    with (
        naming_the_database(connection),
        telling(connection),
        transaction.atomic(using=connection.alias),
        connection.cursor() as cursor,
    ):
        if is_own:
            cursor.execute(_ISOLATION)
        with as_sync_role(connection):
            limit_lock_waits(connection)
            yield cursor
        transaction.set_rollback(True, using=connection.alias)
