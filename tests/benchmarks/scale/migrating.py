"""(p) Five migrations and the views of a project: with migrate_views, and by hand.

By hand, all views are dropped, the migrations are applied one by one, and the views are synced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from django.db import connection, migrations, models, transaction
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ROWS = """
INSERT INTO scaled_customer (id, name) VALUES (1, 'Somebody');
INSERT INTO scaled_purchase (customer_id, number, amount, placed, paid)
SELECT 1, n, n, now(), true FROM generate_series(1, 20000) AS n;
SELECT setval('scaled_customer_id_seq', 1);
"""
OPERATIONS: Sequence[Operation] = (
    migrations.AlterField("Purchase", "amount", models.DecimalField(max_digits=12, decimal_places=2)),
    migrations.AlterField("Purchase", "number", models.CharField(max_length=40)),
    migrations.AddField("Purchase", "note", models.CharField(max_length=20, default="")),
    migrations.AddIndex("Purchase", models.Index(fields=["placed"], name="by_placed")),
    migrations.AlterField("Customer", "name", models.CharField(max_length=200)),
)


def migrate(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Measure the whole, and for how long readers have to wait or find no view."""
    from orm_views_core.sync import sync_views

    with connection.cursor() as cursor:
        cursor.execute(ROWS)
    sync_views()
    return _with_views() if arguments["how"] == "with views" else _by_hand()


def _plan() -> list[Migration]:
    plan = []
    for number, operation in enumerate(OPERATIONS):
        migration = Migration(f"{number:04}", "scaled")
        migration.operations = [operation]
        plan.append(migration)
    return plan


def _state() -> ProjectState:
    from django.apps import apps

    state = ProjectState.from_apps(apps)
    for key in [key for key in state.models if key not in {("scaled", "purchase"), ("scaled", "customer")}]:
        state.remove_model(*key)
    _ = state.apps
    return state


def _apply(state: ProjectState, migration: Migration) -> ProjectState:
    with connection.schema_editor() as editor:
        return migration.apply(state, editor)


def _with_views() -> dict[str, float]:
    from orm_views_core.with_migrations.api import migrate_views
    from orm_views_core.with_migrations.options import MigrateOptions

    def work(steps: Any) -> None:
        now = state
        for migration in _plan():
            steps.before(migration)
            now = _apply(now, migration)
            steps.after(migration)

    state = _state()
    began = perf_counter()
    result = migrate_views("default", work, MigrateOptions())
    assert len(result.aside) == 200
    return {"total": perf_counter() - began, "without": result.locked_seconds}


def _by_hand() -> dict[str, float]:
    from orm_views_core.sync import sync_views

    state = _state()
    began = perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA views CASCADE")
    for migration in _plan():
        state = _apply(state, migration)
    sync_views()
    took = perf_counter() - began
    return {"total": took, "without": took}
