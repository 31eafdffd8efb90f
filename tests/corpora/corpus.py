"""The views of the corpora: those written in `sql/`, and those that the grammar writes."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

from .grammar import Grammar

_SQL = Path(__file__).parent / "sql"
TABLES = (_SQL / "tables.sql").read_text()
WORLDS = ("trade", "retail", "library", "hospital", "logs", "graphs")
SEED = 20_240_229
_VIEW = re.compile(r'^-- view ("(?:[^"]|"")+"|\w+)( materialised)?(?: since (\d+))?\n', re.MULTILINE)


class Sample(NamedTuple):
    """One view; `since` is the first major version of PostgreSQL that accepts it."""

    name: str
    sql: str
    materialised: bool
    since: int = 14

    def declare(self) -> type[PostgresViewFromSQL]:
        """Declare the class that a project would write."""
        bases = (PostgresMaterialisedViewMixin,) if self.materialised else ()
        values = {"name": self.name, "sql": self.sql, "__module__": __name__}
        return type(self.name.title().replace("_", ""), (*bases, PostgresViewFromSQL), values)

    def create(self, schema: str) -> str:
        """Write the statement that creates it, and reads its like, in another schema."""
        kind = "MATERIALIZED VIEW" if self.materialised else "VIEW"
        name = self.name.replace('"', '""')
        return f'CREATE {kind} {schema}."{name}" AS {self.sql.replace("views.", f"{schema}.")}'


def written() -> list[Sample]:
    """Return the views of `sql/`, each after those that it reads."""
    samples = []
    for world in WORLDS:
        _, *parts = _VIEW.split((_SQL / f"{world}.sql").read_text())
        for name, materialised, since, sql in zip(*(parts[i::4] for i in range(4)), strict=True):
            name = name[1:-1].replace('""', '"') if name[0] == '"' else name
            samples.append(Sample(name, sql.strip().removesuffix(";"), bool(materialised), int(since or 14)))
    return samples


def generated(number: int) -> list[Sample]:
    """Return the first views that the grammar writes, each after those that it reads."""
    made = islice(Grammar(SEED).selects(), number)
    return [Sample(name, select.sql, i % 5 in (0, 3)) for i, (name, select) in enumerate(made)]


def corpus(version: int, *, whole: bool) -> list[Sample]:
    """Return what a PostgreSQL accepts: all of it, or a sample."""
    samples = written() + generated(1000 if whole else 20)
    return [sample for sample in samples if sample.since <= version]
