"""What the views of a catalogue read and are read by, and the tables that they are made of. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from orm_views_core.database.lineage import Columns, RelationColumn
from orm_views_core.names import ViewName

from .values import CatalogueTable, CatalogueView, TableColumn

Reads = Mapping[ViewName, Collection[ViewName]]
#: Where a column is found again, by the attribute of ``TableColumn`` that says so.
_Places = dict[str, set[Any]]


def visible_reads(views: Collection[ViewName], reads: Reads) -> dict[ViewName, tuple[ViewName, ...]]:
    """Return what each view reads, as far as the catalogue names it: its own views, and tables.

    In the place of a view that is not in the catalogue stands what that view reads.

    Args:
        views: the views of the catalogue.
        reads: the relations that each view of the database reads.
    """
    known = set(views)
    found = {}
    for view in views:
        visible: set[ViewName] = set()
        seen, pending = {view}, [view]
        while pending:
            for relation in reads.get(pending.pop(), ()):
                if relation in known or relation not in reads:
                    visible.add(relation)
                elif relation not in seen:
                    seen.add(relation)
                    pending.append(relation)
        found[view] = tuple(sorted(visible - {view}))
    return found


def inverted(reads: Mapping[ViewName, Iterable[ViewName]]) -> dict[ViewName, tuple[ViewName, ...]]:
    """Return by what each relation is read."""
    read_by: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    for reader, relations in reads.items():
        for relation in relations:
            read_by[relation].add(reader)
    return {relation: tuple(sorted(readers)) for relation, readers in read_by.items()}


def tables_of(
    database: str, views: Collection[CatalogueView], personal: Columns
) -> tuple[CatalogueTable, ...]:
    """Return the tables that views are made of, with the columns that are found again in them.

    Args:
        database: the alias.
        views: the views of the catalogue.
        personal: the personal columns of tables.
    """
    own = {view.name for view in views}
    read_by = inverted({view.name: {*view.reads, *_relations(view)} for view in views})
    columns: defaultdict[ViewName, dict[str, _Places]] = defaultdict(dict)
    for source, attribute, found in _places(views):
        places = columns[source.relation].setdefault(source.column, {})
        places.setdefault(attribute, set()).add(found)
    return tuple(
        CatalogueTable(
            database,
            name,
            tuple(
                TableColumn(
                    column,
                    **{attribute: tuple(sorted(found)) for attribute, found in places.items()},
                    is_personal=RelationColumn(name, column) in personal,
                )
                for column, places in sorted(columns[name].items())
            ),
            read_by[name],
        )
        for name in sorted(read_by.keys() - own)
    )


def _places(views: Iterable[CatalogueView]) -> Iterator[tuple[RelationColumn, str, object]]:
    """Yield each column of a table, in what way it is found again, and where."""
    for view in views:
        for column in view.columns:
            lineage = column.lineage
            for attribute, sources in (
                ("shown_by", lineage.shows),
                ("computed_into", lineage.computed_from),
                ("maybe_shown_by", lineage.may_show),
            ):
                yield from ((source, attribute, (view.name, column.name)) for source in sources)
        yield from ((source, "used_by", view.name) for source in view.uses)


def _relations(view: CatalogueView) -> set[ViewName]:
    sources = view.uses.union(*(column.lineage.sources for column in view.columns))
    return {source.relation for source in sources}
