"""The dependency graph: what the views of a database read, and the way of their columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.base import UNREADABLE, Link, Page
from orm_views_admin.tables.graph import GraphTable, WayTable
from orm_views_admin.ui.graph.boxes import Boxes, Focus
from orm_views_admin.ui.graph.drawing import draw
from orm_views_admin.ui.graph.layout import lay_out
from orm_views_admin.ui.graph.nodes import size_of
from orm_views_admin.ui.graph.relations import Relations
from orm_views_admin.ui.graph.way import goes_to
from orm_views_admin.ui.wording import number, with_names
from orm_views_core.lineage import Lineage, RelationColumn
from orm_views_core.names import ViewName

from .graph_reading import read_focus, read_personal_columns, read_relations
from .graph_request import GraphRequest

#: The whole graph is drawn if it has so many relations at most.
MOST_WHOLE = 60
#: Around a relation, others up to so many steps away are drawn, and so many relations at most.
STEPS, MOST_NEAR = 2, 100
#: The form suggests names if there are so many at most.
_MOST_SUGGESTED = 1000


class GraphPage(Page):
    """The relations of a database as boxes, each to the right of what it reads."""

    template_name = "orm_views_admin/graph.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = GraphRequest.read(request.GET)
        try:
            relations = read_relations(wanted.database, request.user, tables=wanted.tables)
            if not wanted.view:
                return self._show_whole(wanted, relations)
            name = wanted.find(relations)
            if name is not None:
                return self._show_near(wanted, relations, name)
        except UNREADABLE as error:
            return self._show(wanted, error=self.explain(error, wanted.database))
        absent = _("There is no view or table %(name)s.") % {"name": wanted.view}
        return self._show(wanted, relations, absent=absent, status_code=404)

    def _show(
        self, wanted: GraphRequest, relations: Relations | None = None, title: str = "", **context: Any
    ) -> HttpResponse:
        names = sorted(filter(relations.is_view, relations.names)) if relations else []
        return self.render(
            title or _("Graph"),
            wanted=wanted,
            shown=str(context["focus"].name) if "focus" in context else wanted.view,
            suggested=names if len(names) <= _MOST_SUGGESTED else [],
            **context,
        )

    def _show_whole(self, wanted: GraphRequest, relations: Relations) -> HttpResponse:
        names = [name for name in sorted(relations.names) if wanted.tables or relations.is_view(name)]
        count = {"count": number(len(names))}
        if len(names) > MOST_WHOLE:
            words = _("%(count)s are too many for one picture. Name a view to see what is near it.")
            return self._show(wanted, relations, sentence=words % count)
        views = ngettext(
            "There is one view.",
            "There are %(count)s views. Each is to the right of what it reads.",
            len(names),
        )
        both = ngettext(
            "There is one view or table.",
            "There are %(count)s views and tables. Each view is to the right of what it reads.",
            len(names),
        )
        sentence = (both if wanted.tables else views) % count if names else _("There are no views yet.")
        sentence = " ".join(filter(None, (sentence, _gaps(relations))))
        personal = read_personal_columns(wanted.database, list(filter(relations.is_view, names)))
        boxes = Boxes(relations, self._url_of(wanted), personal=personal)
        return self._show(wanted, relations, sentence=sentence, **_picture(boxes, relations, names))

    def _show_near(self, wanted: GraphRequest, relations: Relations, name: ViewName) -> HttpResponse:
        near = relations.near(name, STEPS)
        focus, lineage = read_focus(wanted.database, relations, name, wanted.column, near)
        on_way = sorted({*(column.relation for column in focus.way.columns), *focus.way.rows})
        around = [each for each in near if wanted.tables or relations.is_view(each)]
        names = [*dict.fromkeys([name, *on_way, *around])]
        shown = names[:MOST_NEAR]
        parts = [_("What %(name)s reads and what reads it, up to %(steps)s steps away.")]
        if len(names) > MOST_NEAR:
            parts.append(_("Of %(all)s views and tables, the nearest %(count)s are shown."))
        parts += filter(None, [_gaps(relations)])
        words = {"name": name, "steps": number(STEPS), "all": number(len(names)), "count": number(MOST_NEAR)}
        personal = read_personal_columns(wanted.database, list(filter(relations.is_view, shown)))
        address = ViewAddress(wanted.database, name)
        page_url = self.url("detail", address) if name in relations.views else ""
        url_of = self._url_of(wanted)
        boxes = Boxes(relations, url_of, page_url, focus, personal)
        is_unknown = wanted.column != focus.column
        absent = with_names(_("%(name)s has no column %(column)s."), name=name, column=wanted.column)
        return self._show(
            wanted,
            relations,
            with_names(_("Graph of %(name)s"), name=name),
            parent=Link(_("Graph"), self.url("graph") + wanted.query()),
            tools=[Link(_("Page of the view"), page_url)] if page_url else [],
            sentence=with_names(" ".join(parts), **words),
            absent=absent if is_unknown else "",
            status_code=404 if is_unknown else 200,
            focus=focus,
            focus_url=url_of(name, ""),
            columns=_columns(focus, lineage, boxes, url_of, relations.hidden),
            **_picture(boxes, relations, shown, focus),
        )

    def _url_of(self, wanted: GraphRequest) -> Callable[[ViewName, str], str]:
        return lambda name, column: self.url("graph") + wanted.query(name, column)


def _gaps(relations: Relations) -> str:
    """Return what is said of views that are left out; "" if none is."""
    if not relations.has_gaps:
        return ""
    return _("Views that you may not see are left out: a line may lead through one of them.")


def _picture(
    boxes: Boxes, relations: Relations, names: Sequence[ViewName], focus: Focus | None = None
) -> dict[str, Any]:
    """Return the picture of some relations, and the table that says the same."""
    nodes = boxes.of(names)
    edges = relations.edges_among(nodes.keys())
    layout = lay_out({name: size_of(node) for name, node in nodes.items()}, edges)
    reads: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    read_by: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    for read, reader in edges:
        reads[reader].append(read)
        read_by[read].append(reader)
    rows = [
        {
            "name": str(name),
            "url": nodes[name].url,
            "what": nodes[name].kind,
            "state": relations.standing(name),
            "reads": reads[name] or None,
            "read_by": read_by[name] or None,
            "way": boxes.way_of(name),
            "personal": boxes.personal_of(name),
        }
        for name in layout.boxes
    ]
    hidden = [
        *([] if focus and focus.column else ["way"]),
        *([] if any(row["personal"] for row in rows) else ["personal"]),
    ]
    return {
        "picture": draw(layout, nodes, _("Views and tables")) if nodes else "",
        "table": GraphTable(rows, exclude=hidden),
    }


def _columns(
    focus: Focus,
    lineage: Lineage,
    boxes: Boxes,
    url_of: Callable[[ViewName, str], str],
    hidden: Collection[ViewName] = (),
) -> WayTable:
    """Return the table of the columns of the relation that the graph is about."""
    forth = goes_to(lineage.direct)
    of_view = lineage.direct.get(focus.name)
    made_from = {column.column: column for column in of_view.columns} if of_view else {}
    rows: list[dict[str, Any]] = []

    def shown(columns: Iterable[RelationColumn]) -> list[RelationColumn] | None:
        return sorted(each for each in columns if each.relation not in hidden) or None

    for name in focus.columns:
        column, key = made_from.get(name), RelationColumn(focus.name, name)
        rows.append(
            {
                "name": name,
                "url": url_of(focus.name, name),
                "is_chosen": name == focus.column,
                "shows": shown(column.shows) if column else None,
                "computed": shown(column.computed_from | column.may_show) if column else None,
                "goes_to": shown({each for each, _way in forth.get(key, ())}),
                "personal": boxes.is_personal(key),
            }
        )
    empty = [] if of_view else ["shows", "computed"]
    return WayTable(rows, exclude=[*empty, *([] if any(row["personal"] for row in rows) else ["personal"])])
