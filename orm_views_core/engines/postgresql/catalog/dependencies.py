"""Reads what depends on views and what views read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relation_kinds import KnownRelation, RelationKind
from orm_views_core.database.relations import InstalledView
from orm_views_core.database.sync_state import SyncState, split_comment
from orm_views_core.graph import closure
from orm_views_core.names import ViewName

from . import queries
from .fetch import array, fetch, group, name_arrays
from .search_path import catalog_cursor, read_search_path
from .trust import read_trusted_roles

_COMMENTS = f"""
SELECT c.oid, d.description
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass
WHERE c.oid = ANY(%(oids)s::oid[]) AND {queries.TRUSTED}
"""

# Every view with each view that it reads; one row with NULLs for a view that reads no view.
_VIEW_READS = """{}
SELECT n.nspname, c.relname, c.relkind = 'm', c.relispopulated, found.nspname, found.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
    SELECT DISTINCT r.ev_class AS reader, read_schema.nspname, read.relname
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class read ON read.oid = d.refobjid AND read.relkind IN ('v', 'm')
    JOIN pg_catalog.pg_namespace read_schema ON read_schema.oid = read.relnamespace
    WHERE r.rulename = '_RETURN' AND read.oid <> r.ev_class{}
) AS found ON found.reader = c.oid
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema'){}
ORDER BY n.nspname, c.relname
"""
_ALL_VIEW_READS = _VIEW_READS.format("", "", "")
#: Those of some views, and of what they read.
_SOME_VIEW_READS = _VIEW_READS.format(
    f"""
WITH RECURSIVE reached AS (
    SELECT c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE true {queries.BY_NAME}
    UNION
    SELECT d.refobjid
    FROM reached
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = reached.oid AND r.rulename = '_RETURN'
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
)""",
    " AND r.ev_class IN (SELECT oid FROM reached)",
    " AND c.oid IN (SELECT oid FROM reached)",
)

# The views that hang on some relations, each with each relation that it reads, if that is one of these or
# hangs on one. A partition counts as its partitioned table. (pg_partition_tree() would wait for locks.)
_ROOT = "COALESCE(pg_catalog.pg_partition_root({0}.oid)::oid, {0}.oid)"
_READERS = """
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN' AND r.ev_class <> reached.oid
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = reached.oid
"""
_HANGING = f"""
WITH RECURSIVE reached AS (
    SELECT {_ROOT.format("c")} AS oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') {queries.BY_NAME}
    UNION
    SELECT further.oid
    FROM reached
    CROSS JOIN LATERAL (
        SELECT r.ev_class AS oid {_READERS}
        UNION ALL
        SELECT part.oid
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class part ON part.oid = i.inhrelid AND part.relispartition
        WHERE i.inhparent = reached.oid
    ) AS further
)
SELECT DISTINCT n.nspname, c.relname, read_schema.nspname, read.relname
FROM reached
CROSS JOIN LATERAL (SELECT r.ev_class AS oid {_READERS}) AS reader
JOIN pg_catalog.pg_class c ON c.oid = reader.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class read ON read.oid = {_ROOT.format("reached")}
JOIN pg_catalog.pg_namespace read_schema ON read_schema.oid = read.relnamespace
"""

# What some relations are, and whether their names without a schema lead to them.
_KINDS = f"""
SELECT n.nspname, c.relname, c.relkind, n.nspname = (
    SELECT found.nspname
    FROM pg_catalog.pg_class other
    JOIN pg_catalog.pg_namespace found ON found.oid = other.relnamespace
    WHERE other.relname = c.relname AND found.nspname = ANY(%(path)s::text[])
    ORDER BY array_position(%(path)s::text[], found.nspname::text)
    LIMIT 1
)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') {queries.BY_NAME}
"""
_KIND_NAMES = {
    "r": RelationKind.TABLE,
    "p": RelationKind.PARTITIONED,
    "f": RelationKind.FOREIGN,
    "v": RelationKind.VIEW,
    "m": RelationKind.MATERIALISED_VIEW,
}


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


def read_view_reads(connection: BaseDatabaseWrapper, of: Collection[ViewName] | None = None) -> ViewReads:
    """Return what the views of a database read.

    Args:
        connection: the database.
        of: the views that matter. What these read is among the result, and what that reads, and so on. All
            views of the database when None.
    """
    reads: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    plain, empty = set(), set()
    with catalog_cursor(connection) as cursor:
        if of is None:
            rows = fetch(cursor, _ALL_VIEW_READS, {})
        else:
            rows = fetch(cursor, _SOME_VIEW_READS, name_arrays(of))
    for schema, name, is_materialised, is_populated, read_schema, read in rows:
        view = ViewName(schema, name)
        reads[view] |= {ViewName(read_schema, read)} if read else set()
        if not is_materialised:
            plain.add(view)
        elif not is_populated:
            empty.add(view)
    return ViewReads(dict(reads), plain, empty)


def read_hanging_views(
    connection: BaseDatabaseWrapper, on: Collection[ViewName]
) -> dict[ViewName, set[ViewName]]:
    """Return the views that hang on some relations, however many views are between, whoever owns them.

    Args:
        connection: the database.
        on: the tables or views.

    Returns:
        for each view, what it reads of these relations and of the views that hang on them.
    """
    reads: defaultdict[ViewName, set[ViewName]] = defaultdict(set)
    with catalog_cursor(connection) as cursor:
        for schema, name, read_schema, read in fetch(cursor, _HANGING, name_arrays(on)):
            reads[ViewName(schema, name)].add(ViewName(read_schema, read))
    return dict(reads)


def read_named_relations(
    connection: BaseDatabaseWrapper, names: Collection[ViewName]
) -> dict[ViewName, KnownRelation]:
    """Return what some tables and views are. Names that lead to neither are left out."""
    if not names:
        return {}
    _, path = read_search_path(connection)
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _KINDS, {**name_arrays(names), "path": array(path)})
    return {
        ViewName(schema, name): KnownRelation(_KIND_NAMES[kind], bool(is_found))
        for schema, name, kind, is_found in rows
    }
