"""The way of a column: the columns that it is made of, and what is made of it. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orm_views_core.lineage import RelationColumn, ViewLineage, Way, ways
from orm_views_core.names import ViewName

Direct = Mapping[ViewName, ViewLineage]
"""What each view is made of, as its own SELECT says."""

#: On the way through several views, the last one of these counts that it has.
_ORDER = list(Way)

_Step = tuple[RelationColumn, Way]


@dataclass(frozen=True)
class ColumnWay:
    """The way of a column.

    Attributes:
        columns: the columns that it is made of, and those that are made of it, each with in what way. The
            column itself is not among them.
        rows: the views that only use it, or what is made of it: it decides which rows they have.
    """

    columns: Mapping[RelationColumn, Way] = field(default_factory=dict)
    rows: frozenset[ViewName] = frozenset()

    def without(self, hidden: Collection[ViewName]) -> ColumnWay:
        """Return the same way without what is in some views."""
        columns = {column: way for column, way in self.columns.items() if column.relation not in hidden}
        return ColumnWay(columns, self.rows.difference(hidden))


def find_way(direct: Direct, start: RelationColumn) -> ColumnWay:
    """Return the way of a column, as far as the lineage of views tells it."""
    forth = goes_to(direct)
    back = _follow(start, lambda column: _made_of(direct, column))
    made = _follow(start, lambda column: forth.get(column, ()))
    used = frozenset({start, *made})
    rows = {view for view, lineage in direct.items() if not used.isdisjoint(lineage.uses)}
    shown = {column.relation for column in used}
    return ColumnWay({**back, **made}, frozenset(rows - shown))


def goes_to(direct: Direct) -> Mapping[RelationColumn, Sequence[_Step]]:
    """Return the columns that are made of each column, each with in what way."""
    found: defaultdict[RelationColumn, list[_Step]] = defaultdict(list)
    for view, lineage in direct.items():
        for column in lineage.columns:
            for way, sources in ways(column):
                for source in sources:
                    found[source].append((RelationColumn(view, column.column), way))
    return found


def _made_of(direct: Direct, column: RelationColumn) -> list[_Step]:
    lineage = direct.get(column.relation)
    found = lineage.column(column.column) if lineage else None
    return [(source, way) for way, sources in ways(found) for source in sources] if found else []


def _follow(
    start: RelationColumn, steps: Callable[[RelationColumn], Iterable[_Step]]
) -> dict[RelationColumn, Way]:
    """Return what can be reached from a column; of several ways, the one that changes least counts."""
    found = {start: _ORDER[0]}
    pending = deque([start])
    while pending:
        column = pending.popleft()
        for other, way in steps(column):
            changed = max(way, found[column], key=_ORDER.index)
            if other not in found or _ORDER.index(changed) < _ORDER.index(found[other]):
                found[other] = changed
                pending.append(other)
    del found[start]
    return found
