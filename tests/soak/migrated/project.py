"""A project of two releases, in a folder of its own: the second has migrations, and views that need them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

ROOT = Path(__file__).absolute().parents[3]

_SETTINGS = """
import json, os
DATABASES = {"default": json.loads(os.environ["DEPOT_DATABASE"])}
INSTALLED_APPS = ["orm_views_core", "depot"]
SECRET_KEY = "depot"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ORM_VIEWS = {"LOCK_WAIT": 60}
"""
_FIRST = """
from django.db import migrations, models

ROWS = '''
INSERT INTO depot_order (total, note, city)
SELECT n % 100, 'n' || n % 7, 'Bern' FROM generate_series(1, {rows}) AS n;
INSERT INTO depot_calm (size) SELECT n % 100 FROM generate_series(1, {rows}) AS n;
'''


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("total", models.IntegerField()),
            ("note", models.CharField(max_length=20)),
            ("city", models.CharField(max_length=20)),
        ]),
        migrations.CreateModel("Calm", [
            ("id", models.BigAutoField(primary_key=True)),
            ("size", models.IntegerField()),
        ]),
        migrations.RunSQL(ROWS, migrations.RunSQL.noop),
    ]
"""
_NEXT = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("depot", "{before}")]
    operations = [{operations}]
"""
_MODELS = """
from django.db import models


class Order(models.Model):
    total = models.BigIntegerField()
    note = models.CharField(max_length=20)
    town = models.CharField(max_length=40)
    more = models.IntegerField(default=7)

    class Meta:
        indexes = [models.Index(fields=["total"], name="by_total")]


class Calm(models.Model):
    size = models.IntegerField()
"""
MIGRATIONS = {
    "0002_wider": 'migrations.AlterField("Order", "total", models.BigIntegerField())',
    "0003_longer": 'migrations.AlterField("Order", "city", models.CharField(max_length=40))',
    "0004_more": 'migrations.AddField("Order", "more", models.IntegerField(default=7))',
    "0005_town": 'migrations.RenameField("Order", "city", "town")',
    "0006_index": 'migrations.AddIndex("Order", models.Index(fields=["total"], name="by_total"))',
}
#: All of these read what the migrations change, but ``calm``.
_VIEWS = '''
import os
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

SECOND = os.environ["DEPOT_RELEASE"] == "2"
TOWN = "town" if SECOND else "city"


class Totals(PostgresViewFromSQL):
    """Orders with their totals."""
    sql = f"SELECT id, total, {TOWN} AS town{', more' if SECOND else ''} FROM depot_order"


class ByTown(PostgresViewFromSQL):
    sql = "SELECT town, sum(total) AS total, count(*) AS n FROM views.totals GROUP BY town"


class Stored(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    pk_field = "id"
    sql = "SELECT id, total FROM depot_order"


class Summed(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    pk_field = "town"
    sql = "SELECT town, total, n FROM views.bytown"


class Calm(PostgresViewFromSQL):
    sql = "SELECT id, size FROM depot_calm"
'''
_OTHERS = """
CREATE SCHEMA reports;
CREATE VIEW reports.theirs AS SELECT total, count(*) AS n FROM depot_order GROUP BY total;
GRANT SELECT ON views.stored TO PUBLIC; CREATE INDEX by_hand ON views.stored (total);
COMMENT ON COLUMN views.stored.total IS 'by hand';
"""


class Project:
    """The project, and its database.

    Args:
        folder: where to write it.
        rows: how many rows each table has.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder
        app = folder / "depot"
        (app / "migrations").mkdir(parents=True)
        for package in (app, app / "migrations"):
            (package / "__init__.py").touch()
        (folder / "depot_settings.py").write_text(_SETTINGS)
        (app / "models.py").write_text(_MODELS)
        (app / "postgres_views.py").write_text(_VIEWS)
        (app / "migrations" / "0001_initial.py").write_text(_FIRST.replace("{rows}", str(rows)))
        before = "0001_initial"
        for name, operations in MIGRATIONS.items():
            text = _NEXT.format(before=before, operations=operations)
            (app / "migrations" / f"{name}.py").write_text(text)
            before = name
        self.settings = {
            key: value
            for key, value in connections["default"].settings_dict.items()
            if key in {"ENGINE", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS"}
        }
        self.settings["NAME"] = f"depot_{os.getpid()}"

    @contextmanager
    def database(self) -> Iterator[None]:
        """Make the database, with the first release in it; drop it at the end."""
        name = self.settings["NAME"]
        with connections["default"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        try:
            self.call("migrate", "depot", "0001", release=1)
            self.call("sync_views", release=1)
            self.query(_OTHERS)
            yield
        finally:
            with connections["default"].cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def environment(self, release: int) -> dict[str, str]:
        """The environment of a process of the project."""
        return {
            **os.environ,
            "DEPOT_DATABASE": json.dumps(self.settings),
            "DEPOT_RELEASE": str(release),
            "DJANGO_SETTINGS_MODULE": "depot_settings",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
        }

    def call(self, *command: str, release: int) -> str:
        """Run ``manage.py`` with a command of a release; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "django", *command],
            env=self.environment(release),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL in a session of its own; return the rows of the last statement."""
        connection = connections.create_connection("default")
        connection.settings_dict = {**connection.settings_dict, "NAME": self.settings["NAME"]}
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
