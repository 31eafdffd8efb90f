"""What a view is made of, and what hangs on a view or a table: questions to a lineage. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from orm_views_core.database.lineage import ColumnLineage, Columns, Lineage, RelationColumn, ViewLineage
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING

_IsAsked = Callable[[RelationColumn], bool]


class Way(enum.Enum):
    """In what way a column of a view, or its rows, are made of a column. The value is what people see.

    Attributes:
        SHOWS: its values are shown as they are.
        COMPUTED_FROM: values are computed from its values.
        MAY_SHOW: its values may be shown, because the SELECT could not be read to the end.
        USES: it only decides which rows there are, or in which order.
    """

    SHOWS = "shows"
    COMPUTED_FROM = "computed from"
    MAY_SHOW = "may show"
    USES = "uses"


def ways(column: ColumnLineage) -> Iterator[tuple[Way, Columns]]:
    """Yield in which ways a column is made of others, each with these.

    Args:
        column: the column of a view.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.lineage import read_lineage, upstream, ways
        >>> from orm_views_core.names import ViewName
        >>> book = upstream(read_lineage(connections["default"]), ViewName("views", "geo_cities"))
        >>> for way, columns in ways(book.column("lent")):
        ...     print(way.value, *map(str, columns))
        computed from public.lending_loan.principal
    """
    for way, columns in (
        (Way.SHOWS, column.shows),
        (Way.COMPUTED_FROM, column.computed_from),
        (Way.MAY_SHOW, column.may_show),
    ):
        if columns:
            yield way, columns


def upstream(lineage: Lineage, view: ViewName, column: str = "") -> ViewLineage | None:
    """Return what a view is made of, followed to the columns of tables.

    Args:
        lineage: has the view.
        view: its name.
        column: one of its columns; all when "".

    Returns:
        the lineage of the view with those columns only; None when the lineage has no such view.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.lineage import read_lineage, upstream
        >>> from orm_views_core.names import ViewName
        >>> book = upstream(read_lineage(connections["default"]), ViewName("views", "loan_book"), "city")
        >>> [(column.column, sorted(map(str, column.shows))) for column in book.columns]
        [('city', ['public.lending_customer.city'])]
    """
    found = lineage.views.get(view)
    if found is None or not column:
        return found
    return replace(found, columns=tuple(each for each in found.columns if each.column == column))


def downstream(lineage: Lineage, relation: ViewName, column: str = "") -> tuple[ViewLineage, ...]:
    """Return what hangs on a table, on a view, or on one of their columns, however many views are between.

    A column that reads through a function that may read any table is returned too. What it is made of is not
    known, so its three sets may be empty.

    Args:
        lineage: that of all views of the database.
        relation: the table or the view.
        column: one of its columns; the whole relation when "". On a whole relation hangs every view that
            reads it, also one that reads only how many rows it has.

    Returns:
        the views, sorted by name. Each has only what hangs on what was asked for, and of that only columns of
        ``relation``.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.lineage import downstream, read_lineage
        >>> from orm_views_core.names import ViewName
        >>> lineage = read_lineage(connections["default"])
        >>> for each in downstream(lineage, ViewName("public", "lending_customer"), "city"):
        ...     print(each.view, *(column.column for column in each.columns))
        views.customers city
        views.customers_by_era city
        views.geo_cities city
        views.loan_book city
    """

    def is_asked(source: RelationColumn) -> bool:
        return source.relation == relation and column in ("", source.column)

    found = _readers(lineage, is_asked) if relation in lineage.direct else _of_table(lineage, is_asked)
    found.pop(relation, None)
    if not column:
        for name in closure(reverse(lineage.reads), [relation]) - {relation}:
            found.setdefault(name, ViewLineage(name, ()))
    return tuple(view for _, view in sorted(found.items()))


def in_order(lineage: Lineage) -> Iterator[ViewName]:
    """Yield the views of a lineage, each after those that it reads, unless they read one another."""
    begun: set[ViewName] = set()
    for start in sorted(lineage.direct):
        pending = [(start, False)]
        while pending:
            name, is_done = pending.pop()
            if is_done:
                yield name
            elif name not in begun and name in lineage.direct:
                begun.add(name)
                pending.append((name, True))
                pending += [(read, False) for read in sorted(lineage.reads.get(name, ()), reverse=True)]


def _of_table(lineage: Lineage, is_asked: _IsAsked) -> dict[ViewName, ViewLineage]:
    """Return what hangs on columns of a table. The lineage of each view names these already."""
    found: dict[ViewName, ViewLineage] = {}
    for view in lineage.views.values():
        columns = [
            _column(
                each.column,
                each,
                filter(is_asked, each.shows),
                filter(is_asked, each.computed_from),
                filter(is_asked, each.may_show),
            )
            for each in view.columns
        ]
        _keep(found, view, columns, filter(is_asked, view.uses))
    return found


@dataclass
class _Made:
    """What hangs on what was asked for, of one view: its columns by name, and its rows."""

    columns: Mapping[str, ColumnLineage] = field(default_factory=dict)
    uses: Columns = frozenset()


def _readers(lineage: Lineage, is_asked: _IsAsked) -> dict[ViewName, ViewLineage]:
    """Return what hangs on columns of a view, from its readers on."""
    found: dict[ViewName, ViewLineage] = {}
    made: dict[ViewName, _Made] = {}

    def followed(source: RelationColumn) -> ColumnLineage:
        if is_asked(source):
            return ColumnLineage("", shows=frozenset([source]))
        of_view = made.get(source.relation, _Made()).columns
        return of_view.get(source.column, ColumnLineage(source.column))

    for name in in_order(lineage):
        direct, complete = lineage.direct[name], lineage.views.get(name)
        wholes = {each.column: each for each in complete.columns} if complete else {}
        columns = []
        for each in direct.columns:
            shows, computed, may_show = (
                [followed(source) for source in sources]
                for sources in (each.shows, each.computed_from, each.may_show)
            )
            columns.append(
                _column(
                    each.column,
                    wholes.get(each.column, each),
                    (source for one in shows for source in one.shows),
                    [
                        *(source for one in shows for source in one.computed_from),
                        *(source for one in computed for source in one.shows | one.computed_from),
                    ],
                    [
                        *(source for one in (*shows, *computed) for source in one.may_show),
                        *(source for one in may_show for source in one.sources),
                    ],
                )
            )
        uses = {source for used in direct.uses for source in followed(used).sources}
        for read in lineage.reads.get(name, ()):
            uses |= made.get(read, _Made()).uses
        made[name] = _Made({each.column: each for each in columns}, frozenset(uses))
        _keep(found, direct, columns, uses)
    return found


def _column(
    name: str,
    complete: ColumnLineage,
    shows: Iterable[RelationColumn],
    computed: Iterable[RelationColumn],
    may_show: Iterable[RelationColumn],
) -> ColumnLineage:
    """Return what a column is made of, with each source in the first of the three sets that has it."""
    shown, from_, possible = frozenset(shows), frozenset(computed), frozenset(may_show)
    possible -= shown | from_
    because = complete.because if possible or complete.through else NOTHING
    return ColumnLineage(name, shown, from_ - shown, possible, complete.through, because)


def _keep(
    found: dict[ViewName, ViewLineage],
    view: ViewLineage,
    columns: Collection[ColumnLineage],
    uses: Iterable[RelationColumn],
) -> None:
    """Keep a view of which something hangs on what was asked for, with that only."""
    hanging = tuple(each for each in columns if each.sources or each.through)
    used = frozenset(uses)
    if hanging or used:
        found[view.view] = ViewLineage(view.view, hanging, used, view.is_exact)
