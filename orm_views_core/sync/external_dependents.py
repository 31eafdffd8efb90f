"""External dependents: relations that read our views and that no class declares."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.catalog.trust import read_untrusted_types
from orm_views_core.engines.postgresql.locking.locks import Overtaken
from orm_views_core.engines.postgresql.temporary import read_temporary_sessions
from orm_views_core.graph import closure
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, says


def with_external_dependents(connection: BaseDatabaseWrapper, catalog: Catalog) -> Catalog:
    """Return the catalog with the views in other schemas that read ours, directly or through others."""
    relations = dict(catalog.relations)
    while unread := {reader for view in relations.values() for reader in view.read_by} - relations.keys():
        dependents = read_catalog(connection, [], only=sorted(unread), trusted=catalog.trusted).relations
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
    ours = {*definitions.names, *orphans}
    read_by = {name: view.read_by & catalog.relations.keys() for name, view in catalog.relations.items()}
    return sorted(closure(read_by, ours & read_by.keys()) - ours)


def why_not_tried(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Collection[ViewName]
) -> dict[ViewName, Sentence]:
    """Return the external dependents that a sync must not or cannot create again, each with the reason.

    Creating the others again does not run them. They are only parsed: nothing plans or executes them before
    they have their owner.
    """
    role, views = catalog.session.role, {name: catalog.relations[name] for name in names}
    found = {}
    sessions = read_temporary_sessions(
        connection, [name.schema for name in views if views[name].is_temporary]
    )
    types = read_untrusted_types(connection, [view.oid for view in views.values() if not view.is_temporary])
    for name, view in views.items():
        if view.is_temporary:
            who = sessions.get(name.schema) or says("another session")
            found[name] = says(
                "It is temporary, and a sync cannot keep it. It ends with its session: %(session)s.",
                session=who,
            )
        elif view.kind and not view.is_ours_to_change:
            found[name] = says(
                "It belongs to %(owner)s, and %(role)s, the role that syncs, is not a member of that role. "
                "GRANT %(owner)s TO %(role)s, to have it rebuilt.",
                owner=view.owner,
                role=role,
            )
        elif view.oid in types:
            type_name, owner = types[view.oid]
            found[name] = says(
                "It uses the type %(type)s of %(owner)s, and PostgreSQL would run the checks of that type as "
                "%(role)s. To allow that, add %(owner)r to ORM_VIEWS['TRUSTED_OWNERS'].",
                type=type_name,
                owner=owner,
                role=role,
            )
    return found


def why_not_parsed(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    catalog: Catalog,
    tried: Collection[ViewName],
) -> Sentence:
    """Return why the extras of views cannot be tried, as they were just read; "" when they can.

    Whoever has TRIGGER on a view of ours can put a trigger with a condition on it.

    Args:
        tried: the views whose definitions and extras were read.

    Raises:
        Overtaken: when an external dependent has got something of the kind while it was read.
    """
    views = {catalog.relations[name].oid: name for name in tried}
    ours = [oid for oid, name in views.items() if name in definitions.views]
    for oid, (type_name, owner) in read_untrusted_types(connection, list(views), ours).items():
        name = views[oid]
        if name not in definitions.views:
            raise Overtaken(says("%(view)s was changed meanwhile", view=name))
        return says(
            "%(view)s has a trigger, an index or the like that uses the type %(type)s of %(owner)s. "
            "PostgreSQL would run the checks of that type as %(role)s when that is created again. Drop it, "
            "or add %(owner)r to ORM_VIEWS['TRUSTED_OWNERS'].",
            view=name,
            type=type_name,
            owner=owner,
            role=catalog.session.role,
        )
    return NOTHING


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
        is_canonical=True,
    )
