"""The system check of model changes whose migrations will stand against views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Tags, register
from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from orm_views_core.autodetector import Autodetector
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.stand_ins.standing import read_all_views
from orm_views_core.exceptions import DatabaseUnavailableError
from orm_views_core.spelling import spelling_of
from orm_views_core.with_migrations.foresee import foresee

from .messages import message

_NAMED = 5  # of several views


@register(Tags.database, "orm_views")
def check_model_changes(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Run the check W019 on the databases that are asked for."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        spelling = spelling_of(connections[alias])
        if spelling is None or not spelling.abilities.staging:
            continue  # such migrations put views aside by themselves
        try:
            found += _check_database(get_connection(alias))
        except (DatabaseUnavailableError, OperationalError, InterfaceError):
            continue  # the command that needs the database reports it
    return found


def _check_database(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """orm_views_core.W019: a model has changed, and the migration for that will stand against views."""
    if not read_all_views(connection):
        return
    try:
        executor = MigrationExecutor(connection)
        graph, state = executor.loader.graph, executor.loader.project_state()
        changes = Autodetector(state, ProjectState.from_apps(apps)).changes(graph=graph)
    except Exception:  # noqa: BLE001 - migrations are the project's; makemigrations reports what is wrong
        return
    unmade = [(migration, False) for migrations in changes.values() for migration in migrations]
    for each in foresee(connection, executor, unmade, state=state).migrations:
        views: dict[str, list[str]] = {}
        for name, alteration in each.standing.items():
            views.setdefault(str(alteration), []).append(str(name))
        for what, names in views.items():
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            listed = f"{', '.join(names[:_NAMED])}{more} {'stands' if len(names) == 1 else 'stand'}"
            yield message(
                "W019",
                each.migration.app_label,
                f"its models have changed, and {listed} against the migration that is yet to be made: "
                f"{what}.",
                "Make the migration, and apply it with `manage.py migrate_views`. Plain migrate would fail, "
                "or drop the views.",
            )
