"""Putting relations with other SELECTs in the places of views, with all that the views have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.relations import Catalog, InstalledView, recorded_fingerprint
from orm_views_core.database.staging import PREFIX, staging_schemas
from orm_views_core.database.sync_state import join_comment
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.introspection import read_created
from orm_views_core.engines.postgresql.catalog.preconditions import read_schemas
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.engines.postgresql.staging import create_staging
from orm_views_core.engines.postgresql.stand_ins.sql import UNREADABLE
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import NO_DIFFERENCES
from orm_views_core.plan.rebuild import Build, rebuild_statements
from orm_views_core.plan.statements import interim_name
from orm_views_core.plan.step_writer import lock_order
from orm_views_core.sync.external_dependents import as_definition

_HASH = 16  # the length of a fingerprint, which the relation that it is of follows


def stand_in(database: str, view: InstalledView, sql: str) -> ViewDefinition:
    """Return the definition of a view's stand-in.

    A check option is for views that can be written to. So a stand-in has none; all other options stay.
    """
    options = tuple(option for option in view.options if option[0] != "check_option")
    return replace(as_definition(database, replace(view, options=options)), sql=sql)


def exchange(
    connection: BaseDatabaseWrapper,
    cursor: CatalogCursor,
    database: str,
    catalog: Catalog,
    selects: Mapping[ViewName, str],
) -> None:
    """Build relations aside with all extras of some views, and put them in their places.

    Args:
        connection: the database, in a transaction.
        cursor: a cursor of it.
        database: its alias.
        catalog: has these views. Nothing reads them any more.
        selects: what each of the new relations is to select.
    """
    views = [catalog.relations[name] for name in selects]
    extras = read_extras(cursor, [view.oid for view in views])
    taken = read_schemas(connection, PREFIX)
    staging = staging_schemas((view.name.schema for view in views), taken=taken)
    create_staging(cursor, staging)
    last: list[str] = []
    for view in views:
        definition, sql = as_definition(database, view), selects[view.name]
        build = Build(
            definition=definition if sql == definition.sql else stand_in(database, view, sql),
            installed=view,
            expected=ExpectedView(view.name, "", ()),
            at=ViewName(staging[view.name.schema], view.name.name),
            sql=sql,
            difference=NO_DIFFERENCES,
            extras=extras.get(view.oid, ()),
            is_unfilled=sql.endswith(UNREADABLE),
        )
        create, finish = rebuild_statements(build, catalog.session.role, ddl)
        send(cursor, [statement.sql for statement in create])
        last += [statement.sql for statement in finish]
    for name in lock_order(selects.keys(), catalog):
        kind = catalog.relations[name].kind
        assert kind is not None
        send(cursor, [ddl.drop_view(kind, name)])
    send(cursor, [sql for view in views for sql in _move(view, staging[view.name.schema])])
    send(cursor, [*last, *(ddl.drop_schema(stage) for stage in staging.values())])
    _record(connection, cursor, views)


def _move(view: InstalledView, stage: str) -> list[str]:
    """Return the statements that move a relation to its place; its array type gets a free name there."""
    assert view.kind is not None
    name, interim = view.name, interim_name(view.name.name)
    return [
        ddl.rename_view(view.kind, ViewName(stage, name.name), interim),
        ddl.set_schema(view.kind, ViewName(stage, interim), name.schema),
        ddl.rename_view(view.kind, ViewName(name.schema, interim), name.name),
    ]


def _record(connection: BaseDatabaseWrapper, cursor: CatalogCursor, views: Collection[InstalledView]) -> None:
    """Make the sync states of exchanged views those of the new relations.

    Otherwise a sync would take them for views that were restored from a dump. So it finds that their SELECTs
    were changed.
    """
    created = read_created(connection, [view.name for view in views if view.state])
    comments = []
    for view in views:
        if view.state and view.kind and (new := created.get(view.name)):
            installed = recorded_fingerprint(view.state.installed[:_HASH], new.oid, new.server)
            comment = join_comment(view.text, replace(view.state, installed=installed))
            comments.append(ddl.comment_on_view(view.kind, view.name, comment))
    if comments:
        send(cursor, comments)
