"""Follows what means something else in some views to the views that are made of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orm_views_core.database.lineage import Lineage, RelationColumn
from orm_views_core.engines.postgresql.meanings.compare import Difference
from orm_views_core.names import ViewName
from orm_views_core.plan.meanings import ChangedMeaning

from .questions import in_order


def follow_changes(
    lineage: Lineage, changed: Mapping[ViewName, Difference], ours: Collection[ViewName]
) -> tuple[ChangedMeaning, ...]:
    """Return what means something else in views that change, and in the views that are made of them.

    The rows of a view change with those of any view that it reads, even if it only looks something up there.

    Args:
        lineage: the views as they will be.
        changed: what means something else in views because their definitions change.
        ours: the registered views.

    Returns:
        the views, each after those that it reads.
    """
    columns: set[RelationColumn] = set()
    rows: set[ViewName] = set()
    found = []
    for name in in_order(lineage):
        view, own = lineage.direct[name], changed.get(name, Difference())
        other: list[str] = []
        by_way_of = {read for read in lineage.reads.get(name, ()) if read in rows}
        has_other_rows = own.rows or bool(by_way_of)
        for column in view.columns:
            sources = column.sources & columns
            by_way_of |= {source.relation for source in sources}
            if sources or column.column in own.columns:
                other.append(column.column)
        used = view.uses & columns
        by_way_of |= {source.relation for source in used}
        if used or has_other_rows:
            rows.add(name)
        columns |= {RelationColumn(name, each) for each in other}
        if other or name in rows:
            way = tuple(sorted(by_way_of))
            found.append(ChangedMeaning(name, name in ours, tuple(other), name in rows, way, own.is_exact))
    return tuple(found)
