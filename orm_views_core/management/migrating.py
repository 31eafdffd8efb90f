"""``migrate_views`` on an engine without staging: migrations as ``migrate`` applies them, and then a sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from django.db.migrations import Migration

from orm_views_core.exceptions import OrmViewsError, SyncFailedError
from orm_views_core.sentences import says
from orm_views_core.sync.api import sync_views
from orm_views_core.sync.refusals import may_need_a_migration
from orm_views_core.with_migrations.api import Listener, MigrateResult
from orm_views_core.with_migrations.foresee import ForeseenMigration, Foresight
from orm_views_core.with_migrations.options import MigrateOptions


def as_foresight(plan: Iterable[tuple[Migration, bool]], *, fake: bool) -> Foresight:
    """Return the migrations of a plan. What they do to views is met when they run.

    Args:
        plan: the migrations, each with whether it is unapplied.
        fake: whether they are only recorded.
    """
    return Foresight(tuple(ForeseenMigration(each, back, only_recorded=fake) for each, back in plan))


def migrate_plainly(
    alias: str,
    migrate: Callable[[], None],
    foresight: Foresight,
    asked: MigrateOptions,
    listener: Listener,
) -> MigrateResult:
    """Run migrations, and then sync the views of a database.

    Args:
        alias: the database.
        migrate: runs the migrations.
        foresight: the migrations that it runs.
        asked: what is asked for beside that.
        listener: whom to tell.

    Raises:
        OrmViewsError: when the views cannot be synced. The migrations stay applied.
    """
    began = time.perf_counter()
    migrate()
    done = tuple(map(str, foresight.migrations))
    try:
        (synced,) = sync_views(
            asked.of_sync.grant_select_to,
            databases=[alias],
            allow_drop_all=asked.allow_drop_all,
            drop_dependents=asked.drop_dependents,
            on_plan=listener.on_plan,
            progress=listener.progress,
        )
    except OrmViewsError as error:
        if asked.is_partial and may_need_a_migration(error):
            return MigrateResult(done, waiting=str(error), seconds=time.perf_counter() - began)
        if not done:
            raise
        raise SyncFailedError(
            says(
                "Database %(database)r is migrated, but its views could not be synced. Fix this, then run "
                "sync_views:\n%(error)s",
                database=alias,
                error=error.message,
            )
        ) from error
    return MigrateResult(done, synced=synced, seconds=time.perf_counter() - began)
