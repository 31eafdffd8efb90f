"""Random migrations: a file with views gets the same tables as one without, and keeps its views."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connections, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from orm_views_core.engines.sqlite.aside import STEP_ASIDE
from tests.soak.conftest import how_many, seed

from .files import ALIAS, File

__all__ = ["how_many", "seed"]

STEPS, VIEWS = 12, 8
_FIELDS: list[Callable[[], models.Field[Any, Any]]] = [
    lambda: models.IntegerField(null=True),
    lambda: models.IntegerField(default=1),
    lambda: models.TextField(default="x"),
    lambda: models.IntegerField(null=True, db_index=True),
]


@dataclass
class Tables:
    """Two tables that change at random."""

    chosen: random.Random
    columns: dict[str, list[str]] = field(default_factory=lambda: {"M0": ["c0", "c1"], "M1": ["c0", "c1"]})
    count: int = 2

    def first(self) -> list[Operation]:
        """Return what creates them."""
        fields = {
            "id": models.BigAutoField(primary_key=True),
            "c0": models.IntegerField(null=True),
            "c1": models.TextField(),
        }
        return [migrations.CreateModel(name, list(fields.items())) for name in self.columns]

    def next(self) -> Operation:
        """Return what changes one of them."""
        model = self.chosen.choice(sorted(self.columns))
        column, new = self.chosen.choice(self.columns[model]), f"c{self.count}"
        some_field = self.chosen.choice(_FIELDS)()
        kind = self.chosen.choice(["add", "refer", "alter", "rename", "rename model", "remove"])
        self.count += 1
        if kind == "rename model":
            self.columns[f"N{self.count}"] = self.columns.pop(model)
            return migrations.RenameModel(model, f"N{self.count}")
        if kind == "alter" or (kind == "remove" and len(self.columns[model]) == 1):
            return migrations.AlterField(model.lower(), column, some_field)
        if kind in ("remove", "rename"):
            self.columns[model].remove(column)
        if kind == "remove":
            return migrations.RemoveField(model.lower(), column)
        self.columns[model].append(new)
        if kind == "rename":
            return migrations.RenameField(model.lower(), column, new)
        if kind == "refer":
            other = self.chosen.choice(sorted(self.columns))
            some_field = models.ForeignKey(f"shop.{other}", models.CASCADE, null=True)
        return migrations.AddField(model.lower(), new, some_field)


def _make_views(file: File, chosen: random.Random) -> None:
    """Create views that read tables and one another, some of which cannot be read, with triggers."""
    sources = ["shop_m0", "shop_m1"]
    for i in range(VIEWS):
        select = chosen.choice(["*", "id, c0", "c1 AS c1, id", "count(*) AS id, max(c0) AS c0"])
        file.run(f"CREATE VIEW v{i} AS SELECT {select} FROM {chosen.choice(sources)} -- {i}")
        if chosen.random() < 0.3:
            file.run(f"CREATE TRIGGER t{i} INSTEAD OF DELETE ON v{i} BEGIN SELECT id FROM v{i}; END")
        sources.append(f"v{i}")


def _readable(file: File) -> set[str]:
    found = set()
    for name in file.texts():
        try:
            file.run(f"SELECT * FROM {name}")
        except OperationalError:
            continue
        found.add(name)
    return found


def _migrate(file: File, number: int, *, has_views: bool) -> dict[str, str]:
    """Run random migrations; return the tables after them."""
    chosen = random.Random(number)
    tables, state = Tables(random.Random(number)), ProjectState()

    def apply(operation: Operation) -> None:
        nonlocal state
        after = state.clone()
        operation.state_forwards("shop", after)
        with connections[ALIAS].schema_editor(atomic=number % 2 == 0) as editor:
            operation.database_forwards("shop", editor, state, after)
        state = after

    for operation in tables.first():
        apply(operation)
    for name in ("shop_m0", "shop_m1"):
        file.run(f"INSERT INTO {name} (c0, c1) VALUES (1, 'x')")
    if has_views:
        connections[ALIAS].execute_wrappers.append(STEP_ASIDE)
        _make_views(file, chosen)
    for _ in range(STEPS):
        operation, texts, could = tables.next(), file.texts("view", "trigger"), _readable(file)
        apply(operation)
        now, can = file.texts("view", "trigger"), _readable(file)
        assert now.keys() == texts.keys()
        if not isinstance(operation, migrations.RenameField | migrations.RenameModel):
            assert now == texts, operation
            assert can <= could, operation
            assert can == could or isinstance(operation, migrations.RemoveField), operation
    assert file.is_whole()
    return file.texts("table", "index")


def test_views_change_nothing_of_migrations(file, how_many, seed):
    for number in range(seed, seed + how_many(2, 100)):
        made = []
        for has_views in (False, True):
            made.append(_migrate(file, number, has_views=has_views))
            connections[ALIAS].close()
            del connections[ALIAS]
            file.path.unlink()
        assert made[0] == made[1], number
