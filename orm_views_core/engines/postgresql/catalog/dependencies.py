"""Reads what depends on views and what views read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import InstalledView
from orm_views_core.database.sync_state import SyncState, split_comment
from orm_views_core.graph import closure
from orm_views_core.names import ViewName

from . import queries
from .fetch import array, fetch, group
from .search_path import catalog_cursor
from .trust import read_trusted_roles

_COMMENTS = f"""
SELECT c.oid, d.description
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass
WHERE c.oid = ANY(%(oids)s::oid[]) AND {queries.TRUSTED}
"""


def read_other_dependents(
    connection: BaseDatabaseWrapper, views: Iterable[InstalledView]
) -> dict[ViewName, list[str]]:
    """Return the objects other than views that depend on some views, as PostgreSQL describes them."""
    names = {view.oid: view.name for view in views}
    if not names:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.OTHER_DEPENDENTS, {"oids": array(names)})
    described = group((oid, what) for oid, what in rows if what is not None)
    return {names[oid]: several for oid, several in described.items()}


def read_sync_states_of(connection: BaseDatabaseWrapper, oids: Collection[int]) -> dict[int, SyncState]:
    """Return the sync states of some views, by oid, as they are now. Without those that we do not believe."""
    if not oids:
        return {}
    with catalog_cursor(connection) as cursor:
        params = {"oids": array(oids), "trusted": array(read_trusted_roles(cursor))}
        rows = fetch(cursor, _COMMENTS, params)
    return {oid: state for oid, comment in rows if (state := split_comment(comment)[1]) is not None}


class Sources(NamedTuple):
    """What a materialised view reads, through plain views.

    Attributes:
        oids: the relations that it reads.
        changes: how many changes of their rows the statistics have counted.
    """

    oids: tuple[int, ...]
    changes: int


def read_sources_of(connection: BaseDatabaseWrapper, oids: Collection[int]) -> dict[int, Sources]:
    """Return what some materialised views read, by their oids; views that read nothing are left out."""
    if not oids:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.CHANGES, {"oids": array(oids)})
    return {oid: Sources(tuple(relations), changes) for oid, relations, changes in rows}


class ViewReads(NamedTuple):
    """What the views of a database read, also those that no class declares.

    Attributes:
        reads: for each view, the views that it reads.
        plain: the views that are not materialised.
        empty: the materialised views without rows. Nothing can read them.
    """

    reads: dict[ViewName, set[ViewName]]
    plain: set[ViewName]
    empty: set[ViewName]

    def empty_sources(self, name: ViewName) -> set[ViewName]:
        """Return the materialised views without rows that a view reads, through plain views too."""
        passing = {view: self.reads[view] for view in self.plain if view in self.reads}
        return closure(passing, self.reads.get(name, ())) & self.empty - {name}


def read_view_reads(connection: BaseDatabaseWrapper) -> ViewReads:
    """Return what each view of the database reads."""
    reads: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    plain, empty = set(), set()
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.VIEW_READS, {})
    for schema, name, is_materialised, is_populated, read_schema, read in rows:
        view = ViewName(schema, name)
        reads[view] |= {ViewName(read_schema, read)} if read else set()
        if not is_materialised:
            plain.add(view)
        elif not is_populated:
            empty.add(view)
    return ViewReads(dict(reads), plain, empty)
