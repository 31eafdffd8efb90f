"""``ORM_VIEWS["SYNC_ON_MIGRATE"]``: views are synced at the end of ``migrate``, above all for tests.

Django sends ``post_migrate`` once for each app that has models, and also after a ``flush``.
https://docs.djangoproject.com/en/stable/ref/signals/#post-migrate
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import AppConfig, apps
from django.core.management.base import CommandError, OutputWrapper
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orm_views_core.callers import called_by_command
from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import open_database, view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.output.plans import summary
from orm_views_core.spelling import spelling_of, spelling_on
from orm_views_core.sync.api import sync_views
from orm_views_core.sync.refusals import may_need_a_migration

_syncs: ContextVar[bool] = ContextVar("orm_views_core_syncs_after_migrate", default=True)


@contextmanager
def not_syncing() -> Iterator[None]:
    """Do without this sync in a block, whose caller syncs the views itself."""
    token = _syncs.set(False)
    try:
        yield
    finally:
        _syncs.reset(token)


@called_by_command()
def sync_after_migrate(
    app_config: AppConfig, using: str, verbosity: int = 1, stdout: Any = None, **kwargs: Any
) -> None:
    """Sync the views of the database that was migrated, after the last app. A receiver of ``post_migrate``.

    Views may need what a migration that is not applied yet will create. Then they are not synced, and the
    reason is written to ``stdout`` whatever the verbosity. It is no error: ``migrate shop 0002`` did what it
    was asked to do.

    Args:
        app_config: the app that the signal is about.
        using: the alias of the database.
        verbosity: 0 to write nothing after a successful sync.
        stdout: the stream of the command.
        kwargs: the other arguments of the signal. Only ``migrate`` sends a ``plan``.

    Raises:
        CommandError: when the views could not be synced. The migrations stay applied.
    """
    if (
        not _syncs.get()
        or "plan" not in kwargs
        or app_config != _last_app()
        or not get_settings().SYNC_ON_MIGRATE
    ):
        return
    # While Django creates a test database, an alias that mirrors it still points at the real database. So no
    # other alias than this one may be used.
    if using not in view_databases() or spelling_of(connections[using]) is None:
        return
    # Without colours, because the signal does not tell whether migrate has the option --no-color.
    out = stdout or OutputWrapper(sys.stdout)
    try:
        (result,) = sync_views(databases=[using])
    except OrmViewsError as error:
        pending = _unapplied(using) if may_need_a_migration(error) else []
        if not pending:
            # Where each view is committed by itself, the error says what was done.
            none_changed = "No view was changed. " if spelling_on(using).abilities.atomic else ""
            raise CommandError(
                f"Database {using!r} is migrated, but its views could not be synced, as "
                f"ORM_VIEWS['SYNC_ON_MIGRATE'] asks for. {none_changed}Fix this, then run sync_views "
                f"or migrate again:\n{error}"
            ) from error
        lines = _reasons(pending, error)
    else:
        lines = [f"  {summary(result.plan)} ({result.seconds:.3f}s)"] if verbosity >= 1 else []
    if lines:
        out.write("\n".join([f"Syncing views in database '{using}':", *lines]))


def _last_app() -> AppConfig | None:
    """Return the last app that Django sends ``post_migrate`` for."""
    return next((app for app in reversed(list(apps.get_app_configs())) if app.models_module), None)


def _unapplied(alias: str) -> list[str]:
    """Return the migrations that ``migrate`` without arguments would apply."""
    executor = MigrationExecutor(open_database(alias))
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _reasons(pending: list[str], error: OrmViewsError) -> list[str]:
    count = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
    return [
        f"  Not synced, because {count} yet to be applied: {', '.join(pending)}.",
        "  Run migrate without arguments; it syncs the views too. Until then the sync fails:",
        *(f"    {line}" for line in str(error).splitlines()),
    ]
