"""What a column of a view is made of, as values. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence


class RelationColumn(NamedTuple):
    """A column of a table, a view or another relation.

    Attributes:
        relation: the table, the view or the other relation.
        column: the name of the column.
    """

    relation: ViewName
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{self.column}"


Columns = frozenset[RelationColumn]


@dataclass(frozen=True)
class ColumnLineage:
    """What one output column of a view is made of. No column is in more than one of the first three sets.

    Attributes:
        column: its name.
        shows: the columns whose values it shows as they are.
        computed_from: the columns that its values are computed from.
        may_show: the columns that it may show, because its SELECT could not be read to the end.
        through: what it reads through that may read any table, as a text each: functions, and some of
            PostgreSQL's own relations.
        because: why it may show more than ``shows`` and ``computed_from`` say, in words; "" when it may not.
    """

    column: str
    shows: Columns = frozenset()
    computed_from: Columns = frozenset()
    may_show: Columns = frozenset()
    through: tuple[str, ...] = ()
    because: Sentence = NOTHING

    @property
    def sources(self) -> Columns:
        """All columns that it shows, is computed from or may show."""
        return self.shows | self.computed_from | self.may_show


@dataclass(frozen=True)
class ViewLineage:
    """What a view is made of.

    Attributes:
        view: its name.
        columns: its output columns, in their order.
        uses: the columns that only decide which rows it has, or in which order: those in WHERE, JOIN, GROUP
            BY, HAVING, ORDER BY and on the right side of EXCEPT.
        is_exact: whether its SELECT could be read to the end.
    """

    view: ViewName
    columns: tuple[ColumnLineage, ...]
    uses: Columns = frozenset()
    is_exact: bool = True

    def column(self, name: str) -> ColumnLineage | None:
        """Return the column of a name; None when the view has no such column.

        Args:
            name: the name of the column.
        """
        return next((column for column in self.columns if column.column == name), None)


@dataclass(frozen=True)
class Lineage:
    """The lineage of the views of a database.

    Attributes:
        views: each view, followed through the views that it reads to the columns of tables.
        direct: each view, as its own SELECT says: what it reads may be a view.
        reads: the relations that each view reads.
    """

    views: Mapping[ViewName, ViewLineage] = field(default_factory=dict)
    direct: Mapping[ViewName, ViewLineage] = field(default_factory=dict)
    reads: Mapping[ViewName, Collection[ViewName]] = field(default_factory=dict)
