"""What the sync after some migrations will do, as far as it can be told before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import PUBLIC, differences, find_orphans
from orm_views_core.plan.rules import why_changed
from orm_views_core.plan.statements import COMMENTS_DIFFER, grant_reason
from orm_views_core.sync.refusals import refuse_to_drop_all

from .foresee import Foresight
from .options import MigrateOptions

if TYPE_CHECKING:
    from orm_views_core.lineage.altered import Hanging


@dataclass(frozen=True)
class Outlook:
    """What is known of the views before migrations run.

    Attributes:
        stored: the materialised views among those that are put aside.
        others: those of others among them. They come back as they were, after the migration.
        gone: those of ours among them that no class declares any more.
        changes: the views that the sync changes besides, each with the reason.
        missing_roles: the roles that are to get SELECT and that the database does not have yet.
        hanging: what hangs on the columns and tables that each migration alters, drops or renames.
    """

    stored: frozenset[ViewName] = frozenset()
    others: frozenset[ViewName] = frozenset()
    gone: frozenset[ViewName] = frozenset()
    changes: dict[ViewName, str] = field(default_factory=dict)
    missing_roles: tuple[str, ...] = ()
    hanging: dict[Migration, list[Hanging]] = field(default_factory=dict)


def look_ahead(connection: BaseDatabaseWrapper, foresight: Foresight, options: MigrateOptions) -> Outlook:
    """Return what can be told of a sync after some migrations.

    Args:
        connection: the database.
        foresight: what is known of the migrations.
        options: what else is asked for.

    Raises:
        OrmViewsError: when a view is invalid, or when no view is registered and all would be dropped.
    """
    standing = foresight.standing
    asked = options.of_sync
    definitions = compile_definitions(connection)
    definitions.raise_errors()
    roles = {role for definition in definitions.views.values() for role in definition.grant_select_to}
    roles |= {*asked.grant_select_to}
    with transaction.atomic(using=connection.alias), as_sync_role(connection):
        catalog = read_catalog(connection, definitions.schemas, roles, registered=definitions.views)
        aside = read_catalog(connection, [], only=list(standing)).relations if standing else {}
    orphans = frozenset(find_orphans(definitions, catalog))
    refuse_to_drop_all(definitions, orphans, asked)
    changes = dict.fromkeys(sorted(orphans), "no class declares it any more")
    for name, definition in definitions.views.items():
        difference = differences(definition, catalog.relations.get(name), asked.grant_select_to)
        if difference.missing:
            changes[name] = "it is not in the database"
        elif difference.needs_dry_run:
            changes[name] = why_changed(difference)
        elif difference.grant or difference.revoke:
            changes[name] = grant_reason(difference)
        elif difference.comment or difference.column_comments:
            changes[name] = COMMENTS_DIFFER
    return Outlook(
        stored=frozenset(n for n, view in aside.items() if view.kind is ViewKind.MATERIALISED_VIEW),
        others=frozenset(standing) - definitions.names - orphans,
        gone=frozenset(standing) & orphans,
        changes=changes,
        missing_roles=tuple(sorted(each for each in roles - catalog.roles if each.lower() != PUBLIC)),
        hanging=find_hanging(connection, foresight),
    )


def find_hanging(connection: BaseDatabaseWrapper, foresight: Foresight) -> dict[Migration, list[Hanging]]:
    """Return what hangs on the columns and tables that each migration alters, drops or renames."""
    from orm_views_core.lineage.altered import read_hanging  # only who shows a plan or warns needs it

    changes = [(each.migration, change) for each in foresight.migrations for change in each.changes]
    hanging = read_hanging(connection, [change for _, change in changes])
    found: dict[Migration, list[Hanging]] = {}
    for (migration, _), each in zip(changes, hanging, strict=True):
        if each.views:
            found.setdefault(migration, []).append(each)
    return found
