"""The values of ``filter(status__in={...})`` in one order: a set has another in every process.

Without it a view would look changed on every deploy, and its rows would be computed anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models.expressions import BaseExpression, Subquery
from django.db.models.lookups import In
from django.db.models.query_utils import FilteredRelation
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode


def settle_order(node: Any) -> None:
    """Sort the values of every IN, in subqueries too. Which rows it finds does not depend on their order."""
    if isinstance(node, In) and isinstance(node.rhs, list):
        node.rhs = sorted(node.rhs, key=lambda value: (type(value).__name__, repr(value)))
    for part in _parts(node):
        settle_order(part)


def _parts(node: Any) -> Iterable[Any]:
    if isinstance(node, Query):
        joins = (getattr(join, "filtered_relation", None) for join in node.alias_map.values())
        return [node.where, *node.annotations.values(), *node.combined_queries, *joins]
    if isinstance(node, FilteredRelation):
        return [node.resolved_condition]  # type: ignore[attr-defined]  # django-stubs omit it
    if isinstance(node, Subquery):
        return [node.query]
    if isinstance(node, WhereNode):
        return list(node.children)
    return node.get_source_expressions() if isinstance(node, BaseExpression) else ()
