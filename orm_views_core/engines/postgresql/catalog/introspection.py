"""What the database has: InstalledView, read from PostgreSQL's catalogs in a fixed number of queries.

https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import (
    Catalog,
    Column,
    Grant,
    InstalledIndex,
    InstalledView,
    Session,
    StoredView,
)
from orm_views_core.database.sync_state import split_comment
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sql.lexer import tokenize

from . import queries
from .fetch import array, asked, fetch, group, moment

_KINDS = {"v": ViewKind.VIEW, "m": ViewKind.MATERIALISED_VIEW}
_OTHER_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "f": "foreign table",
    "S": "sequence",
    "c": "composite type",
    "i": "index",
}


@contextmanager
def canonical_names(cursor: CursorWrapper) -> Iterator[None]:
    """Make PostgreSQL write every name with its schema, whatever ``search_path`` a role or session has.

    Inside a transaction; the old path is put back, because the SQL of views is looked up along it. JIT is off
    as long: for thousands of views these queries look dear enough for it, and it takes longer than they do.
    https://www.postgresql.org/docs/current/jit-decision.html
    """
    cursor.execute(
        "SELECT current_setting('search_path'), current_setting('jit'),"
        " set_config('search_path', '', true), set_config('jit', 'off', true)"
    )
    path, jit = cursor.fetchone()[:2]
    yield
    # Not in a finally clause: after an error the transaction takes no statement, and its rollback resets it.
    cursor.execute("SELECT set_config('search_path', %s, true), set_config('jit', %s, true)", [path, jit])


def read_catalog(
    connection: BaseDatabaseWrapper,
    schemas: Collection[str],
    roles: Collection[str] = (),
    *,
    only: Collection[ViewName] | None = None,
    sources_of: Collection[ViewName] = (),
) -> Catalog:
    """Read what a database has of views, inside a transaction.

    Args:
        connection: the database.
        schemas: the schemas that views are to be in.
        roles: the roles that are to be granted something.
        only: read these views and nothing else.
        sources_of: hash the columns of what these views read, although no sync state has such a hash yet.

    Returns:
        the catalog; how many queries it takes does not depend on the number of views.
    """
    with connection.cursor() as cursor:
        cursor.execute(queries.SESSION, {"roles": list(roles)})
        setting, existing_schemas, existing_roles, *facts, now = cursor.fetchone()
        session = replace(Session(*facts), now=moment(now))
        search_path = _search_path(setting, {*existing_schemas, *schemas}, session.role)
        with canonical_names(cursor):
            found = fetch(cursor, queries.SCHEMAS, {"schemas": list(schemas)})
            relations = _read_relations(cursor, schemas, only)
            relations |= _with_sources(cursor, relations, sources_of)
    return Catalog(
        relations,
        schemas=frozenset(name for name, _, _ in found),
        roles=frozenset(existing_roles),
        schema_usage={name: frozenset(readers) for name, _, readers in found},
        search_path=search_path,
        writable=frozenset(name for name, writable, _ in found if writable),
        session=session,
    )


def _search_path(setting: str, schemas: Collection[str], user: str) -> tuple[str, ...]:
    """Return the schemas of ``search_path`` that exist, or will once views are created in them."""
    names = (token.identifier for token in tokenize(setting) if token.kind == "identifier")
    named = (user if name == "$user" else name for name in names)
    return tuple(dict.fromkeys(name for name in named if name in schemas))


def read_created(
    connection: BaseDatabaseWrapper, names: Collection[ViewName], sources_of: Collection[ViewName] = ()
) -> dict[ViewName, StoredView]:
    """Return what PostgreSQL stored of views that were just made.

    Args:
        connection: the database.
        names: the views, where they are now.
        sources_of: those of them to hash the columns of what they read.
    """
    if not names:
        return {}
    with connection.cursor() as cursor, canonical_names(cursor):
        found = {ViewName(row[1], row[2]): row for row in fetch(cursor, queries.CREATED, asked(names))}
        sources = read_sources(cursor, [found[name][0] for name in sources_of if name in found])
        materialised = [oid for oid, _, _, relkind, *_ in found.values() if relkind == "m"]
        indexes = read_indexes(cursor, materialised) if materialised else {}
    return {
        name: StoredView(
            _KINDS[relkind], rule, parse_options(options), tuple(indexes.get(oid, ())), sources.get(oid)
        )
        for name, (oid, _, _, relkind, options, rule) in found.items()
    }


def read_again(cursor: CursorWrapper, names: Collection[ViewName]) -> dict[ViewName, InstalledView]:
    """Return the owners, comments, options, rules and readers of some views, as they are now.

    Args:
        cursor: inside ``canonical_names``.
        names: the views.
    """
    rows = _read_rows(cursor, (), names)
    oids = [row[0] for row in rows]
    rules = _read_rules(cursor, oids)
    readers = group(
        (oid, ViewName(schema, name))
        for _, schema, name, oid, *_ in fetch(cursor, queries.READS, {"oids": array(oids)})
    )
    views = [_view(row, rule=rules.get(row[0]), read_by=frozenset(readers.get(row[0], ()))) for row in rows]
    return {view.name: view for view in views}


def _read_relations(
    cursor: CursorWrapper, schemas: Collection[str], only: Collection[ViewName] | None
) -> dict[ViewName, InstalledView]:
    rows = _read_rows(cursor, schemas, only)
    oids = {"oids": array(row[0] for row in rows)}
    rules = _read_rules(cursor, [row[0] for row in rows if row[3] in _KINDS and not row[-1]])
    column_comments: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for oid, column, comment in fetch(cursor, queries.COLUMN_COMMENTS, oids):
        column_comments[oid][column] = comment
    grants = group(((oid, Grant(*grant)) for oid, *grant in fetch(cursor, queries.GRANTS, oids)))
    indexes = read_indexes(cursor, [row[0] for row in rows], held=[row[0] for row in rows if row[-1]])
    reads: defaultdict[int, set[ViewName]] = defaultdict(set)
    read_by: defaultdict[int, set[ViewName]] = defaultdict(set)
    for reader, reader_schema, reader_name, oid, schema, name in fetch(cursor, queries.READS, oids):
        reads[reader].add(ViewName(schema, name))
        read_by[oid].add(ViewName(reader_schema, reader_name))
    views = [
        _view(
            row,
            rule=rules.get(row[0]),
            column_comments=column_comments[row[0]],
            indexes=tuple(indexes.get(row[0], ())),
            grants=frozenset(grants.get(row[0], ())),
            reads=frozenset(reads[row[0]]),
            read_by=frozenset(read_by[row[0]]),
        )
        for row in rows
    ]
    return {view.name: view for view in views}


def _read_rows(
    cursor: CursorWrapper, schemas: Collection[str], only: Collection[ViewName] | None
) -> list[tuple[Any, ...]]:
    if only is None:
        params = {"schemas": list(schemas), "tag": '%{"orm_views":%'}
        return fetch(cursor, queries.RELATIONS + queries.IN_OUR_SCHEMAS, params)
    return fetch(cursor, queries.RELATIONS + queries.BY_NAME, asked(only))


def _read_rules(cursor: CursorWrapper, oids: Iterable[int]) -> dict[int, str]:
    """Return a hash of the SELECT of some views, by oid."""
    return dict(fetch(cursor, queries.RULES, {"oids": array(oids)}))


def _view(row: tuple[Any, ...], **details: Any) -> InstalledView:
    """Make a value of a row of the relations, and of what other queries know of it."""
    oid, schema, name, relkind, owner, ours, comment, options, populated, tuples, size, _ = row
    kind = _KINDS.get(relkind)
    text, state = split_comment(comment) if kind else (comment or "", None)
    return InstalledView(
        oid=oid,
        name=ViewName(schema, name),
        kind=kind,
        relation=kind.label if kind else _OTHER_KINDS[relkind],
        owner=owner,
        is_ours_to_change=ours,
        text=text,
        state=state,
        options=parse_options(options),
        populated=populated,
        rows=int(tuples) if kind is ViewKind.MATERIALISED_VIEW and tuples >= 0 else None,
        size=size,
        **details,
    )


def _with_sources(
    cursor: CursorWrapper, relations: Mapping[ViewName, InstalledView], asked: Collection[ViewName]
) -> dict[ViewName, InstalledView]:
    """Return the views whose SQL has a star with the hash of their sources' columns."""
    expanding = {
        name: view for name, view in relations.items() if name in asked or (view.state and view.state.sources)
    }
    hashes = read_sources(cursor, [view.oid for view in expanding.values()])
    return {name: replace(view, sources=hashes.get(view.oid)) for name, view in expanding.items()}


