"""The boxes of the graph: relations with their status and columns, and the way of the chosen column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording
from orm_views_core.lineage import RelationColumn, Way
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.status import State

from .nodes import Node, Row, Shape
from .relations import Relations
from .way import ColumnWay

#: In what way a column is made of another one, in a word for the picture.
_WAYS = {Way.SHOWS: _("as it is"), Way.COMPUTED_FROM: _("computed"), Way.MAY_SHOW: _("perhaps")}
#: So many columns of the view that the graph is about are in its box. The table beneath has all.
MOST_ROWS = 30

_GRID = "M1 2.5h14v11H1zM2.5 6v2.2h4.7V6zm6.2 0v2.2h4.8V6zM2.5 9.7V12h4.7V9.7zm6.2 0V12h4.8V9.7z"
_TABLE = wording.Look(_("table"), "table", _GRID)


@dataclass(frozen=True)
class Focus:
    """What the graph is about.

    Attributes:
        name: the relation.
        columns: its columns, as far as they are known.
        column: the chosen one; "" for none.
        way: the way of that column.
    """

    name: ViewName
    columns: Sequence[str] = ()
    column: str = ""
    way: ColumnWay = field(default_factory=ColumnWay)


class Boxes:
    """Makes the boxes of relations.

    Args:
        relations: what there is.
        url: returns the URL of the graph about a relation, and about one of its columns.
        page_url: the URL of the page of the relation that the graph is about; "" if it has none.
        focus: what the graph is about; None for the whole graph.
        personal: the columns that show personal data.
    """

    def __init__(
        self,
        relations: Relations,
        url: Callable[[ViewName, str], str],
        page_url: str = "",
        focus: Focus | None = None,
        personal: Collection[RelationColumn] = (),
    ) -> None:
        self._relations, self._url, self._page_url, self._focus = relations, url, page_url, focus
        self._personal = frozenset(personal)
        self._personal_of: defaultdict[ViewName, set[str]] = defaultdict(set)
        for relation, column in self._personal:
            self._personal_of[relation].add(column)
        self._way_of: defaultdict[ViewName, list[str]] = defaultdict(list)
        for relation, column in sorted(focus.way.columns if focus else ()):
            self._way_of[relation].append(column)
        schemas = {name.schema for name in relations.views}
        # If all views are in the same schema, its name is not shown.
        self._schema = schemas.pop() if len(schemas) == 1 else None

    def of(self, names: Iterable[ViewName]) -> dict[ViewName, Node]:
        """Return the boxes of some relations."""
        return {name: self._box(name) for name in names}

    def way_of(self, name: ViewName) -> str:
        """Return what of a relation is on the way of the chosen column, in words; "" if nothing is."""
        rows = [row for row in self._rows(name) if row.is_on_way]
        words = [f"{row.name} ({row.note})" if row.note else row.name for row in rows]
        return wording.listed([*words, *([gettext("its rows")] if self._hangs_on_it(name) else [])])

    def personal_of(self, name: ViewName) -> str:
        """Return the personal columns of a relation, separated by commas."""
        return wording.listed(sorted(self._personal_of.get(name, ())))

    def is_personal(self, column: RelationColumn) -> bool:
        """Return whether a column shows personal data."""
        return column in self._personal

    def _hangs_on_it(self, name: ViewName) -> bool:
        return self._focus is not None and name in self._focus.way.rows

    def _box(self, name: ViewName) -> Node:
        shape, look, kind = self._look(name)
        status = self._relations.views.get(name)
        what = f"{kind} · {look.word}" if status else kind
        is_focus = self._focus is not None and name == self._focus.name
        count = len(self._personal_of.get(name, ()))
        warning = ngettext("%(count)s personal column", "%(count)s personal columns", count)
        warning = warning % {"count": wording.number(count)} if count else ""
        rows = self._rows(name)
        hidden = len(self._focus.columns) - len(rows) if self._focus and is_focus else 0
        rest = gettext("its rows hang on it") if self._hangs_on_it(name) else ""
        if hidden > 0:
            rest = gettext("and %(count)s more, in the table below") % {"count": wording.number(hidden)}
        way = self.way_of(name)
        on_way = gettext("on the way: %(columns)s") % {"columns": way} if way else ""
        parts = [str(name), what, warning, on_way]
        return Node(
            name=name.name if name.schema == self._schema else str(name),
            url=self._page_url if is_focus and self._page_url else self._url(name, ""),
            label=wording.listed(filter(None, parts)),
            shape=shape,
            kind=kind,
            what=what,
            look=look,
            warning=warning,
            rows=rows,
            rest=rest,
            is_focus=is_focus,
            is_on_way=bool(way),
        )

    def _look(self, name: ViewName) -> tuple[Shape, wording.Look, str]:
        """Return the shape of a relation's box, its icon, and what it is."""
        status, standing = self._relations.views.get(name), self._relations.standing(name)
        if status is not None and standing is not None:
            look = wording.look_of_standing(standing)
            is_stored = status.kind is ViewKind.MATERIALISED_VIEW
            return (Shape.STORED if is_stored else Shape.VIEW), look, wording.kind_word(status.kind)
        if name in self._relations.others:
            return Shape.OTHER, wording.look_of(State.UNMANAGED), gettext("not registered here")
        return Shape.TABLE, _TABLE, str(_TABLE.word)

    def _rows(self, name: ViewName) -> tuple[Row, ...]:
        focus = self._focus
        if focus is None:
            return ()
        if name != focus.name:
            return tuple(self._row(name, column) for column in self._way_of.get(name, ()))
        shown = list(focus.columns[:MOST_ROWS])
        if focus.column and focus.column not in shown:
            shown.append(focus.column)
        return tuple(self._row(name, column) for column in shown)

    def _row(self, name: ViewName, column: str) -> Row:
        assert self._focus is not None
        key = RelationColumn(name, column)
        way = self._focus.way.columns.get(key)
        is_personal = key in self._personal
        note = str(_WAYS[way]) if way else ""
        label = gettext("Show the way of %(column)s") % {"column": key}
        words = (label, note, gettext("personal") if is_personal else "")
        return Row(
            name=column,
            url=self._url(name, column),
            label=wording.listed(filter(None, words)),
            note=note,
            is_chosen=name == self._focus.name and column == self._focus.column,
            is_personal=is_personal,
        )
