"""Which names in a view's SQL mean something else along the search path than in the stored view. Pure."""

from __future__ import annotations

from orm_views_core.database.relations import InstalledView, Shadow
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.sql.references import (
    qualified_references,
    unqualified_functions,
    unqualified_relations,
    unqualified_types,
)

_UNQUALIFIED = {
    "relation": unqualified_relations,
    "function": unqualified_functions,
    "type": unqualified_types,
}


def resolved_elsewhere(definition: ViewDefinition, installed: InstalledView) -> tuple[Sentence, ...]:
    """Return the names whose meaning has changed, each with both meanings, in words.

    Args:
        definition: what the class declares. The stored view was made of the same SQL.
        installed: the stored view.
    """
    return tuple(
        _said(shadow)
        for shadow in installed.shadows
        if shadow.stored.name in _UNQUALIFIED[shadow.kind](definition.sql)
        and not _is_named(shadow, definition, installed)
    )


def _is_named(shadow: Shadow, definition: ViewDefinition, installed: InstalledView) -> bool:
    """Return whether a view reads both relations: one with its schema, the other along the path."""
    if shadow.kind != "relation" or shadow.schema is None:
        return False
    named = {reference.target for reference in qualified_references(definition.sql, {shadow.stored.schema})}
    return shadow.stored in named and ViewName(shadow.schema, shadow.stored.name) in installed.reads


def _written(shadow: Shadow) -> str:
    return f"{shadow.stored.name}()" if shadow.kind == "function" else shadow.stored.name


def _said(shadow: Shadow) -> Sentence:
    name, stored = _written(shadow), shadow.stored
    if not shadow.schema:
        return says("%(name)s is not found, and was %(stored)s", name=name, stored=stored)
    found = ViewName(shadow.schema, stored.name)
    return says("%(name)s is %(found)s, and was %(stored)s", name=name, found=found, stored=stored)
