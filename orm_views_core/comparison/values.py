"""What a comparison of rows has found, as values. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.database.rows import Cell, RowColumn
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence

#: How many rows of each change are shown.
SAMPLES = 20
#: How many times as many rows there are as a sample has.
SAMPLED_FROM = 100


class Action(enum.Enum):
    """What the plan does to the rows of a view.

    Attributes:
        CHANGED: its definition changes.
        NEW: the plan creates it.
        DROPPED: the plan drops it.
        SAME: it stays as it is, and is compared with itself.
    """

    CHANGED = "changed"
    NEW = "new"
    DROPPED = "dropped"
    SAME = "same"


class Change(enum.Enum):
    """What happens to a row.

    Attributes:
        ADDED: only the new definition has it.
        REMOVED: only the old definition has it.
        CHANGED: both have it by its key, and other values differ.
    """

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class ComparedColumn:
    """A column of the old definition, of the new one, or of both.

    Attributes:
        name: its name.
        old: the column as it is; None if it is added.
        new: the column as it will be; None if it is removed.
        by_text: whether the texts of its values are compared, because its type has no equality of its own or
            is another one.
    """

    name: str
    old: RowColumn | None
    new: RowColumn | None
    by_text: bool = False

    @property
    def in_both(self) -> bool:
        """Whether both definitions have it."""
        return self.old is not None and self.new is not None

    @property
    def is_retyped(self) -> bool:
        """Whether it has another type or another collation."""
        return (
            self.old is not None
            and self.new is not None
            and (self.old.type, self.old.collation) != (self.new.type, self.new.collation)
        )

    @property
    def shown(self) -> RowColumn:
        """The column as it will be, or as it was if it is removed."""
        column = self.new or self.old
        assert column is not None
        return column


@dataclass(frozen=True)
class Counts:
    """How many rows there are, and how many differ.

    Attributes:
        old: the rows of the old definition.
        new: the rows of the new one.
        added: the rows that only the new definition has.
        removed: the rows that only the old one has.
        changed: the rows with the same key and other values; None if the rows have no key.
        by_column: in how many of the changed rows each column differs. Columns without any are left out.
    """

    old: int
    new: int
    added: int
    removed: int
    changed: int | None = None
    by_column: Mapping[str, int] = field(default_factory=dict)

    @property
    def differ(self) -> bool:
        """Whether any row differs."""
        return bool(self.added or self.removed or self.changed)

    def scaled(self, factor: int) -> Counts:
        """Return the counts of so many times as many rows.

        Args:
            factor: how many times.
        """
        return Counts(
            self.old * factor,
            self.new * factor,
            self.added * factor,
            self.removed * factor,
            None if self.changed is None else self.changed * factor,
            {column: count * factor for column, count in self.by_column.items()},
        )


class Sample(NamedTuple):
    """A row that differs, with a cell for each compared column.

    A cell is None if its value was not read: the column is masked, or there is no such row or column.

    Attributes:
        change: what happens to the row.
        old: its cells by the old definition.
        new: its cells by the new one.
    """

    change: Change
    old: tuple[Cell | None, ...]
    new: tuple[Cell | None, ...]


@dataclass(frozen=True)
class ComparedView:
    """What a plan does to the rows of a view.

    Attributes:
        name: the view.
        action: what the plan does to its rows.
        columns: the columns of the new definition, and then those that only the old one has.
        key: the columns that identify a row; () if rows were compared as a whole.
        why_no_key: why the key that was looked for is none, in words; "" if there was none to look for.
        counts: None if the rows were not compared.
        is_estimate: whether the counts are those of a sample, scaled.
        samples: at most 20 rows of each change.
        personal: the columns with personal data, in either definition.
        masked: those of them whose values were not read.
        unrepeatable: the columns that differ if the new definition is computed twice.
        repeats: whether the new definition gives the same rows each time; None if that is not known.
        stored: whether the old rows are the stored ones.
        refreshed: how current the stored rows are; None if that is unknown.
        why_not: why the rows were not compared, in words; "" if they were.
        seconds: how many seconds it took.
    """

    name: ViewName
    action: Action
    columns: tuple[ComparedColumn, ...] = ()
    key: tuple[str, ...] = ()
    why_no_key: Sentence = NOTHING
    counts: Counts | None = None
    is_estimate: bool = False
    samples: tuple[Sample, ...] = ()
    personal: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    unrepeatable: tuple[str, ...] = ()
    repeats: bool | None = True
    stored: bool = False
    refreshed: dt.datetime | None = None
    why_not: Sentence = NOTHING
    seconds: float = 0.0

    @property
    def added_columns(self) -> list[ComparedColumn]:
        """The columns that only the new definition has."""
        return [column for column in self.columns if column.old is None and column.new is not None]

    @property
    def removed_columns(self) -> list[ComparedColumn]:
        """The columns that only the old definition has."""
        return [column for column in self.columns if column.new is None]

    @property
    def retyped_columns(self) -> list[ComparedColumn]:
        """The columns that have another type."""
        return [column for column in self.columns if column.is_retyped]


@dataclass(frozen=True)
class Comparison:
    """What a plan does to the rows of the views of a database.

    Attributes:
        database: the alias.
        views: the views, in the order in which a sync creates them.
        seconds: how many seconds it took.
    """

    database: str
    views: tuple[ComparedView, ...] = ()
    seconds: float = 0.0
