"""What a view is made of, and what hangs on it, as its page shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import RelationColumn, ViewLineage
from orm_views_core.database.relation_kinds import KnownRelation, RelationKind
from orm_views_core.database.relations import Catalog
from orm_views_core.engines.postgresql.catalog.dependencies import read_hanging_views, read_named_relations
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewName

if TYPE_CHECKING:
    from orm_views_core.lineage import Way
    from orm_views_core.privacy.exposures import Exposure


class Target(NamedTuple):
    """What is made of a column.

    Attributes:
        way: in what way it is.
        column: a column of a view. Its name is "" if the view only uses the original for its rows.
    """

    way: Way
    column: RelationColumn


@dataclass(frozen=True)
class Surroundings:
    """What a view is made of, and what hangs on it.

    Attributes:
        made_of: its lineage, followed to the columns of tables; None when it is not in the database.
        direct: its lineage, as its own SELECT says: what it reads may be a view.
        goes_to: what the views that read it make of its columns, by column.
        hanging: the views that hang on it, however many are between, whoever owns them. Each is with what it
            reads of these and of the view itself.
        personal: its personal columns, by name.
        relations: what it reads, and what hangs on it: whether that is a table or a view.
    """

    made_of: ViewLineage | None = None
    direct: ViewLineage | None = None
    goes_to: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    hanging: Mapping[ViewName, frozenset[ViewName]] = field(default_factory=dict)
    personal: Mapping[str, Exposure] = field(default_factory=dict)
    relations: Mapping[ViewName, KnownRelation] = field(default_factory=dict)


def plain_surroundings(catalog: Catalog, name: ViewName, reads: Collection[ViewName]) -> Surroundings:
    """Return what is known of the surroundings of a view where columns are not followed.

    Args:
        catalog: all views of the database, and what they read.
        name: the view.
        reads: what it reads.
    """
    views = {each.name: each.reads for each in catalog.relations.values() if each.kind is not None}
    below = closure(reverse(views), [name]) - {name}
    hanging = {view: frozenset(views[view] & (below | {name})) for view in below}
    relations = {
        each: KnownRelation(RelationKind.VIEW if each in views else RelationKind.TABLE, is_found=True)
        for each in {*reads, *hanging}
    }
    return Surroundings(hanging=hanging, relations=relations)


def read_surroundings(
    connection: BaseDatabaseWrapper, name: ViewName, reads: Collection[ViewName] = ()
) -> Surroundings:
    """Return what a view is made of, and what hangs on it.

    The rules of the view, of what it reads and of its direct readers are read, and no others.

    Args:
        connection: the database.
        name: the view.
        reads: what it reads.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    # Whatever is done without pages does without the rules of PostgreSQL.
    from orm_views_core.lineage import read_lineage
    from orm_views_core.privacy.api import find_personal_columns

    personal = find_personal_columns(connection, [name])
    with catalog_cursor(connection):
        hanging = read_hanging_views(connection, [name])
        relations = read_named_relations(connection, {*reads, *hanging})
        readers = sorted(reader for reader, reads in hanging.items() if name in reads)
        lineage = read_lineage(connection, [name, *readers], anew=False)
    goes_to: defaultdict[str, list[Target]] = defaultdict(list)
    for reader in readers:
        view = lineage.direct.get(reader)
        for own, target in _targets(name, view) if view else ():
            goes_to[own].append(target)
    return Surroundings(
        lineage.views.get(name),
        lineage.direct.get(name),
        {own: tuple(targets) for own, targets in goes_to.items()},
        {view: frozenset(reads) for view, reads in sorted(hanging.items())},
        personal.get(name, {}),
        relations,
    )


def _targets(name: ViewName, reader: ViewLineage) -> Iterator[tuple[str, Target]]:
    """Yield the columns of a view that a reader has something of, each with what that is."""
    from orm_views_core.lineage import Way, ways

    for column in reader.columns:
        for way, sources in ways(column):
            for own in sorted(source.column for source in sources if source.relation == name):
                yield own, Target(way, RelationColumn(reader.view, column.column))
    for own in sorted(source.column for source in reader.uses if source.relation == name):
        yield own, Target(Way.USES, RelationColumn(reader.view, ""))
