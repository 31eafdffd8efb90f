"""Engines without schemas beside the tables: the schema of a view becomes the beginning of its name."""

from __future__ import annotations

from orm_views_core.names import ViewName


def flat_name(name: ViewName) -> str:
    """Return ``views_orders`` for ``views.orders``, without quotes."""
    return f"{name.schema}_{name.name}" if name.schema else name.name
