"""Short forms for classes that a test declares and replaces."""

from __future__ import annotations

from typing import Any

from django.db import models

from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL, ReadableViewFromSQL

ROWS = "SELECT id, name, col_b FROM oldstyle_table1"


def declare(class_name: str, sql: str = ROWS, *bases: type, **attributes: Any) -> Any:
    """Declare a view in SQL; the last class of a name counts."""
    body = {"sql": sql, "__module__": __name__, **attributes}
    return type(class_name, (*bases, PostgresViewFromSQL), body)


def stored(class_name: str, sql: str = ROWS, **attributes: Any) -> Any:
    """Declare a materialised view in SQL."""
    return declare(class_name, sql, PostgresMaterialisedViewMixin, **attributes)


def readable(class_name: str, *bases: type, **attributes: Any) -> Any:
    """Declare a view of the table's rows that is a model."""
    fields = {
        "id": models.IntegerField(primary_key=True),
        "name": models.TextField(),
        "col_b": models.IntegerField(),
    }
    meta = type("Meta", (), {"app_label": "oldstyle"})
    body = {"sql": ROWS, "__module__": __name__, "Meta": meta, **fields, **attributes}
    return type(class_name, (*bases, ReadableViewFromSQL), body)


def done(**options: Any) -> list[tuple[str, str]]:
    """Sync, and return what was done to which view."""
    (result,) = sync_views(**options)
    return [(step.action.verb, step.name.name) for step in result.plan.steps if step.name.name]
