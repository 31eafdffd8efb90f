"""Reads the relations of a database from PostgreSQL's catalogs, in a fixed number of queries.

https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.json_state import START as JSON_START
from orm_views_core.database.relations import (
    Catalog,
    Column,
    InstalledIndex,
    InstalledView,
    StoredView,
)
from orm_views_core.database.sync_state import START, split_comment
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import says_in
from orm_views_core.sql.lexer import tokenize

from . import queries
from .details import as_index, read_details
from .facts import read_facts
from .fetch import array, fetch, group, name_arrays
from .search_path import CatalogCursor, catalog_cursor, read_search_path
from .shadows import read_shadows
from .trust import read_trusted_roles

_STATES = [f"%{start}%" for start in (START, JSON_START)]
_KINDS = {"v": ViewKind.VIEW, "m": ViewKind.MATERIALISED_VIEW}
_OTHER_KINDS = {
    "r": says_in("in a database", "table"),
    "p": says_in("in a database", "partitioned table"),
    "f": says_in("in a database", "foreign table"),
    "S": says_in("in a database", "sequence"),
    "c": says_in("in a database", "composite type"),
}


class _Relation(NamedTuple):
    """A row of ``queries.RELATIONS``."""

    oid: int
    schema: str
    name: str
    relkind: str
    owner: str
    is_ours_to_change: bool
    is_trusted: bool
    comment: str | None
    options: list[str] | None
    populated: bool
    tuples: float
    size: int | None
    is_held: bool
    server: int


def read_catalog(
    connection: BaseDatabaseWrapper,
    schemas: Collection[str],
    roles: Collection[str] = (),
    *,
    only: Collection[ViewName] | None = None,
    trusted: Collection[int] | None = None,
    owners_of: Collection[str] = (),
    elsewhere: bool = True,
    registered: Collection[ViewName] = (),
) -> Catalog:
    """Read the views of a database and what surrounds them, inside a transaction.

    The number of queries does not depend on the number of views.

    Args:
        connection: the database.
        schemas: the schemas that registered views are in.
        roles: the roles to look for.
        only: read these views and no other relations.
        trusted: the oids of the roles whose sync states are believed; None for those that we trust.
        owners_of: schemas whose owners are trusted too, for pages; see ``read_trusted_roles()``.
        elsewhere: also read the views of other schemas that have a sync state.
        registered: the views whose ``shadows`` are read.
    """
    where = queries.IN_OUR_SCHEMAS
    params = {"schemas": array(schemas), "states": array(_STATES if elsewhere else ())}
    if only is not None:
        where, params = queries.BY_NAME, name_arrays(only)
    with catalog_cursor(connection) as cursor:
        setting, existing_schemas = read_search_path(connection)
        facts = read_facts(cursor, schemas, roles, owners_of=owners_of)
        trusted = facts.trusted if trusted is None else trusted
        rows = _read_rows(cursor, where, params, trusted)
        relations = _read_relations(cursor, rows)
        relations |= _with_sources(cursor, relations)
        path = _search_path(setting, {*existing_schemas, *schemas, "pg_temp"}, facts.session.role)
        relations |= read_shadows(cursor, relations, path, registered)
    return Catalog(
        relations,
        schemas=frozenset(schema.name for schema in facts.schemas),
        roles=facts.roles,
        schema_usage={schema.name: frozenset(schema.readers) for schema in facts.schemas},
        trusted=tuple(trusted),
        search_path=path,
        writable=frozenset(schema.name for schema in facts.schemas if schema.is_writable),
        session=facts.session,
    )


def _search_path(setting: str, schemas: Collection[str], user: str) -> tuple[str, ...]:
    """Return those of some schemas that ``search_path`` names, in its order."""
    names = (token.identifier for token in tokenize(setting) if token.kind == "identifier")
    resolved = (user if name == "$user" else name for name in names)
    return tuple(dict.fromkeys(name for name in resolved if name in schemas))


def read_created(
    connection: BaseDatabaseWrapper, names: Collection[ViewName], sources_of: Collection[ViewName] = ()
) -> dict[ViewName, StoredView]:
    """Return what PostgreSQL stores of views that were just created.

    Args:
        connection: the database.
        names: the views, in the schemas that they are in now.
        sources_of: the views whose sources' columns are to be hashed.
    """
    if not names:
        return {}
    with catalog_cursor(connection) as cursor:
        rows = fetch(cursor, queries.CREATED, name_arrays(names))
        oids = {ViewName(schema, name): oid for oid, _, schema, name, *_ in rows}
        sources = read_sources(cursor, [oids[name] for name in sources_of if name in oids])
        indexes = read_indexes(cursor, [oid for oid, _, _, _, relkind, *_ in rows if relkind == "m"])
    return {
        ViewName(schema, name): StoredView(
            oid=oid,
            server=server,
            kind=_KINDS[relkind],
            rule=rule,
            options=parse_options(options),
            indexes=tuple(indexes.get(oid, ())),
            sources=sources.get(oid),
        )
        for oid, server, schema, name, relkind, options, rule in rows
    }


def read_again(cursor: CatalogCursor, names: Collection[ViewName]) -> dict[ViewName, InstalledView]:
    """Return the owners, comments, options, rules and readers of some views, as they are now.

    Args:
        names: the views.
    """
    rows = _read_rows(cursor, queries.BY_NAME, name_arrays(names), read_trusted_roles(cursor))
    oids = [row.oid for row in rows]
    rules = _read_rules(cursor, oids)
    _, read_by = _read_reads(cursor, oids)
    views = [_view(row, rule=rules.get(row.oid), read_by=frozenset(read_by[row.oid])) for row in rows]
    return {view.name: view for view in views}


def _read_relations(cursor: CatalogCursor, rows: Collection[_Relation]) -> dict[ViewName, InstalledView]:
    oids = [row.oid for row in rows]
    details = read_details(
        cursor,
        oids,
        views=[row.oid for row in rows if row.relkind in _KINDS and not row.is_held],
        held=[row.oid for row in rows if row.is_held],
    )
    reads, read_by = _read_reads(cursor, oids)
    views = [
        _view(
            row,
            **details[row.oid],
            reads=frozenset(reads[row.oid]),
            read_by=frozenset(read_by[row.oid]),
        )
        for row in rows
    ]
    return {view.name: view for view in views}


def _read_rows(
    cursor: CatalogCursor, where: str, params: Mapping[str, Any], trusted: Collection[int]
) -> list[_Relation]:
    params = {**params, "trusted": array(trusted)}
    return [_Relation(*row) for row in fetch(cursor, queries.RELATIONS + where, params)]


def _read_rules(cursor: CatalogCursor, oids: Iterable[int]) -> dict[int, str]:
    """Return a hash of the rewrite rule of some views, by oid."""
    return dict(fetch(cursor, queries.RULES, {"oids": array(oids)}))


def _read_reads(
    cursor: CatalogCursor, oids: Iterable[int]
) -> tuple[defaultdict[int, set[ViewName]], defaultdict[int, set[ViewName]]]:
    """Return what some relations read, and what reads them, both by oid."""
    reads: defaultdict[int, set[ViewName]] = defaultdict(set)
    read_by: defaultdict[int, set[ViewName]] = defaultdict(set)
    rows = fetch(cursor, queries.READS, {"oids": array(oids)})
    for reader, reader_schema, reader_name, oid, schema, name in rows:
        reads[reader].add(ViewName(schema, name))
        read_by[oid].add(ViewName(reader_schema, reader_name))
    return reads, read_by


def _view(row: _Relation, **details: Any) -> InstalledView:
    """Return a relation, made of its row and of what other queries read of it."""
    kind = _KINDS.get(row.relkind)
    text, state = split_comment(row.comment) if kind else (row.comment or "", None)
    return InstalledView(
        oid=row.oid,
        name=ViewName(row.schema, row.name),
        kind=kind,
        relation=kind.label if kind else _OTHER_KINDS[row.relkind],
        owner=row.owner,
        is_ours_to_change=row.is_ours_to_change,
        is_trusted=row.is_trusted,
        text=text,
        state=state if row.is_trusted else None,
        options=parse_options(row.options),
        populated=row.populated,
        rows=int(row.tuples) if kind is ViewKind.MATERIALISED_VIEW and row.tuples >= 0 else None,
        size=row.size,
        server=row.server,
        **details,
    )


def _with_sources(
    cursor: CatalogCursor, relations: Mapping[ViewName, InstalledView]
) -> dict[ViewName, InstalledView]:
    """Return the views with a star in their SQL, with a hash of the columns of what they read."""
    expanding = [view for view in relations.values() if view.state and view.state.sources]
    hashes = read_sources(cursor, [view.oid for view in expanding])
    return {view.name: replace(view, sources=hashes.get(view.oid)) for view in expanding}


def with_definitions(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Collection[ViewName], *, wait: bool = True
) -> Catalog:
    """Return a catalog in which some views have their ``definition``, PostgreSQL's own text of them.

    Args:
        connection: the catalog's database, inside a transaction.
        catalog: the catalog.
        names: the views.
        wait: wait for a session that has locked one of the views in ACCESS EXCLUSIVE mode; if False, leave
            out the definition of that view.
    """
    views = [catalog.relations[name] for name in names if name in catalog.relations]
    if not views:
        return catalog
    with catalog_cursor(connection) as cursor:
        params = {"oids": array(view.oid for view in views), "wait": wait}
        definitions = dict(fetch(cursor, queries.DEFINITIONS, params))
    defined = {view.name: replace(view, definition=definitions.get(view.oid)) for view in views}
    return replace(catalog, relations={**catalog.relations, **defined})


def read_sources(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, str]:
    """Return a hash of the columns of what each of some views reads, by the view's oid."""
    return dict(fetch(cursor, queries.SOURCES, {"oids": array(oids)})) if oids else {}


def parse_options(reloptions: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """Turn ``pg_class.reloptions`` (``["security_barrier=true"]``) into sorted pairs."""
    if not reloptions:
        return ()
    pairs = (option.partition("=") for option in reloptions)
    return tuple(sorted((name, value) for name, _, value in pairs))


def read_indexes(
    cursor: CatalogCursor, oids: Collection[int], held: Collection[int] = ()
) -> dict[int, list[InstalledIndex]]:
    """Return the indexes of some relations, by the relation's oid.

    Args:
        oids: the relations.
        held: those that another session has locked in ACCESS EXCLUSIVE mode; their indexes have no ``tail``.
    """
    if not oids:
        return {}
    rows = fetch(cursor, queries.INDEXES, {"oids": array(oids), "held": array(held)})
    return group((oid, index) for oid, *values in rows if (index := as_index(*values)) is not None)


def read_columns(cursor: CatalogCursor, oids: Collection[int]) -> dict[int, list[Column]]:
    """Return the columns of some relations in their order, by the relation's oid."""
    rows = fetch(cursor, queries.COLUMNS, {"oids": array(oids)})
    return group((oid, Column(*column)) for oid, *column in rows)
