"""Finds what hangs on the tables, views and columns that people search for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import RelationColumn, ViewLineage
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.postgresql.catalog.dependencies import read_hanging_views
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor, read_search_path
from orm_views_core.engines.postgresql.rules.named import read_named
from orm_views_core.exceptions import OrmViewsError, UnknownNameError
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewName, parse_db_table
from orm_views_core.spelling.flat import flat_name
from orm_views_core.views.identity import name_of

from .api import read_lineage
from .questions import downstream
from .written import ALL_COLUMNS, Part, parts_of, relations_of


@dataclass(frozen=True)
class Found:
    """What hangs on a table, a view or a column that somebody has searched for.

    Attributes:
        relation: the table or the view.
        column: the column; "" for the whole relation.
        reads: the views that hang on the relation, however many are between, each with what it reads of these
            and of the relation.
        views: of the views that hang on a column, what hangs on it. Empty for a whole relation.
    """

    relation: ViewName
    column: str = ""
    reads: Mapping[ViewName, frozenset[ViewName]] = field(default_factory=dict)
    views: Mapping[ViewName, ViewLineage] = field(default_factory=dict)

    @property
    def names(self) -> Collection[ViewName]:
        """The views that hang on it."""
        return self.views.keys() if self.column else self.reads.keys()


def find_hanging(connection: BaseDatabaseWrapper, texts: Iterable[str]) -> dict[str, list[Found]]:
    """Return what hangs on the tables, views and columns that texts name. Other texts are left out.

    A text is a table or a view, with or without its schema, a model, a class, or one of these with a column
    or a field. What has no schema is looked up along the search path, and among the registered views. The
    number of queries depends neither on how many texts there are nor on how many views.

    Args:
        connection: the database.
        texts: the texts, as people write them. The rules of views are read only if one of them is a column.

    Returns:
        what hangs on each text that names something. A name may stand for several things.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.lineage import find_hanging
        >>> [found] = find_hanging(connections["default"], ["loan_book.city"])["loan_book.city"]
        >>> [str(name) for name in found.names]
        ['views.geo_cities']
    """
    candidates = {text: list(dict.fromkeys(_candidates(connection.alias, text))) for text in texts}
    relations = {each.relation for found in candidates.values() for each in found}
    if not relations:
        return {}
    with catalog_cursor(connection) as cursor:
        _, path = read_search_path(connection)
        known = read_named(cursor, relations, path)
        asked: dict[str, list[RelationColumn]] = {}
        for text, possible in candidates.items():
            there = [
                RelationColumn(relation.root or relation.name, column)
                for name, column in possible
                if (relation := known.get(name)) and (not column or column in relation.columns)
            ]
            if there:
                asked[text] = list(dict.fromkeys(there))
        if not asked:
            return {}
        reads = read_hanging_views(connection, {each.relation for found in asked.values() for each in found})
        return _answers(connection, asked, reads)


def find_by_reads(
    alias: str, reads: Mapping[ViewName, Collection[ViewName]], texts: Iterable[str]
) -> dict[str, list[Found]]:
    """Return what hangs on the tables and views that texts name, where columns are not followed.

    Args:
        alias: the database.
        reads: what each view reads.
        texts: the texts, as people write them. One that names a column names nothing.
    """
    read_by = reverse(reads)
    known = {*reads, *read_by}
    by_flat_name = {flat_name(name): name for name in known} | {name.name: name for name in known}
    answers = {}
    for text in texts:
        named = [each.relation for each in _candidates(alias, text) if not each.column]
        there = [name if name in known else by_flat_name.get(flat_name(name)) for name in named]
        found = []
        for name in dict.fromkeys(filter(None, there)):
            below = closure(read_by, [name]) - {name}
            around = {view: frozenset(reads[view]) & (below | {name}) for view in below}
            found.append(Found(name, reads=around))
        if found:
            answers[text] = found
    return answers


def _answers(
    connection: BaseDatabaseWrapper,
    asked: Mapping[str, list[RelationColumn]],
    reads: Mapping[ViewName, set[ViewName]],
) -> dict[str, list[Found]]:
    read_by = reverse(reads)
    everything = {each for found in asked.values() for each in found}
    below = {name: closure(read_by, [name]) - {name} for name in {each.relation for each in everything}}
    of_columns = {each.relation for each in everything if each.column}
    wanted = {view for name in of_columns for view in (below[name] | {name})}
    lineage = read_lineage(connection, wanted, anew=False) if wanted else None
    answers = {}
    for each in everything:
        names = below[each.relation]
        around = {view: frozenset(reads[view] & (names | {each.relation})) for view in names}
        views = {}
        if each.column and lineage:
            made = downstream(lineage, each.relation, each.column)
            views = {view.view: view for view in made if view.view in names}
        answers[each] = Found(each.relation, each.column, around, views)
    return {text: [answers[each] for each in found] for text, found in asked.items()}


def _candidates(alias: str, text: str) -> Iterator[RelationColumn]:
    """Yield what a text may be the name of: relations, without a schema where it has none, and columns."""
    try:
        parts = parts_of(text)
    except UnknownNameError:
        return
    if len(parts) > 3:
        return
    names = [part.text for part in parts]
    if len(parts) > 1 and parts[-1] == Part(ALL_COLUMNS, False):
        names.pop()
    *most, last = (part.text for part in parts)
    column = last if len(names) == len(parts) else ""
    handles = registered_views(alias).by_handle
    for handle, of_view in ((text, ""), (".".join(most), column)):
        for view in handles.get(handle, ()):
            with suppress(OrmViewsError):  # a class without a valid name has its label only
                yield RelationColumn(name_of(view), of_view)
    yield from relations_of(parts)
    if len(names) > 1:
        yield from _of_model(*names)


def _of_model(app_label: str, name: str, field_name: str = "") -> Iterator[RelationColumn]:
    """Yield the table of a model, or the column of one of its fields."""
    with suppress(LookupError, FieldDoesNotExist):
        model = apps.get_model(app_label, name)
        if not field_name:
            yield RelationColumn(parse_db_table(model._meta.db_table), "")
            return
        found = model._meta.get_field(field_name)
        column = getattr(found, "column", None)
        if column and not found.many_to_many:
            yield RelationColumn(parse_db_table(found.model._meta.db_table), column)
