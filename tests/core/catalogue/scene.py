"""What the tests of the catalogue share: declaring views, reading a catalogue, and the links of its pages."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from orm_views_core.catalogue import Catalogue, read_catalogue
from orm_views_core.catalogue.values import CatalogueView
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL


def declare(name: str, sql: str, /, *bases: type, **attributes: Any) -> type:
    """Declare a view of the app `lending`."""
    attributes = {"__module__": "tests.demo.lending.postgres_views", **attributes}
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, **attributes})


def declare_materialised(name: str, sql: str, /, **attributes: Any) -> type:
    return declare(name, sql, PostgresMaterialisedViewMixin, **attributes)


def catalogue(**options: Any) -> Catalogue:
    """The catalogue of the default database."""
    return read_catalogue(["default"], **options)


def views(**options: Any) -> dict[str, CatalogueView]:
    """The views of the default database by name."""
    return {str(view.name): view for view in catalogue(**options).views}


class Page(HTMLParser):
    """The parts of a page that tests look at.

    Attributes:
        links: the addresses of its links, scripts and style sheets.
        ids: the ids of its elements.
        tags: the names of its elements.
        attributes: the names of all attributes.
        text: what can be read.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in {"href", "src"}:
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data
