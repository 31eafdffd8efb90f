"""A catalogue as JSON: the facts of the pages, for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.names import ViewName
from orm_views_core.refresh.freshness import in_seconds

from .addresses import JSON, table_page, view_page
from .files import mark
from .values import Catalogue, CatalogueColumn, CatalogueDatabase, CatalogueTable, CatalogueView

#: Is raised when a key is renamed or goes, not when one is added.
FORMAT = 1


def as_json(catalogue: Catalogue) -> str:
    """Return a catalogue as the text of a JSON file."""
    document = {
        "generator": mark(JSON),
        "format": FORMAT,
        "role": catalogue.role,
        "databases": [_database(database) for database in catalogue.databases],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _database(database: CatalogueDatabase) -> dict[str, Any]:
    return {
        "database": database.alias,
        "views": [_view(view) for view in database.views],
        "tables": [_table(table) for table in database.tables],
    }


def _view(view: CatalogueView) -> dict[str, Any]:
    return {
        **_name(view.name),
        "page": view_page(view.database, view.name),
        "kind": view.kind.label,
        "class": view.label or None,
        "owner": view.owner,
        "description": view.description,
        "columns": [_column(column) for column in view.columns],
        "whole": view.is_whole,
        "security_invoker": view.is_invoker,
        "uses": _sources(view.uses),
        "exact": view.is_exact,
        "reads": [_name(name) for name in view.reads],
        "read_by": [_name(name) for name in view.read_by],
        "grants": [
            {
                "role": grant.role,
                "privileges": list(grant.privileges),
                "columns": list(grant.columns) or None,
            }
            for grant in view.grants
        ],
        "populated": view.populated,
        "refresh_every_seconds": in_seconds(view.refresh_every),
        "refreshed": view.refreshed.isoformat() if view.refreshed else None,
        "sql": view.sql,
    }


def _column(column: CatalogueColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "collation": column.collation or None,
        "description": column.comment,
        "shows": _sources(column.lineage.shows),
        "computed_from": _sources(column.lineage.computed_from),
        "may_show": _sources(column.lineage.may_show),
        "because": column.lineage.because or None,
        "personal": column.personal.value if column.personal else None,
    }


def _table(table: CatalogueTable) -> dict[str, Any]:
    return {
        **_name(table.name),
        "page": table_page(table.database, table.name),
        "columns": [
            {
                "name": column.name,
                "personal": column.is_personal,
                "shown_by": _places(column.shown_by),
                "computed_into": _places(column.computed_into),
                "maybe_shown_by": _places(column.maybe_shown_by),
                "used_by": [_name(view) for view in column.used_by],
            }
            for column in table.columns
        ],
        "read_by": [_name(view) for view in table.read_by],
    }


def _name(name: ViewName) -> dict[str, str]:
    return {"schema": name.schema, "name": name.name}


def _sources(columns: Iterable[RelationColumn]) -> list[dict[str, str]]:
    return [{**_name(column.relation), "column": column.column} for column in sorted(columns)]


def _places(places: Iterable[tuple[ViewName, str]]) -> list[dict[str, str]]:
    return [{**_name(view), "column": column} for view, column in places]
