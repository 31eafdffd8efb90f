"""Views that the tests declare, each in a line."""

from __future__ import annotations

from typing import Any

from django.db import models

from orm_views_core.spelling import Spelling
from orm_views_core.views import MaterialisedViewMixin, ReadableViewFromSQL, ViewFromSQL


def other_than(engine: Spelling) -> str:
    """Return the word of another engine."""
    return "sqlite" if "postgresql" in engine.words else "postgresql"


def declare(class_name: str, sql: Any = "SELECT id, shelf FROM shop_parcel", **said: Any) -> Any:
    """Declare a view of raw SQL; materialised if ``stored`` is said."""
    bases = (MaterialisedViewMixin, ViewFromSQL) if said.pop("stored", False) else (ViewFromSQL,)
    return type(class_name, bases, {"sql": sql, "__module__": __name__, **said})


def readable(class_name: str, sql: Any = "SELECT id, shelf FROM shop_parcel", **said: Any) -> Any:
    """Declare a readable view of raw SQL with an ``id``."""
    meta = type("Meta", (), {"app_label": "shop"})
    key = models.BigIntegerField(primary_key=True)
    attributes = {"sql": sql, "id": key, "Meta": meta, "__module__": __name__, **said}
    return type(ReadableViewFromSQL)(class_name, (ReadableViewFromSQL,), attributes)
