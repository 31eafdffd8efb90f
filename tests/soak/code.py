"""The model's side of a project: a graph of views as their classes say them, and their SQL.

Nothing here knows of a database. Columns have a key that stays while their name changes, so whoever renames
one edits the readers as well, the way an engineer would.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

TYPES = ("bigint", "integer", "text", "numeric(10,2)", "character varying(20)")
ID = 0  # the key of every relation's first column, which identifies a row


@dataclass(frozen=True)
class Column:
    """A column of a view: column ``of`` of one of its sources, as it is or computed and cast to ``type``."""

    key: int
    name: str
    source: int
    of: int
    type: str = ""
    salt: int = 0


@dataclass(frozen=True)
class View:
    """What a class says."""

    name: str
    materialised: bool
    sources: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    star: bool = False
    leaves_out: int = 0
    comment: str = ""
    barrier: bool = False
    granted: bool = False
    indexed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Resolved:
    """A column of a relation as its readers see it."""

    key: int
    name: str
    type: str


def _tables() -> dict[str, list[Resolved]]:
    types = ("integer", "text", "numeric(10,2)")
    return {
        f"base.{table}": [
            Resolved(ID, "id", "bigint"),
            *(Resolved(start + i, f"{table}_{i + 1}", type_) for i, type_ in enumerate(types)),
        ]
        for table, start in (("loans", 1), ("cities", 4))
    }


class Code:
    """All classes of the project, and the tables under them."""

    def __init__(self) -> None:
        self.tables = _tables()
        self.views: dict[str, View] = {}
        self.dropped: dict[str, View] = {}
        self._number = 10

    def copy(self) -> Code:
        """Return the code as it is now, to be compared with later."""
        return copy.deepcopy(self)

    def number(self) -> int:
        """Return a number that nothing else has."""
        self._number += 1
        return self._number

    def change(self, name: str, **values: object) -> None:
        """Edit a class."""
        self.views[name] = replace(self.views[name], **values)  # type: ignore[arg-type]

    def columns(self, relation: str) -> list[Resolved]:
        """Return the columns of a table or view, in order."""
        if relation in self.tables:
            return self.tables[relation]
        view = self.views[relation]
        if view.star:
            return self.columns(view.sources[0])
        return [Resolved(ID, "id", "bigint"), *(self._resolve(view, column) for column in view.columns)]

    def _resolve(self, view: View, column: Column) -> Resolved:
        return Resolved(column.key, column.name, column.type or self.source_of(view, column).type)

    def source_of(self, view: View, column: Column) -> Resolved:
        """Return what a column reads; its source's id when that column is gone."""
        columns = self.columns(view.sources[min(column.source, len(view.sources) - 1)])
        return next((c for c in columns if c.key == column.of), columns[0])

    def reads(self, name: str) -> set[str]:
        """Return a view and every view below it."""
        found, pending = set(), [name]
        while pending:
            view = pending.pop()
            if view in self.views and view not in found:
                found.add(view)
                pending += self.views[view].sources
        return found

    def read_by(self, name: str) -> set[str]:
        """Return a view and every view above it."""
        return {view for view in self.views if name in self.reads(view)}

    def readable_by(self, name: str) -> list[str]:
        """Return what a view may read without closing a circle."""
        return [*self.tables, *(view for view in self.views if name not in self.reads(view))]

    def in_order(self) -> Iterator[View]:
        """Yield the views, each after what it reads."""
        for name in sorted(self.views, key=lambda name: (len(self.reads(name)), name)):
            yield self.views[name]

    def sql(self, view: View) -> str:
        """Compile a class to its SELECT."""
        if view.star:
            selected = ["s0.*"]
        else:
            selected = ["s0.id", *(self._expression(view, column) for column in view.columns)]
        sql = f"SELECT {', '.join(selected)}\nFROM {_relation(view.sources[0])} s0"
        for i, source in enumerate(view.sources[1:], start=1):
            sql += f"\nJOIN {_relation(source)} s{i} ON s{i}.id = s0.id"
        return sql + (f"\nWHERE s0.id % {view.leaves_out} <> 0" if view.leaves_out else "")

    def _expression(self, view: View, column: Column) -> str:
        read = f"s{min(column.source, len(view.sources) - 1)}.{self.source_of(view, column).name}"
        if column.type:
            read = f"(hashtext({read}::text) % 1000 + {column.salt})::{column.type}"
        return f"{read} AS {column.name}"

    def says(self, name: str) -> tuple[object, ...]:
        """Return all that the rows of a view come from: its SQL and that of everything below it."""
        return tuple(
            (v, self.views[v].materialised, self.sql(self.views[v])) for v in sorted(self.reads(name))
        )


def _relation(name: str) -> str:
    return name if "." in name else f"views.{name}"
