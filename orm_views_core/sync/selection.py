"""Which views a sync of some views takes in: those that are named, and what these cannot do without."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Scope, differences


def still_needed(
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    refused: Collection[ViewName],
) -> set[ViewName]:
    """Return the views outside of a scope whose changes may be what views that were refused lack.

    Args:
        definitions: the registered views.
        catalog: what the database contains.
        scope: what the sync looks at.
        refused: the views that PostgreSQL refuses in that scope.
    """
    others = closure(scope.dependencies, refused) & definitions.keys() - scope.differences.keys()
    return {
        name for name in others if differences(definitions[name], catalog.relations.get(name)).needs_dry_run
    }
