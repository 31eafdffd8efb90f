"""Reasons why a sync cannot start, found before anything is changed; and what is said of steps that fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.postgresql.building import find_refused
from orm_views_core.exceptions import (
    DropAllRefusedError,
    InvalidViewsError,
    MissingRoleError,
    OrmViewsError,
    ViewSQLError,
)
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import PUBLIC, Scope
from orm_views_core.plan.preconditions import lock_shortage, locks_for_trying
from orm_views_core.plan.steps import Action, Plan
from orm_views_core.sentences import Sentence, listed, says

from .options import SyncOptions

#: What is said when a step fails, and its view cannot be blamed.
FAILED = {
    Action.SCHEMA: says("schema failed"),
    Action.CREATE: says("create failed"),
    Action.REPLACE: says("replace failed"),
    Action.REBUILD: says("rebuild failed"),
    Action.DROP: says("drop failed"),
    Action.ADOPT: says("adopt failed"),
    Action.OPTIONS: says("options failed"),
    Action.INDEX: says("index failed"),
    Action.GRANT: says("grant failed"),
    Action.REVOKE: says("revoke failed"),
    Action.COMMENT: says("comment failed"),
}
#: Why a database cannot be written, in words that can be translated.
_READ_ONLY = {
    str(words): words for words in (says("it is a replica"), says("its transactions are read-only"))
}


def refuse_to_drop_all(definitions: Definitions, orphans: Collection[ViewName], options: SyncOptions) -> None:
    """Raise an error when no view is registered and every view of the database would be dropped.

    Raises:
        DropAllRefusedError: unless the options allow it.
    """
    if orphans and not definitions.views and not options.allow_drop_all:
        names = listed(orphans)
        raise DropAllRefusedError(
            says(
                "No view is registered for database %(database)r, so all would be dropped: %(names)s. Is "
                "an app missing from INSTALLED_APPS? To drop them all, pass --allow-drop-all.",
                database=definitions.database,
                names=names,
            )
        )


def refuse_missing_roles(
    definitions: Definitions, roles: Collection[str], catalog: Catalog, options: SyncOptions
) -> None:
    """Raise an error when the database lacks a role that is to be granted SELECT.

    Raises:
        MissingRoleError: for the first such role, in alphabetical order; it says who names the role.
    """
    for role in sorted(roles):
        if role in catalog.roles or role.lower() == PUBLIC:
            continue
        if role in options.grant_select_to:
            named_by: str = "--grant-select-permissions-to-user"
        elif role in get_settings().GRANT_SELECT_TO:
            named_by = "ORM_VIEWS['GRANT_SELECT_TO']"
        else:
            views = listed(d.where for d in definitions.views.values() if role in d.grant_select_to)
            named_by = says("grant_select_to of %(views)s", views=views)
        raise MissingRoleError(
            says(
                "There is no role %(role)r in database %(database)r; %(named_by)s names it. Create the "
                "role (CREATE ROLE …) or remove its name. Nothing was changed.",
                role=role,
                database=definitions.database,
                named_by=named_by,
            )
        )


def refused_settings(connection: BaseDatabaseWrapper, plan: Plan) -> Iterator[Sentence]:
    """Yield the problems with settings for what a plan builds. Without any settings, nothing is sent."""
    made = [step.definition for step in plan.steps if step.definition and step.statements]
    refused = find_refused(connection, {pair for each in made for pair in each.build_settings})
    for definition in made if refused else ():
        for pair in definition.build_settings:
            if pair in refused:
                yield says("%(where)s: %(why)s", where=definition.where, why=refused[pair])


def why_not_try(
    definitions: Definitions, catalog: Catalog, scope: Scope, dropped: Collection[ViewName]
) -> Sentence:
    """Return why changed views can be neither tried nor synced; "" when they can, or when none changed."""
    session, database = catalog.session, definitions.database
    pending = dropped or any(difference.is_pending for difference in scope.differences.values())
    if session.read_only and (pending or scope.try_views):
        return says(
            "Database %(database)r cannot be written: %(why)s. Sync the views of its primary, "
            "under the alias that leads there; a replica follows by itself.",
            database=database,
            why=_READ_ONLY.get(session.read_only, session.read_only),
        )
    new_schemas = {name.schema for name in scope.order} - catalog.schemas
    if not session.creates_schemas and (scope.try_views or new_schemas):
        return says(
            "%(role)s, the role that syncs database %(database)r, may not create schemas in it, and "
            "changed views are tried and built in a schema of their own. As the owner of the "
            "database: GRANT CREATE ON DATABASE … TO %(role)s.",
            role=session.role,
            database=database,
        )
    kinds = [definitions.views[n].kind for n in scope.try_views if n in definitions.views]
    return lock_shortage(locks_for_trying(kinds, catalog), catalog)


def may_need_a_migration(error: OrmViewsError) -> bool:
    """Return whether the only cause of an error may be a table, a column or a role that is yet to be made."""
    errors = error.errors if isinstance(error, InvalidViewsError) else [error]
    return all(isinstance(each, (ViewSQLError, MissingRoleError)) for each in errors)
