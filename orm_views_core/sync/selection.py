"""Which views a sync of some views takes in: those that are named, and what these cannot do without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.definitions.lookup import unknown_view, views_by_handle
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Scope, differences
from orm_views_core.views.identity import name_of
from orm_views_core.views.registry import registry


def find_views(wanted: Collection[str], databases: Sequence[str] | None = None) -> dict[str, set[ViewName]]:
    """Return the names of the wanted views, by the alias of their database.

    Args:
        wanted: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``).
        databases: aliases; those with registered views when None.

    Raises:
        UnknownViewError: when no registered view has one of the names or labels.
        InvalidViewError: when a class that a label names has no valid name.
    """
    known = views_by_handle(registry.databases() if databases is None else databases)
    found: defaultdict[str, set[ViewName]] = defaultdict(set)
    for text in wanted:
        if text not in known:
            raise unknown_view(text, known)
        for alias, view in known[text]:
            found[alias].add(name_of(view))
    return dict(found)


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
