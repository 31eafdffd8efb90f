"""Runs migrations that are no files: an app with one state before and one after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from orm_views_core.with_migrations.api import MigrateResult, migrate_views
from orm_views_core.with_migrations.options import MigrateOptions
from orm_views_core.with_migrations.steps import Steps

from .operations import APP, ROWS, base


def make(operations: Sequence[Operation], name: str = "0002_change", *, atomic: bool = True) -> Migration:
    """Return a migration of the app."""
    migration = Migration(name, APP)
    migration.operations, migration.atomic = list(operations), atomic
    return migration


def create_tables() -> ProjectState:
    """Create the tables, with their rows, and return the state of the models."""
    migration = make(base(), "0001_initial")
    with connection.schema_editor() as editor:
        state = migration.apply(ProjectState(), editor)
    run(ROWS)
    return state


def run(sql: str) -> list[tuple[Any, ...]]:
    """Run SQL; return the rows of the last statement, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def apply(state: ProjectState, *migrations: Migration, steps: Steps | None = None) -> ProjectState:
    """Apply migrations as ``migrate`` does."""
    for migration in migrations:
        if steps:
            steps.before(migration)
        with connection.schema_editor(atomic=migration.atomic) as editor:
            state = migration.apply(state, editor)
        if steps:
            steps.after(migration)
    return state


def migrate(state: ProjectState, *migrations: Migration, **options: Any) -> MigrateResult:
    """Apply migrations and sync the views in one transaction."""

    def work(steps: Steps) -> None:
        apply(state.clone(), *migrations, steps=steps)

    return migrate_views("default", work, MigrateOptions(**options))
