"""Locks for everything that migrations and the sync after them need, taken before the first of them.

All or nothing: each try waits for a few milliseconds in total, and lets go of everything if it fails. So
readers wait for as long, and later locks of the same run cannot be part of a deadlock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.locking.locks import in_savepoint
from orm_views_core.engines.postgresql.locking.moment import wait_for_a_good_moment
from orm_views_core.engines.postgresql.locking.tables import lock_tables, read_tables, read_writable
from orm_views_core.engines.postgresql.locking.tries import short_and_often
from orm_views_core.engines.postgresql.locking.within import all_within
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.engines.postgresql.stand_ins.standing import resolve
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import differences, find_orphans
from orm_views_core.sql.alterations import Script
from orm_views_core.sync.external_dependents import with_external_dependents


def take_locks(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    scripts: Iterable[Script],
    standing: Collection[ViewName],
    first: Collection[ViewName] = (),
    on_wait: Callable[[str], None] | None = None,
) -> None:
    """Lock the tables that migrations change, the views that stand against them, and what a sync changes.

    Args:
        connection: the database, in a transaction.
        definitions: the registered views.
        scripts: what the migrations do.
        standing: the views that are to be put aside.
        first: relations that a lock could not be had of in an earlier try.
        on_wait: called with whom it waits for.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the blocking sessions.
    """
    scripts = list(scripts)
    with as_sync_role(connection):
        views = _views(connection, definitions, standing)
    altered = [*first, *(name for script in scripts for name in script.locked)]
    read_only = [name for script in scripts for name in script.read_only]
    losing = [a.relation for script in scripts for a in script.alterations if a.what != "type"]
    full = resolve(connection, list({*altered, *read_only, *losing}))
    tables = read_tables(
        connection,
        exclusive={full[name] for name in altered if name in full},
        shared={full[name] for name in read_only if name in full},
        losing={full[name] for name in losing if name in full},
    )
    if not views and not tables:
        return

    def work(timeout: float) -> None:
        with connection.cursor() as cursor:
            ordered = wait_for_a_good_moment(cursor, views) if views else []
            began = time.monotonic()
            with as_sync_role(connection):
                send(cursor, all_within(timeout, [_lock(view) for view in ordered]))
            left = timeout - (time.monotonic() - began)
            send(cursor, all_within(left, lock_tables(tables)))

    oids = [*(view.oid for view in views), *(table.oid for table in tables)]
    in_savepoint(connection, work, relations=oids, tries=short_and_often, on_wait=on_wait)


def _views(
    connection: BaseDatabaseWrapper, definitions: Definitions, standing: Collection[ViewName]
) -> list[InstalledView]:
    """Return the views to lock."""
    catalog = read_catalog(connection, definitions.schemas, registered=definitions.views)
    changed = {
        name
        for name, definition in definitions.views.items()
        if name in catalog.relations and differences(definition, catalog.relations[name]).is_pending
    }
    wanted = {*standing, *changed, *find_orphans(definitions, catalog)}
    if missing := wanted - catalog.relations.keys():
        others = read_catalog(connection, [], only=list(missing), trusted=catalog.trusted).relations
        catalog = replace(catalog, relations={**catalog.relations, **others})
    relations = with_external_dependents(connection, catalog).relations
    # Their readers too: whoever reads such a view has locked it, and would wait for what we have locked.
    wanted = closure({name: view.read_by for name, view in relations.items()}, wanted)
    views = [relations[name] for name in sorted(wanted & relations.keys())]
    writable = read_writable(connection, {view.name.schema for view in views})
    return [view for view in views if view.kind and view.is_ours_to_change and view.name.schema in writable]


def _lock(view: InstalledView) -> str:
    assert view.kind is not None
    return ddl.lock_view(view.kind, view.name)
