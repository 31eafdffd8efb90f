"""Which columns of views hang on columns of tables that something is going to alter, drop or rename."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import ColumnLineage, Lineage, ViewLineage
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor, read_search_path
from orm_views_core.engines.postgresql.rules.named import read_named
from orm_views_core.names import ViewName, printable

from .api import read_lineage
from .questions import downstream

_NAMES = 8  # in a list


@dataclass(frozen=True)
class Hanging:
    """The views that hang on a column of a table, or on the whole table.

    Attributes:
        what: what is done to it, in words.
        column: the column; "" for the whole table.
        views: the views, each with what of it hangs there.
        others: those of them that no class declares.
    """

    what: str
    column: str
    views: tuple[ViewLineage, ...]
    others: frozenset[ViewName] = frozenset()

    @property
    def lines(self) -> Iterator[str]:
        """A line for each view, in words, after one that says what is done."""
        yield f"{self.what}. On it hang:"
        for view in self.views:
            whose = ", which is not ours" if view.view in self.others else ""
            yield f"  {view.view}{whose}: {'; '.join(self._ways(view))}"

    def _ways(self, view: ViewLineage) -> Iterator[str]:
        if self.column:
            for way, one, many in _WAYS:
                yield from _said([each for each in view.columns if getattr(each, way)], one, many)
        else:
            yield from _said(view.columns, "is made of it", "are made of it")
        if view.uses:
            yield "its rows use it"
        elif not view.columns:
            yield "it reads how many rows there are"


_WAYS = (
    ("shows", "shows it", "show it"),
    ("computed_from", "is computed from it", "are computed from it"),
    ("may_show", "may show it", "may show it"),
)


def _said(columns: Sequence[ColumnLineage], one: str, many: str) -> Iterator[str]:
    names = [printable(each.column) for each in columns[:_NAMES]]
    if more := len(columns) - len(names):
        names.append(f"{more} more")
    if names:
        yield f"{', '.join(names)} {one if len(columns) == 1 else many}"


def read_hanging(
    connection: BaseDatabaseWrapper, changes: Sequence[tuple[ViewName, str, str]]
) -> list[Hanging]:
    """Return what hangs on each of some columns and tables, in their order.

    The number of queries does not depend on how many there are. What may show anything, because it reads
    through a function, is left out.

    Args:
        connection: the database.
        changes: the table, which is looked up along the search path if it has no schema; the column, "" for
            the whole table; and what is done to it, in words. A table that does not exist yet has no views.
    """
    if not changes:
        return []
    _, path = read_search_path(connection)
    with catalog_cursor(connection) as cursor:
        named = read_named(cursor, {relation for relation, _, _ in changes}, path)
    lineage = read_lineage(connection) if named else Lineage()
    ours = registered_views(connection.alias).names
    found = []
    for name, column, what in changes:
        relation = named.get(name)
        views = downstream(lineage, relation.root or relation.name, column) if relation else ()
        known = tuple(_known(views))
        found.append(Hanging(what, column, known, frozenset(view.view for view in known) - ours))
    return found


def _known(views: Iterable[ViewLineage]) -> Iterator[ViewLineage]:
    """Yield views without the columns of which it is only known that they read through a function."""
    for view in views:
        columns = tuple(each for each in view.columns if each.sources)
        if columns or view.uses or not view.columns:
            yield replace(view, columns=columns)
