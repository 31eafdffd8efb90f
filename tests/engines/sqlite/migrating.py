"""Migrations of the app of these tests, written for one test each, and run on a file."""

from __future__ import annotations

import itertools
import textwrap
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from .files import ALIAS

_HEAD = """
import django.db.migrations
from django.db import migrations, models


def explode(apps, schema_editor):
    raise ZeroDivisionError


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    atomic = {atomic}
    operations = [
{operations}
    ]
"""

#: The first migration: two tables, one of which refers to the other.
FIRST = """
migrations.CreateModel(
    "Owner", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
),
migrations.CreateModel(
    "Item",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("code", models.CharField(max_length=10)),
        ("title", models.CharField(max_length=100)),
        ("price", models.IntegerField(default=0)),
        ("owner", models.ForeignKey("shop.Owner", models.CASCADE, null=True)),
    ],
),
"""
_numbers = itertools.count()


class Package:
    """A package of migrations.

    Attributes:
        name: its name.
    """

    def __init__(self, directory: Path) -> None:
        self.name = f"shop_migrations_{next(_numbers)}"
        self._directory = directory / self.name
        self._directory.mkdir()
        (self._directory / "__init__.py").touch()
        self._count = 0
        self.add(FIRST)

    def add(self, operations: str, *, atomic: bool = True) -> str:
        """Add a migration; return its name."""
        previous = f'("shop", "{self._count:04}")' if self._count else ""
        self._count += 1
        name = f"{self._count:04}"
        text = _HEAD.format(
            dependencies=previous, atomic=atomic, operations=textwrap.indent(operations.strip(), " " * 8)
        )
        (self._directory / f"{name}.py").write_text(text)
        return name


def migrate(target: str | None = None, *, command: str = "migrate", **options: object) -> str:
    """Run the command of a project; return what it wrote to the standard error."""
    errors = StringIO()
    arguments = ["shop", *([target] if target else [])]
    told = {"verbosity": 0, "stdout": StringIO(), "stderr": errors, "no_color": True}
    call_command(command, *arguments, database=ALIAS, **told, **options)
    return errors.getvalue()
