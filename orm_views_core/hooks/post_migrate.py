"""``ORM_VIEWS["SYNC_ON_MIGRATE"]``: views are synced when ``migrate`` has finished, above all for tests.

Django sends ``post_migrate`` once for each app that has models, and sends it after a ``flush`` too.
https://docs.djangoproject.com/en/stable/ref/signals/#post-migrate
"""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig, apps
from django.core.management.base import CommandError, OutputWrapper
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.exceptions import InvalidViewsError, MissingRoleError, OrmViewsError, ViewSQLError
from orm_views_core.output.plans import summary
from orm_views_core.sync.api import sync_views


def sync_after_migrate(
    app_config: AppConfig, using: str, verbosity: int = 1, stdout: Any = None, **kwargs: Any
) -> None:
    """Receive ``post_migrate``: sync the views of the database that was migrated, after the last app.

    Views that need what a migration still has to bring are not synced; that is written to ``stdout``,
    whatever the verbosity, and is no error: ``migrate shop 0002`` did what it was asked.

    Args:
        app_config: the app that the signal is about.
        using: the alias of the database.
        verbosity: 0 to say nothing of what was done.
        stdout: the stream of the command.
        kwargs: the rest of the signal. Only ``migrate`` sends a ``plan``.

    Raises:
        CommandError: when the views could not be synced. The migrations are applied all the same.
    """
    if "plan" not in kwargs or app_config != _last_app() or not get_settings().SYNC_ON_MIGRATE:
        return
    # An alias that mirrors this one still points at the real database while a test database is made, so
    # nothing but this alias may be touched.
    if using not in view_databases() or connections[using].vendor != "postgresql":
        return
    # No colours: the signal does not say whether migrate was told --no-color.
    out = stdout or OutputWrapper(sys.stdout)
    try:
        (result,) = sync_views(databases=[using])
    except OrmViewsError as error:
        pending = _unapplied(using) if _may_come_with_a_migration(error) else []
        if not pending:
            raise CommandError(
                f"Database {using!r} is migrated, but its views could not be synced, as "
                f"ORM_VIEWS['SYNC_ON_MIGRATE'] asks for. No view was touched. Mend this, then run "
                f"sync_views or migrate again:\n{error}"
            ) from error
        _write_not_synced(out, using, pending, error)
        return
    if verbosity >= 1:
        out.write(f"Syncing views in database '{using}':")
        out.write(f"  {summary(result.plan)} ({result.seconds:.3f}s)")


def _last_app() -> AppConfig | None:
    """Return the last app that Django sends ``post_migrate`` for."""
    return next((app for app in reversed(list(apps.get_app_configs())) if app.models_module), None)


def _may_come_with_a_migration(error: OrmViewsError) -> bool:
    """Say whether an error may be one only because a table, a column or a role is not there yet."""
    errors = error.errors if isinstance(error, InvalidViewsError) else [error]
    return all(isinstance(each, (ViewSQLError, MissingRoleError)) for each in errors)


def _unapplied(alias: str) -> list[str]:
    """Return the migrations that a ``migrate`` without arguments would apply."""
    executor = MigrationExecutor(get_connection(alias))
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _write_not_synced(out: Any, alias: str, pending: list[str], error: OrmViewsError) -> None:
    count = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
    out.write(f"Syncing views in database '{alias}':")
    out.write(f"  Not synced, because {count} yet to be applied: {', '.join(pending)}.")
    out.write("  Run migrate without arguments; it syncs the views too. For now this is in the way:")
    for line in str(error).splitlines():
        out.write(f"    {line}")
