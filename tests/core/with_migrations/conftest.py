"""An app whose migrations are written by the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import modify_settings

_MIGRATION = """
from django.contrib.postgres.operations import *
from django.db import migrations, models, transaction
from django.db.migrations.operations import *


def run(*statements):
    def code(apps, schema_editor):
        for statement in statements:
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(statement)
    return RunPython(code, RunPython.noop)


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {dependencies}
    operations = [{operations}]
"""
FIRST = """
CreateModel("Order", [
    ("id", models.AutoField(primary_key=True)),
    ("total", models.IntegerField()),
    ("note", models.CharField(max_length=20, default="")),
    ("city", models.CharField(max_length=20, default="Bern")),
]),
CreateModel("Other", [("id", models.AutoField(primary_key=True)), ("size", models.IntegerField(default=1))]),
run("INSERT INTO depot_order (total, note, city) SELECT n, 'n' || n, 'Bern' FROM generate_series(1, 5) AS n",
    "INSERT INTO depot_other (size) SELECT n FROM generate_series(1, 5) AS n"),
"""


class _Out(StringIO):
    """A stream that tells what is written to it."""

    def __init__(self, on_write: Callable[[str], None] | None) -> None:
        super().__init__()
        self.on_write = on_write

    def write(self, text: str) -> int:
        if self.on_write:
            self.on_write(text)
        return super().write(text)


class Depot:
    """The app. Its first migration makes two tables with rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "depot" / "migrations"
        self.folder.mkdir(parents=True)
        for package in (self.folder, self.folder.parent):
            (package / "__init__.py").touch()
        self.last = ""
        self.write("0001_initial", FIRST)

    def write(self, name: str, operations: str, *, atomic: bool = True) -> None:
        """Add a migration."""
        dependencies = [("depot", self.last)] if self.last else []
        text = _MIGRATION.format(atomic=atomic, dependencies=dependencies, operations=operations)
        (self.folder / f"{name}.py").write_text(text)
        self.last = name

    def migrate(
        self,
        *arguments: str,
        command: str = "migrate_views",
        on_write: Callable[[str], None] | None = None,
        **options: Any,
    ) -> str:
        """Run a command on the app; return what it printed. ``on_write`` gets each text as it is printed."""
        out = _Out(on_write)
        for module in [name for name in sys.modules if name.startswith("depot.migrations.")]:
            del sys.modules[module]
        call_command(command, "depot", *arguments, stdout=out, stderr=out, **options)
        return out.getvalue()

    def applied(self) -> list[str]:
        """The names of the migrations that are applied."""
        rows = query("SELECT name FROM django_migrations WHERE app = 'depot' ORDER BY id")
        return [name for (name,) in rows]


def query(sql: str) -> list[tuple[Any, ...]]:
    """Run SQL; return the rows of the last statement, if it has any."""
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Depot]:
    """The app, with its first migration applied."""
    monkeypatch.syspath_prepend(tmp_path)
    made = Depot(tmp_path)
    # django.contrib.postgres, set up anew, would look for types on every open connection.
    for alias in set(connections) - {"default"}:
        connections[alias].close()
    change = modify_settings(INSTALLED_APPS={"append": "depot"})
    change.enable()
    made.migrate(command="migrate", verbosity=0)
    try:
        yield made
    finally:
        change.disable()
        query(
            "DROP SCHEMA IF EXISTS views, reports CASCADE; DELETE FROM django_migrations WHERE app = 'depot'"
        )
        query(
            "DROP TABLE IF EXISTS depot_order, depot_purchase, depot_other CASCADE; DROP TYPE IF EXISTS mood"
        )
        for module in [name for name in sys.modules if name.partition(".")[0] == "depot"]:
            del sys.modules[module]


@pytest.fixture
def release(registered: Any) -> Callable[..., None]:
    """A function that declares the views of a release: names with their SQL."""
    from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

    def declare(stored: dict[str, str] | None = None, **plain: str) -> None:
        registered._classes.clear()
        registered._changed()
        for name, sql in plain.items():
            type(name, (PostgresViewFromSQL,), {"__module__": __name__, "sql": sql})
        for name, sql in (stored or {}).items():
            bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
            type(name, bases, {"__module__": __name__, "sql": sql, "pk_field": "id"})

    return declare
