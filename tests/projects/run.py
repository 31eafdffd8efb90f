"""``python -m tests.projects.run``: run all migrations of PROJECT, with a view on every table.

Every third view is materialised. The migrations run with ``migrate_views`` in steps of one, of ten, and all
at once; beside that with ``migrate``, one by one. There, views that stand in the way are dropped by hand.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

SIZES = (1, 10, 10_000)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.settings"
    import django

    django.setup()
    from django.conf import settings

    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    for size in sizes:
        with new_database() as plan:
            print(
                f"{settings.PROJECT}: {len(plan)} migrations in steps of {min(size, len(plan))}", flush=True
            )
            report(WithViews(plan).run(size))
    with new_database() as plan:
        print(f"{settings.PROJECT}: {len(plan)} migrations with migrate, one by one", flush=True)
        report(Plain(plan).run(1))


@contextmanager
def new_database() -> Iterator[list[Any]]:
    """Make a new database; yield the migrations that it lacks."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    name = f"projects_{os.getpid()}"
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    _in_database("postgres", drop, f"CREATE DATABASE {name}")
    _in_database(name)
    executor = MigrationExecutor(connection)
    executor.recorder.ensure_schema()
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    try:
        yield [migration for migration, _ in plan]
    finally:
        _in_database("postgres", drop)


def _in_database(name: str, *statements: str) -> None:
    """Connect to a database, and run statements there."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Run:
    """Migrations, and what became of them."""

    def __init__(self, plan: Sequence[Any]) -> None:
        from django.db import connection
        from django.db.migrations.state import ProjectState

        self.plan, self.state, self.connection = plan, ProjectState(), connection
        self.outcomes: Counter[str] = Counter()
        self.reasons: list[str] = []
        self.seconds = 0.0

    def run(self, size: int) -> Run:
        for start in range(0, len(self.plan), size):
            migrations = self.plan[start : start + size]
            declare(tables())
            sync()
            began = time.perf_counter()
            self.step(migrations)
            self.seconds += time.perf_counter() - began
        return self

    def step(self, migrations: Sequence[Any]) -> None:
        raise NotImplementedError

    def apply(self, migrations: Sequence[Any], steps: Any = None) -> Any:
        """Apply migrations; return the state of the models after them."""
        from django.db.migrations.recorder import MigrationRecorder

        state, recorder = self.state.clone(), MigrationRecorder(self.connection)
        for migration in migrations:
            if steps:
                steps.before(migration)
            with self.connection.schema_editor(atomic=migration.atomic) as editor:
                state = migration.apply(state, editor)
            recorder.record_applied(migration.app_label, migration.name)
            if steps:
                steps.after(migration)
        return state

    def after(self, migrations: Sequence[Any]) -> list[str] | None:
        """The tables that there are after migrations. They run without views, and are rolled back.

        None if one of them runs in no transaction.
        """
        from django.db import DatabaseError, transaction

        try:
            with transaction.atomic():
                drop_views()
                self.apply(migrations)
                found = tables()
                transaction.set_rollback(True)
            return found
        except DatabaseError:
            return None


class WithViews(Run):
    """The migrations with migrate_views."""

    def step(self, migrations: Sequence[Any]) -> None:
        from orm_views_core.exceptions import OrmViewsError
        from orm_views_core.with_migrations.alone import NotTogetherError
        from orm_views_core.with_migrations.api import migrate_views
        from orm_views_core.with_migrations.options import MigrateOptions

        if not migrations:
            return
        after = self.after(migrations)
        declare(tables() if after is None else after)
        found: list[Any] = []

        def work(steps: Any) -> None:
            found[:] = [self.apply(migrations, steps)]

        try:
            result = migrate_views("default", work, MigrateOptions())
        except NotTogetherError as error:  # as --split does it
            self.outcomes["refused"] += 1
            self.reasons.append(f"refused: {error}")
            (number,) = (n for n, each in enumerate(migrations) if str(each) == error.migration)
            self.step(migrations[:number])
            drop_views()
            self.state = self.apply(migrations[number : number + 1])
            declare(tables())
            sync()
            self.step(migrations[number + 1 :])
            return
        except OrmViewsError as error:
            self.outcomes["refused"] += len(migrations)
            self.reasons.append(f"{migrations[-1]}: {error}")
            drop_views()
            found[:] = [self.apply(migrations)]
        else:
            self.outcomes["passed"] += len(migrations)
            self.outcomes["views put aside"] += len(result.aside)
            if wrong := check(after or ()):
                self.outcomes["WRONG"] += len(migrations)
                self.reasons.append(f"{migrations[-1]}: {wrong}")
        self.state = found[0]


class Plain(Run):
    """The migrations with migrate."""

    def step(self, migrations: Sequence[Any]) -> None:
        from django.db import DatabaseError, transaction

        after = set(self.after(migrations) or ())
        before = views()
        try:
            # A migration that is not atomic would stay half done if it failed.
            with transaction.atomic() if after else nullcontext():
                self.state = self.apply(migrations)
        except DatabaseError as error:
            self.outcomes["failed"] += 1
            self.reasons.append(f"{migrations[-1]}: {str(error).splitlines()[0]}")
            drop_views()
            self.state = self.apply(migrations)
            return
        lost = {name for name in before - views() if name in {name_of(table) for table in after}}
        self.outcomes["lost views" if lost else "passed"] += 1
        if lost:
            self.reasons.append(f"{migrations[-1]}: lost {', '.join(sorted(lost))}")


def tables() -> list[str]:
    """The tables of the project."""
    rows = query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    return sorted(name for (name,) in rows if name != "django_migrations")


def name_of(table: str) -> str:
    return f"of_{table}"[:63]


def declare(tables: Sequence[str]) -> None:
    """Declare a view of each table. Every third one is materialised."""
    from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
    from orm_views_core.views.registry import registry

    registry._classes.clear()
    registry._changed()
    type("Always", (PostgresViewFromSQL,), {"__module__": __name__, "sql": "SELECT 1 AS one"})
    for table in tables:
        bases: Any = (PostgresViewFromSQL,)
        if sum(map(ord, table)) % 3 == 0:
            bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
        said = {"__module__": __name__, "sql": f'SELECT * FROM "{table}"', "name": name_of(table)}
        type(f"Of{table}", bases, said)


def sync() -> None:
    from orm_views_core.sync import sync_views

    sync_views(databases=["default"])


def check(tables: Sequence[str]) -> str:
    """Return what is wrong with the views; "" if nothing is."""
    from orm_views_core.status import get_statuses

    if missing := {name_of(table) for table in tables} - views():
        return f"missing: {', '.join(sorted(missing))}"
    (status,) = get_statuses(["default"])
    wrong = [f"{view.name} is {view.state.value}" for view in status.views if view.state.value != "synced"]
    left = query("SELECT proname FROM pg_proc WHERE proname LIKE 'orm\\_views\\_%'")
    return ", ".join([*wrong, *(name for (name,) in left)])


def views() -> set[str]:
    """The names of the views."""
    kinds, where = "relkind IN ('v', 'm')", "relnamespace = to_regnamespace('views')"
    return {name for (name,) in query(f"SELECT relname FROM pg_class WHERE {kinds} AND {where}")}


def drop_views() -> None:
    query("DROP SCHEMA views CASCADE")


def query(sql: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def report(run: Run) -> None:
    print(f"  {run.seconds:.1f} s: {', '.join(f'{count} {what}' for what, count in run.outcomes.items())}")
    for reason in run.reasons:
        print(f"    {reason}", flush=True)


if __name__ == "__main__":
    main()