def with_definitions(
    connection: BaseDatabaseWrapper, catalog: Catalog, names: Collection[ViewName], *, wait: bool = True
) -> Catalog:
    """Return a catalog in which some views have PostgreSQL's text of them, inside a transaction.

    Args:
        connection: its database.
        catalog: the catalog.
        names: the views.
        wait: wait for whoever holds one exclusively, instead of leaving it as it is.
    """
    views = [catalog.relations[name] for name in names if name in catalog.relations]
    if not views:
        return catalog
    with connection.cursor() as cursor, canonical_names(cursor):
        params = {"oids": array(view.oid for view in views), "wait": wait}
        texts = dict(fetch(cursor, queries.DEFINITIONS, params))
    read = {view.name: replace(view, definition=texts.get(view.oid)) for view in views}
    return replace(catalog, relations={**catalog.relations, **read})


def read_sources(cursor: CursorWrapper, oids: Collection[int]) -> dict[int, str]:
    """Return a hash of the columns of what some views read, by oid."""
    return dict(fetch(cursor, queries.SOURCES, {"oids": array(oids)})) if oids else {}


def parse_options(reloptions: Iterable[str] | None) -> tuple[tuple[str, str], ...]:
    """Turn ``pg_class.reloptions`` (``["security_barrier=true"]``) into sorted pairs."""
    if not reloptions:
        return ()
    pairs = (option.partition("=") for option in reloptions)
    return tuple(sorted((name, value) for name, _, value in pairs))


def read_indexes(
    cursor: CursorWrapper, oids: Collection[int], held: Collection[int] = ()
) -> dict[int, list[InstalledIndex]]:
    """Return the indexes of some relations, by oid; without definitions for those that somebody holds."""
    return group(
        (oid, InstalledIndex(name, unique, definition.partition(" USING ")[2], concurrent))
        for oid, name, unique, definition, concurrent in fetch(
            cursor, queries.INDEXES, {"oids": array(oids), "held": array(held)}
        )
    )


def read_columns(cursor: CursorWrapper, oids: Collection[int]) -> dict[int, list[Column]]:
    """Return the columns of some relations in their order, by oid."""
    rows = fetch(cursor, queries.COLUMNS, {"oids": array(oids)})
    return group((oid, Column(*column)) for oid, *column in rows)
