"""Random histories of classes and of changes by hand: a sync does what its plan says, and once is enough."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from orm_views_core.exceptions import DropAllRefusedError, PlanBlockedError
from orm_views_core.views.registry import Registry
from tests.soak.conftest import how_many, seed

from .files import File, declare, plan, states, sync

__all__ = ["how_many", "seed"]

STEPS, NAMES = 20, 30
ITEMS = [(1, 2), (4, 5)]
Rows = list[tuple[int, int]]


@dataclass(frozen=True)
class Spec:
    """What a view selects: from the table, or from a view with a smaller number."""

    kind: str
    source: int | None
    number: int

    def sql(self, chosen: random.Random) -> str:
        """Return its SELECT."""
        source = "item"
        if self.source is not None:
            ways = ["views.v{0}", '"views"."v{0}"', "views.v{0} AS s", "[views_v{0}]"]
            source = chosen.choice(ways).format(self.source)
        return {
            "rows": f"SELECT id, a + {self.number} AS a FROM {source} -- {self.number}",
            "count": f"SELECT count(*) AS id, {self.number} AS a FROM {source}",
            "union": f"SELECT id, a FROM {source} UNION SELECT {self.number}, {self.number}",
        }[self.kind]

    def rows(self, of_source: Rows) -> Rows:
        """Return what it shows."""
        return {
            "rows": sorted((i, a + self.number) for i, a in of_source),
            "count": [(len(of_source), self.number)],
            "union": sorted({*of_source, (self.number, self.number)}),
        }[self.kind]


@dataclass
class World:
    """The classes of a project, and a file."""

    file: File
    registered: Registry
    chosen: random.Random
    classes: dict[int, tuple[type, Spec]] = field(default_factory=dict)

    def act(self) -> None:
        """Do something at random."""
        acts: list[Callable[[], Any]] = [
            self.write,
            self.write,
            self.delete,
            self.drop,
            self.change,
            self.other,
        ]
        self.chosen.choice([*acts, self.temporary])()

    def write(self) -> None:
        number = self.chosen.randint(1, NAMES)
        source = self.chosen.choice([None, *[each for each in self.classes if each < number]])
        spec = Spec(self.chosen.choice(["rows", "count", "union"]), source, self.chosen.randint(-9, 99))
        self.classes[number] = declare(f"V{number}", spec.sql(self.chosen)), spec

    def delete(self) -> None:
        read = {spec.source for _, spec in self.classes.values()}
        if unread := [each for each in self.classes if each not in read]:
            self.registered.unregister(self.classes.pop(self.chosen.choice(unread))[0])

    def drop(self) -> str:
        if not (ours := [name for name in self.file.texts() if name.startswith("views_")]):
            return ""
        name = self.chosen.choice(ours)
        self.file.run(f'DROP VIEW "{name}"')
        return name

    def change(self) -> None:
        texts = self.file.texts()
        if name := self.drop():
            comment = texts[name].rpartition("\n")[2]
            self.file.run(f'CREATE VIEW "{name}" AS SELECT 1 AS id, 2 AS a\n{comment}')

    def other(self) -> None:
        number = self.chosen.randint(1, 5)
        read = self.chosen.randint(1, NAMES)
        self.file.run(f"CREATE VIEW IF NOT EXISTS other{number} AS SELECT * FROM views_v{read}")

    def temporary(self) -> None:
        sql = self.chosen.choice(
            ["CREATE TEMP TABLE IF NOT EXISTS thing (x)", "DROP TABLE IF EXISTS temp.thing"]
        )
        self.file.run(sql)

    def others(self) -> dict[str, str]:
        """Return the views of others."""
        return {name: text for name, text in self.file.texts().items() if name.startswith("other")}

    def rows(self, number: int | None) -> Rows:
        """Return what a view has to show."""
        if number is None:
            return ITEMS
        spec = self.classes[number][1]
        return spec.rows(self.rows(spec.source))

    def sync(self) -> None:
        """Sync. A view of others that reads an orphan stands against that; it is dropped then."""
        before, others = self.file.texts(), self.others()
        try:
            planned = plan()
            assert sync() == planned
        except DropAllRefusedError:
            return
        except PlanBlockedError:
            assert self.file.texts() == before
            assert others
            for name in others:
                self.file.run(f"DROP VIEW {name}")
            sync()
        else:
            assert self.others() == others
        assert sync() == []
        assert set(states().values()) <= {"synced"}
        ours = set(self.file.texts()) - set(self.others())
        assert ours == {f"views_v{number}" for number in self.classes}
        for number in self.classes:
            assert sorted(self.file.run(f"SELECT id, a FROM views_v{number}")) == self.rows(number)


@pytest.mark.parametrize("shift", range(2))
def test_syncs_of_random_histories(file, registered, how_many, seed, shift):
    for number in range(how_many(1, 50)):
        file.run("DROP TABLE IF EXISTS item")
        file.run("CREATE TABLE item (id integer PRIMARY KEY, a integer)")
        file.run("INSERT INTO item VALUES (1, 2), (4, 5)")
        world = World(file, registered, random.Random(seed + 1000 * shift + number))
        for _ in range(STEPS):
            for _ in range(world.chosen.randint(1, 3)):
                world.act()
            world.sync()
        assert file.is_whole()
        for name in file.texts():
            file.run(f'DROP VIEW "{name}"')
        for view, _ in world.classes.values():
            registered.unregister(view)
