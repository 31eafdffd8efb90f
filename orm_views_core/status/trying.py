"""Tries the SQL of views as a sync would, so that a status says what PostgreSQL refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.dry_run import are_accepted, try_views
from orm_views_core.engines.postgresql.locking.locks import limit_lock_waits
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.exceptions import CyclicDependencyError, OrmViewsError, SyncFailedError
from orm_views_core.graph import closure, creation_order
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import find_scope, sources_of
from orm_views_core.plan.preconditions import lock_shortage, locks_for_trying
from orm_views_core.sentences import NOTHING, Sentence, says

from .states import ViewStatus


def find_refused(
    connection: BaseDatabaseWrapper, definitions: Definitions, catalog: Catalog
) -> Mapping[ViewName, OrmViewsError]:
    """Return the views that a sync would be refused for, each with why.

    They read one another in a circle, or PostgreSQL refuses their SQL.

    Only views that a sync would change are tried. Nothing is found where our role may not try them, or where
    another session locks what they read.
    """
    try:
        scope = find_scope(definitions.views, catalog)
    except CyclicDependencyError as error:
        return dict.fromkeys(error.names, error)
    views = [definitions.views[name] for name in scope.try_views]
    session = catalog.session
    shortage = lock_shortage(locks_for_trying([view.kind for view in views], catalog), catalog)
    # What SYNC_ROLE may do, PostgreSQL says when it is tried.
    may_try = session.creates_schemas or get_settings().SYNC_ROLE is not None
    if not views or session.read_only or not may_try or shortage:
        return {}
    try:
        with _trying(connection):
            # Most often all are accepted, and then their number does not matter.
            if len(views) > 1 and are_accepted(connection, views, catalog.search_path):
                return {}
            # What is installed is not tried: nothing is asked about it, and others may own it.
            return try_views(connection, views, scope.dependencies, {}, catalog.search_path).errors
    except (SyncFailedError, DatabaseError):
        return {}


def try_view(
    connection: BaseDatabaseWrapper, status: ViewStatus, catalog: Catalog
) -> tuple[DryRun, Sentence]:
    """Try the SQL of one view, and create before it only the missing views that it reads.

    Returns:
        what the dry run found, and why it failed, a sentence; "" when it did not. It is empty for a view
        without a class, and for one whose name something else has.
    """
    definition = status.definition
    if definition is None or (status.differences and status.differences.obstructed_by):
        return DryRun(), NOTHING
    name = definition.name
    try:
        definitions = _with_missing_sources(connection, definition, catalog)
        scope = find_scope(definitions, catalog, only=[name], force=True)
        views = [definitions[n] for n in scope.try_views]
        installed = {name: status.installed} if status.installed else {}
        with _trying(connection):
            return try_views(connection, views, scope.dependencies, installed, catalog.search_path), NOTHING
    except CyclicDependencyError as error:
        if name in error.names:
            return DryRun(errors={name: error}), NOTHING
        return DryRun(), says("It could not be tried: %(why)s", why=error.message)
    except (SyncFailedError, DatabaseError) as error:
        # Another session may lock a relation that it reads, or the role may not create a schema. The rest of
        # the detail does not depend on the dry run.
        why = error.message if isinstance(error, OrmViewsError) else str(error).strip()
        return DryRun(), says("It could not be tried: %(why)s", why=why)


def _with_missing_sources(
    connection: BaseDatabaseWrapper, definition: ViewDefinition, catalog: Catalog
) -> dict[ViewName, ViewDefinition]:
    """Return the definition of a view, and those of the views that it reads and that are not in the database.

    Args:
        connection: the database.
        definition: that of the view.
        catalog: what the database has of the view itself.

    Raises:
        CyclicDependencyError: it reads views that read one another in a circle.
    """
    names = registered_views(connection.alias).names
    found, new = {definition.name: definition}, [definition]
    reads: dict[ViewName, frozenset[ViewName]] = {}
    while new:
        reads |= {each.name: sources_of(each, names, catalog.search_path) for each in new}
        further = sorted(frozenset().union(*(reads[each.name] for each in new)) - found.keys())
        compiled = compile_definitions(connection, anew=False, only=further).views if further else {}
        new = [compiled[name] for name in further if name in compiled]
        found |= {each.name: each for each in new}
    creation_order(reads, lambda name: found[name].where)
    others = found.keys() - {definition.name}
    there = read_catalog(connection, [], only=others).relations.keys() if others else set()
    passing = {name: read for name, read in reads.items() if name == definition.name or name not in there}
    return {name: found[name] for name in closure(passing, [definition.name]) & passing.keys()}


@contextmanager
def _trying(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Try views in a block as a sync does: as its role, and without long waits for locks."""
    with transaction.atomic(using=connection.alias), as_sync_role(connection):
        limit_lock_waits(connection)
        yield
