"""Which columns of views are made of personal ones, and in what way. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orm_views_core.database.lineage import ColumnLineage, Lineage, RelationColumn, ViewLineage
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, enumerated, says, says_n

#: The personal columns of tables, each with the labels of its fields.
Personal = Mapping[RelationColumn, str]


@dataclass(frozen=True)
class Exposure:
    """A column of a view that is made of personal ones.

    Attributes:
        column: the column of the view.
        shows: the personal columns that it shows as they are.
        computed_from: those that it is computed from.
        may_show: those that it may show.
        because: why it may show more than is known, in words; "" when it may not.
        through: what it reads through that may read any table. So it may show any personal column.
    """

    column: RelationColumn
    shows: frozenset[RelationColumn]
    computed_from: frozenset[RelationColumn]
    may_show: frozenset[RelationColumn]
    because: Sentence
    through: tuple[str, ...]

    @property
    def is_shown(self) -> bool:
        """Whether it shows a personal column as it is."""
        return bool(self.shows)

    @property
    def sources(self) -> frozenset[RelationColumn]:
        """The personal columns that are known to be in it."""
        return self.shows | self.computed_from | self.may_show

    @property
    def functions(self) -> list[str]:
        """The functions of users among what it reads through. PostgreSQL's own are named without a schema."""
        return [each for each in self.through if "." in each.partition("(")[0] and "(" in each]

    def is_within(self, other: Exposure | None) -> bool:
        """Return whether another one shows all that it shows, and is made of all that it is made of.

        Args:
            other: the other column; None for none.
        """
        if other is None or (self.through and not other.through):
            return False
        return self.shows <= other.shows and self.sources <= other.sources

    def how(self, personal: Personal, by_way_of: Collection[RelationColumn] = ()) -> Sentence:
        """Return in what way it is made of personal columns: the rest of a sentence about it.

        Args:
            personal: the fields of the personal columns.
            by_way_of: the columns of views that it has them from; none when it reads their tables.
        """

        def fields(columns: Iterable[RelationColumn]) -> list[str]:
            return sorted({personal[column] for column in columns})

        parts = []
        if shown := fields(self.shows):
            names = enumerated(shown)
            parts.append(
                says_n("shows %(fields)s as it is", "shows %(fields)s as they are", len(shown), fields=names)
            )
        if self.computed_from:
            parts.append(says("is computed from %(fields)s", fields=enumerated(fields(self.computed_from))))
        if self.may_show or self.through:
            names = enumerated(fields(self.may_show) or [says("any personal field")])
            parts.append(says("may show %(fields)s", fields=names))
        how = enumerated(parts)
        if by_way_of:
            how = says("%(how)s, by way of %(columns)s", how=how, columns=enumerated(by_way_of))
        return says("%(how)s, because %(why)s", how=how, why=self.because) if self.because else how


#: Columns of views that are made of personal ones, by view and by name.
Exposures = Mapping[ViewName, Mapping[str, Exposure]]


def find_exposures(lineage: Lineage, personal: Personal) -> Exposures:
    """Return the columns of views that are made of personal ones, by view and by name."""
    found = {}
    for name, view in lineage.views.items():
        exposures = {e.column.column: e for c in view.columns if (e := _exposure(view, c, personal))}
        if exposures:
            found[name] = exposures
    return found


def find_used(lineage: Lineage, personal: Personal) -> dict[ViewName, frozenset[RelationColumn]]:
    """Return the personal columns that views only use: they decide which rows a view has."""
    used = {name: view.uses & personal.keys() for name, view in lineage.views.items()}
    return {name: columns for name, columns in used.items() if columns}


def _exposure(view: ViewLineage, column: ColumnLineage, personal: Personal) -> Exposure | None:
    shows, computed, may_show = (
        columns & personal.keys() for columns in (column.shows, column.computed_from, column.may_show)
    )
    through = column.through if personal else ()
    if not (shows or computed or may_show or through):
        return None
    because = column.because if may_show or through else NOTHING
    at = RelationColumn(view.view, column.column)
    return Exposure(at, shows, computed, may_show, because, through)


class Ways(NamedTuple):
    """Where a column of a view has its personal values from.

    Attributes:
        views: the columns of views that pass them on to it.
        are_all: whether all come from there, and none from a table that it reads itself.
    """

    views: tuple[RelationColumn, ...]
    are_all: bool


def ways_to(lineage: Lineage, exposure: Exposure) -> Ways:
    """Return where a column has its personal values from."""
    direct = lineage.direct.get(exposure.column.relation)
    column = direct.column(exposure.column.column) if direct else None
    if column is None:
        return Ways((), are_all=False)
    passed_on: dict[RelationColumn, ColumnLineage] = {}
    for source in sorted(column.sources):
        view = lineage.views.get(source.relation)
        made = view.column(source.column) if view else None
        if made and (made.sources & exposure.sources or made.through):
            passed_on[source] = made
    missing = exposure.sources.difference(*(made.sources for made in passed_on.values()))
    is_direct = bool(missing or column.sources & exposure.sources or column.through)
    return Ways(tuple(passed_on), are_all=bool(passed_on) and not is_direct)
