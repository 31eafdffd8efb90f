"""Reads what a comparison needs, and stages both sides of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog, with_definitions
from orm_views_core.engines.postgresql.catalog.reach import read_untrusted
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.catalog.trust import read_trusted_roles
from orm_views_core.engines.postgresql.locking.locks import releasing_locks
from orm_views_core.engines.postgresql.untrusted import distrusted
from orm_views_core.exceptions import SyncFailedError, UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Scope, find_orphans, find_scope
from orm_views_core.privacy.api import find_personal_columns
from orm_views_core.sentences import Sentence, says
from orm_views_core.sync.external_dependents import (
    as_definition,
    find_external_dependents,
    with_external_dependents,
)
from orm_views_core.sync.refusals import why_not_try

from .errors import LOCKED
from .staging import Staged, judge_staged, stage
from .values import Action
from .worlds import as_plain, new_names, old_names

Views = Mapping[ViewName, ViewDefinition]


@dataclass(frozen=True)
class Scene:
    """Both sides of a comparison, staged.

    Attributes:
        definitions: the registered views.
        installed: the views in their places.
        old: where the old definitions are staged.
        new: where the new ones are.
        why_not: why views in their places are not read, in words.
        personal: the columns of each view that are personal in either definition.
    """

    definitions: Views
    installed: Mapping[ViewName, InstalledView]
    old: Staged
    new: Staged
    why_not: Mapping[ViewName, Sentence]
    personal: Mapping[ViewName, frozenset[str]]

    @property
    def schemas(self) -> dict[str, str]:
        """The real schema of each staging schema."""
        return {stage: schema for side in (self.old, self.new) for schema, stage in side.schemas.items()}


@dataclass(frozen=True)
class _Read:
    """What was read of the database."""

    definitions: Definitions
    catalog: Catalog
    scope: Scope

    @property
    def installed(self) -> dict[ViewName, InstalledView]:
        return {name: view for name, view in self.catalog.relations.items() if view.kind}


def set_scene(cursor: CursorWrapper, targets: Mapping[ViewName, Action]) -> Scene:
    """Read the database, and stage both sides of a comparison.

    As for previews, the owners of the schemas that classes place their views in are trusted too.

    Args:
        cursor: in the transaction that is rolled back.
        targets: the views to compare.

    Raises:
        UnknownViewError: when one of the views is neither declared nor in the database.
        OrmViewsError: when a class is invalid, or nothing can be staged.
    """
    connection = cursor.db
    read = _read(connection)
    views, installed = read.definitions.views, read.installed
    if unknown := [name for name in targets if name not in views and name not in installed]:
        raise UnknownViewError(
            says(
                "Database %(database)r has no view %(view)s, and no class declares it.",
                database=connection.alias,
                view=unknown[0],
            )
        )
    news = new_names(read.scope, [name for name in targets if name in views])
    there = [name for name, action in targets.items() if name in installed and action is not Action.DROPPED]
    olds = old_names(read.catalog, read.scope, there)
    with catalog_path(cursor) as reader:
        trusted = read_trusted_roles(reader, owners_of=read.definitions.schemas)
        oids = {n: installed[n].oid for n in {*olds, *targets, *news} if n in installed}
        untrusted = read_untrusted(reader, list(oids.values()), trusted)
    why_not = {
        name: distrusted(name, what, is_itself=what.oid == oid)
        for name, oid in oids.items()
        if (what := untrusted.get(oid))
    }
    # What somebody else has written is not even parsed: that may run it.
    others = [name for name in {*olds, *(set(news) - views.keys())} if name not in why_not]
    plain = _installed_definitions(connection, read.catalog, others)
    why_not |= {name: _locked(name) for name in others if name not in plain}
    declared = {name: as_plain(views[name]) for name in news if name in views}
    sides = []
    for letter, names, found in (("n", news, {**plain, **declared}), ("o", olds, plain)):
        staged = stage(cursor, [found[n] for n in names if n in found], read.catalog.search_path, letter)
        staged.missing = {name for name in names if name not in found}
        staged.why_not |= {name: why_not.get(name, _locked(name)) for name in staged.missing}
        with catalog_path(cursor) as reader:
            judge_staged(reader, staged, trusted)
        sides.append(staged)
    new, old = sides
    return Scene(views, installed, old, new, why_not, _personal(cursor, read.scope, old, new))


def _locked(name: ViewName) -> Sentence:
    return says("%(view)s: %(why)s", view=name, why=LOCKED)


def _read(connection: BaseDatabaseWrapper) -> _Read:
    definitions = compile_definitions(connection, anew=False)
    definitions.raise_errors()
    catalog = read_catalog(connection, definitions.schemas, elsewhere=not definitions.follows_connection)
    catalog = with_external_dependents(connection, catalog)
    external = find_external_dependents(definitions, catalog, find_orphans(definitions, catalog))
    views = [name for name in external if catalog.relations[name].kind]
    scope = find_scope(definitions.views, catalog, external=views)
    # Something is always tried here, also if nothing has changed.
    if problem := why_not_try(definitions, catalog, scope, definitions.views.keys()):
        raise SyncFailedError(problem)
    return _Read(definitions, catalog, scope)


def _installed_definitions(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Sequence[ViewName]
) -> dict[ViewName, ViewDefinition]:
    """Return the definitions of views in their places; those of locked ones are left out."""
    # PostgreSQL locks a view whose text it writes, which would keep a sync waiting.
    with releasing_locks(connection):
        read = with_definitions(connection, catalog, names, wait=False).relations
    return {n: as_plain(as_definition(connection.alias, read[n])) for n in names if read[n].definition}


def _personal(
    cursor: CursorWrapper, scope: Scope, old: Staged, new: Staged
) -> dict[ViewName, frozenset[str]]:
    """Return the personal columns of each view, in either definition.

    What a class declares to be no longer personal is said of the new definition. It is said of the old one
    only if the class has not changed.
    """
    twins = {new.at(name): name for name in new.names}
    places = {**twins, **{old.at(name): name for name in old.names}}
    differences = scope.differences
    same = [n for n in old.names if n in differences and not differences[n].needs_dry_run]
    twins |= {old.at(name): name for name in same}
    found: dict[ViewName, frozenset[str]] = {}
    for place, columns in find_personal_columns(cursor.db, places, twins).items():
        name = places[place]
        found[name] = found.get(name, frozenset()) | columns.keys()
    return found
