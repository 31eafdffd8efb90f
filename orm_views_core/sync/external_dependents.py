"""What others have made that reads our views, and that a plan has to reckon with."""

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
    """Add the views in other schemas that read those in ours, and what reads them in turn."""
    relations = dict(catalog.relations)
    while unread := {reader for view in relations.values() for reader in view.read_by} - relations.keys():
        found = read_catalog(connection, [], only=sorted(unread)).relations
        if not found:  # they are gone since
            break
        relations |= found
    # What only uses the type of a view's rows is known from the view alone.
    for name, view in relations.items():
        for reader in view.read_by & relations.keys():
            if name not in relations[reader].reads:
                relations[reader] = replace(relations[reader], reads=relations[reader].reads | {name})
    return replace(catalog, relations=relations)


def find_external_dependents(
    definitions: Definitions, catalog: Catalog, orphans: Collection[ViewName]
) -> list[ViewName]:
    """Return what others made and that reads ours, directly or not."""
    ours = {*definitions.views, *definitions.invalid_names.values(), *orphans}
    read_by = {name: view.read_by & catalog.relations.keys() for name, view in catalog.relations.items()}
    return sorted(closure(read_by, ours & read_by.keys()) - ours)


def as_definition(database: str, view: InstalledView) -> ViewDefinition:
    """Return a definition of a view that no class declares: what PostgreSQL says of it."""
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
