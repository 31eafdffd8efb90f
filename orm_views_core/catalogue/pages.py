"""Writes the pages of a catalogue as HTML. Every text of others is escaped by the template engine."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from django.apps import apps
from django.template import Context, Engine
from django.utils.translation import get_language, get_language_bidi, gettext

from orm_views_core.database.lineage import Columns, RelationColumn
from orm_views_core.names import ViewName
from orm_views_core.refresh.freshness import in_words

from .addresses import INDEX, column_anchor, table_page, view_page
from .files import mark
from .values import Catalogue, CatalogueColumn, CatalogueDatabase, CatalogueTable, CatalogueView, Personal

_HERE = Path(__file__).parent
#: Not the project's engine: its settings and its templates of the same name have no part in the pages.
_ENGINE = Engine(
    dirs=[str(_HERE / "templates")],
    libraries={"i18n": "django.templatetags.i18n", "catalogue": "orm_views_core.catalogue.markup"},
)
#: The files that the pages have in common.
ASSETS = ("catalogue.css", "catalogue.js")
#: What the index says of a whole view, the first that one of its columns is.
_IN_INDEX = (Personal.SHOWN, Personal.COMPUTED)


class Link(NamedTuple):
    """A name, and the page that it leads to from the page that it is on."""

    text: str
    href: str
    personal: Personal | None = None


class Source(NamedTuple):
    """Columns that a column is made of, and how."""

    how: str
    links: list[Link]


def render(catalogue: Catalogue) -> dict[str, str]:
    """Return the pages of a catalogue and what they have in common, by path."""
    files = {asset: (_HERE / "assets" / asset).read_text(encoding="utf-8") for asset in ASSETS}
    return files | dict(_Pages(catalogue).all())


@dataclass(frozen=True)
class _Pages:
    catalogue: Catalogue

    @cached_property
    def _are_several(self) -> bool:
        return len(self.catalogue.databases) > 1

    def all(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the text of each page."""
        yield INDEX, self._render(INDEX, "index.html", "", **self._index())
        for database in self.catalogue.databases:
            links = _Links(database)
            for view in database.views:
                path = view_page(view.database, view.name)
                yield path, self._render(path, "view.html", "../", **self._view(view, links))
            for table in database.tables:
                path = table_page(table.database, table.name)
                yield path, self._render(path, "table.html", "../", **self._table(table, links))

    def _render(self, path: str, template: str, root: str, **context: Any) -> str:
        context |= {
            "mark": mark(path),
            "root": root,
            "language": get_language() or "en",
            "direction": "rtl" if get_language_bidi() else "ltr",
            "catalogue": self.catalogue,
        }
        return _without_blank_lines(_ENGINE.get_template(template).render(Context(context)))

    def _index(self) -> dict[str, Any]:
        return {
            "groups": list(self._groups()),
            "view_count": len(list(self.catalogue.views)),
            "table_count": len(list(self.catalogue.tables)),
        }

    def _groups(self) -> Iterator[dict[str, Any]]:
        """Yield what the index lists: the views of each app, those that no class declares, and the tables."""
        for database in self.catalogue.databases:
            by_app: defaultdict[str, list[CatalogueView]] = defaultdict(list)
            for view in database.views:
                by_app[view.app].append(view)
            others = by_app.pop("", [])
            named = sorted((_app_name(app), views) for app, views in by_app.items())
            for name, views in named:
                yield self._group(database, name, [_entry(view) for view in views])
            if others:
                heading = gettext("Views that no class declares")
                yield self._group(database, heading, [_entry(view) for view in others])
        for database in self.catalogue.databases:
            if database.tables:
                entries = [_table_entry(table) for table in database.tables]
                yield self._group(database, gettext("Tables"), entries, are_tables=True)

    def _group(
        self, database: CatalogueDatabase, name: str, entries: list[dict[str, Any]], are_tables: bool = False
    ) -> dict[str, Any]:
        if self._are_several:
            name = gettext("%(name)s, in database %(alias)s") % {"name": name, "alias": database.alias}
        return {"name": name, "entries": entries, "are_tables": are_tables}

    def _view(self, view: CatalogueView, links: _Links) -> dict[str, Any]:
        return {
            "view": view,
            "database": view.database if self._are_several else "",
            "promise": in_words(view.refresh_every) if view.refresh_every else "",
            "columns": [_column(column, links) for column in view.columns],
            "has_comments": any(column.comment for column in view.columns),
            "uses": links.columns(view.uses),
            "reads": [links.relation(name) for name in view.reads],
            "read_by": [links.relation(name) for name in view.read_by],
        }

    def _table(self, table: CatalogueTable, links: _Links) -> dict[str, Any]:
        return {
            "table": table,
            "database": table.database if self._are_several else "",
            "read_by": [links.relation(name) for name in table.read_by],
            "columns": [
                {
                    "column": column,
                    "anchor": column_anchor(column.name),
                    "personal": Personal.SHOWN if column.is_personal else None,
                    "places": [
                        Source(how, found)
                        for how, found in (
                            (gettext("shown by"), links.places(column.shown_by)),
                            (gettext("perhaps shown by"), links.places(column.maybe_shown_by)),
                            (gettext("computed into"), links.places(column.computed_into)),
                            (gettext("used by"), [links.relation(name) for name in column.used_by]),
                        )
                        if found
                    ],
                }
                for column in table.columns
            ],
        }


