"""Views that must not, or cannot, be put aside."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import Definitions
from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says
from orm_views_core.sync.external_dependents import why_not_tried


def refuse(
    connection: BaseDatabaseWrapper, definitions: Definitions, catalog: Catalog, views: Collection[ViewName]
) -> None:
    """Raise an error if some views must not or cannot be put aside.

    Args:
        connection: the database.
        definitions: the registered views. Those of others are refused for more reasons.
        catalog: has the views.
        views: they.

    Raises:
        PlanBlockedError: with a sentence for each.
    """
    others = [name for name in views if name not in definitions.names]
    reasons = why_not_tried(connection, catalog, others)
    for name in views:
        view = catalog.relations[name]
        if view.kind is None:
            reasons[name] = says("It uses the type of the rows of a view that has to be put aside.")
        elif not view.is_ours_to_change and name not in reasons:
            reasons[name] = says(
                "It belongs to %(owner)s. GRANT %(owner)s TO %(role)s.",
                owner=view.owner,
                role=catalog.session.role,
            )
    if reasons:
        raise PlanBlockedError(
            [
                says("%(view)s stands against the migration. %(why)s", view=name, why=why)
                for name, why in sorted(reasons.items())
            ]
        )
