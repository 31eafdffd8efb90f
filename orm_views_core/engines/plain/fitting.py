"""Makes what was read of an engine without comments comparable with what classes say."""

from __future__ import annotations

from dataclasses import replace

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.base import PlainCatalog


def fitted(read: PlainCatalog, definitions: Definitions) -> Catalog:
    """Return a catalog whose views have the comments of their classes, because the engine has none."""

    def fit(view: InstalledView) -> InstalledView:
        definition = definitions.views.get(view.name)
        if definition is None:
            return view
        text = definition.comment or definition.label
        return replace(view, text=text, column_comments=definition.column_comments)

    relations = {name: fit(view) for name, view in read.catalog.relations.items()}
    return replace(read.catalog, relations=relations, broken=frozenset(read.broken))