class _Links:
    """The links from pages of views and tables to others of the same database."""

    def __init__(self, database: CatalogueDatabase) -> None:
        self.alias, self.personal = database.alias, database.personal
        self.views = {view.name for view in database.views}

    def _page(self, name: ViewName) -> str:
        page_of = view_page if name in self.views else table_page
        return f"../{page_of(self.alias, name)}"

    def relation(self, name: ViewName) -> Link:
        """Return the link to a view or a table."""
        return Link(str(name), self._page(name))

    def columns(self, columns: Columns) -> list[Link]:
        """Return links to columns of tables, sorted by name."""
        return [self._column(column) for column in sorted(columns)]

    def places(self, places: Iterable[tuple[ViewName, str]]) -> list[Link]:
        """Return links to columns of views."""
        return [self._column(RelationColumn(view, column)) for view, column in places]

    def _column(self, column: RelationColumn) -> Link:
        href = f"{self._page(column.relation)}#{column_anchor(column.column)}"
        return Link(str(column), href, Personal.SHOWN if column in self.personal else None)


def _column(column: CatalogueColumn, links: _Links) -> dict[str, Any]:
    lineage = column.lineage
    return {
        "column": column,
        "anchor": column_anchor(column.name),
        "sources": [
            Source(how, links.columns(columns))
            for how, columns in (
                (gettext("shows"), lineage.shows),
                (gettext("may show"), lineage.may_show),
                (gettext("computed from"), lineage.computed_from),
            )
            if columns
        ],
    }


def _entry(view: CatalogueView) -> dict[str, Any]:
    """Return what the index says of a view, and what else it is found by."""
    sources = {source for column in view.columns for source in column.lineage.sources} | view.uses
    found_by = [
        *(column.comment for column in view.columns),
        *sorted({str(source.relation) for source in sources}),
        view.label,
        view.description,
    ]
    kinds = {column.personal for column in view.columns}
    return {
        "name": str(view.name),
        "href": view_page(view.database, view.name),
        "kind": view.kind.label,
        "description": view.description,
        "columns": [column.name for column in view.columns],
        "personal": next((kind for kind in _IN_INDEX if kind in kinds), None),
        "owner": "" if view.label else view.owner,
        "found_by": " ".join(" ".join(found_by).split()),
    }


def _table_entry(table: CatalogueTable) -> dict[str, Any]:
    return {
        "name": str(table.name),
        "href": table_page(table.database, table.name),
        "columns": [column.name for column in table.columns],
        "personal": Personal.SHOWN if any(column.is_personal for column in table.columns) else None,
        "readers": len(table.read_by),
        "found_by": "",
    }


def _without_blank_lines(html: str) -> str:
    """Return a page without the blank lines that tags of its template leave. Those of SQL stay."""
    parts = re.split(r"(?=<pre)|(?<=</pre>)", html)
    return "".join(p if p.startswith("<pre") else re.sub(r"\n(?:[ \t]*\n)+", "\n", p) for p in parts)


def _app_name(label: str) -> str:
    """Return the name of an app as its project writes it; its label if the app is not installed."""
    try:
        return str(apps.get_app_config(label).verbose_name)
    except LookupError:
        return label
