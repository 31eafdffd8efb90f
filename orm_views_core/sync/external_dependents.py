"""External dependents: relations that read our views and that no class declares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.graph import closure
from orm_views_core.names import ViewKind, ViewName


def with_external_dependents(connection: BaseDatabaseWrapper, catalog: Catalog) -> Catalog:
    """Return the catalog with the views in other schemas that read ours, directly or through others."""
    relations = dict(catalog.relations)
    while unread := {reader for view in relations.values() for reader in view.read_by} - relations.keys():
        dependents = read_catalog(connection, [], only=sorted(unread)).relations
        if not dependents:  # another session has dropped them meanwhile
            break
        relations |= dependents
    # A relation that only uses the row type of a view does not have the view in its own ``reads``.
    for name, view in relations.items():
        for reader in view.read_by & relations.keys():
            if name not in relations[reader].reads:
                relations[reader] = replace(relations[reader], reads=relations[reader].reads | {name})
    return replace(catalog, relations=relations)


def find_external_dependents(
    definitions: Definitions, catalog: Catalog, orphans: Collection[ViewName]
) -> list[ViewName]:
    """Return the relations that no class declares and that read our views, directly or not."""
    ours = {*definitions.views, *definitions.invalid_names.values(), *orphans}
    read_by = {name: view.read_by & catalog.relations.keys() for name, view in catalog.relations.items()}
    return sorted(closure(read_by, ours & read_by.keys()) - ours)


def as_definition(database: str, view: InstalledView) -> ViewDefinition:
    """Return a definition of a view that no class declares, made from PostgreSQL's own text of it."""
    return ViewDefinition(
        label=str(view.name),
        source=None,
        database=database,
        name=view.name,
        kind=view.kind or ViewKind.VIEW,
        sql=(view.definition or "").rstrip().removesuffix(";"),
        options=view.options if view.kind is ViewKind.VIEW else (),
        with_data=view.populated,
    )
