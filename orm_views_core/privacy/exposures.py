"""Which columns of views are made of personal ones, and in what way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orm_views_core.database.lineage import ColumnLineage, Lineage, RelationColumn, ViewLineage
from orm_views_core.names import ViewName

#: The personal columns of tables, each with the labels of its fields.
Personal = Mapping[RelationColumn, str]


@dataclass(frozen=True)
class Exposure:
    """A column of a view that is made of personal ones.

    Attributes:
        shows: the personal columns that it shows as they are.
        computed_from: those that it is computed from.
        may_show: those that it may show.
        because: why it may show more than is known, in words; "" when it may not.
        anything: whether it may show any personal column.
    """

    column: RelationColumn
    shows: frozenset[RelationColumn]
    computed_from: frozenset[RelationColumn]
    may_show: frozenset[RelationColumn]
    because: str
    anything: bool

    @property
    def is_shown(self) -> bool:
        """Whether it shows a personal column as it is."""
        return bool(self.shows)

    @property
    def sources(self) -> frozenset[RelationColumn]:
        """The personal columns that are known to be in it."""
        return self.shows | self.computed_from | self.may_show

    def how(self, personal: Personal, by_way_of: str = "") -> str:
        """Return in what way it is made of personal columns: the rest of a sentence about it.

        Args:
            personal: the fields of the personal columns.
            by_way_of: the view that it has them from; "" when it reads their tables.
        """

        def fields(columns: Iterable[RelationColumn]) -> str:
            return _listed(sorted({personal[column] for column in columns}))

        parts = []
        if self.shows:
            parts.append(f"shows {fields(self.shows)} as it is")
        if self.computed_from:
            parts.append(f"is computed from {fields(self.computed_from)}")
        if by_way_of and parts:
            parts[-1] += f", by way of {by_way_of}"
        if self.may_show or self.anything:
            what = fields(self.may_show) if self.may_show else "any personal field"
            parts.append(f"may show {what}, because {self.because}")
        return _listed(parts)


def find_exposures(lineage: Lineage, personal: Personal) -> dict[ViewName, dict[str, Exposure]]:
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
    anything = bool(column.through) and bool(personal)
    if not (shows or computed or may_show or anything):
        return None
    because = column.because if may_show or anything else ""
    at = RelationColumn(view.view, column.column)
    return Exposure(at, shows, computed, may_show, because, anything)


def way_to(lineage: Lineage, exposure: Exposure) -> str:
    """Return the column of a view that a column has a personal value from; "" if it reads the table."""
    direct = lineage.direct.get(exposure.column.relation)
    column = direct.column(exposure.column.column) if direct else None
    for source in sorted(column.sources) if column else ():
        view = lineage.views.get(source.relation)
        made = view.column(source.column) if view else None
        if made and made.sources & exposure.sources:
            return str(source)
    return ""


def _listed(parts: list[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
