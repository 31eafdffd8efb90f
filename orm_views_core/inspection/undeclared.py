"""Finds the views that only the database has, and drafts their classes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import default_schema, get_settings, schema_on, view_files
from orm_views_core.definitions.lookup import unknown_view, views_by_handle
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.connections import get_connection, staging_databases
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.fetch import array, fetch
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog, with_definitions
from orm_views_core.engines.postgresql.catalog.preconditions import read_extensions
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor, read_search_path
from orm_views_core.exceptions import DatabaseUnavailableError, UnknownViewError
from orm_views_core.graph import creation_order
from orm_views_core.names import ViewName, printable
from orm_views_core.sentences import Sentence, says

from .draft import Surroundings, class_name, draft_class, module_lines

#: What needs PostgreSQL.
_DRAFT = says("A draft of classes for views that no class declares")
_BY_NAME = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
  AND (concat(n.nspname, '.', c.relname) = %(wanted)s
       OR (c.relname = %(wanted)s AND n.nspname = ANY(%(path)s::text[])))
"""
_IN_SCHEMA = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname = %(schema)s
ORDER BY c.relname
"""


@dataclass(frozen=True)
class Drafted:
    """Views of one database, as source text.

    Attributes:
        database: the alias.
        views: the names of the views that have a class in the text, each after those that it reads.
        lines: the text.
    """

    database: str
    views: tuple[str, ...]
    lines: tuple[str, ...]


def draft_view(wanted: str, database: str | None = None) -> Drafted:
    """Return a class for a view that only the database has.

    Args:
        wanted: its name (``loan_book``, ``views.loan_book``). One without a schema is looked for in
            ``ORM_VIEWS["SCHEMA"]`` and along the search path.
        database: the alias; those with registered views, and the default database, when None.

    Raises:
        UnknownViewError: when no view, or more than one, has this name.
        DatabaseUnavailableError: when a database that may have it does not answer.
    """
    found: list[tuple[str, ViewName]] = []
    unavailable: list[DatabaseUnavailableError] = []
    aliases = staging_databases(None if database is None else [database])
    for alias in aliases:
        try:
            connection = get_connection(alias, _DRAFT)
        except DatabaseUnavailableError as error:
            unavailable.append(error)
            continue
        path = [schema_on(connection, default_schema()), *read_search_path(connection)[1]]
        with catalog_cursor(connection) as cursor:
            rows = fetch(cursor, _BY_NAME, {"wanted": wanted, "path": array(path)})
        found += [(alias, ViewName(*row)) for row in rows]
    if len(found) > 1:
        several = " and ".join(f"{name} in database {alias!r}" for alias, name in found)
        raise UnknownViewError(
            Sentence(f"Several views have the name {wanted!r}: {several}. Add the schema, or use --database.")
        )
    if not found:
        if unavailable:
            raise unavailable[0]
        raise unknown_view(wanted, views_by_handle(aliases))
    ((alias, name),) = found
    heading = [f"A class for {name}, which only database {alias!r} has. Put it into {view_files()}."]
    return _draft(connections[alias], [name], heading)


def draft_schema(schema: str | None = None, database: str | None = None) -> Drafted:
    """Return a whole ``postgres_views.py`` for the views of a schema that no class declares.

    Args:
        schema: the schema; ``ORM_VIEWS["SCHEMA"]`` when None.
        database: the alias; the default database when None.

    Raises:
        UnknownViewError: when the schema has no views.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database or DEFAULT_DB_ALIAS, _DRAFT)
    schema = schema or schema_on(connection, default_schema())
    with catalog_cursor(connection) as cursor:
        names = [ViewName(*row) for row in fetch(cursor, _IN_SCHEMA, {"schema": schema})]
    if not names:
        raise UnknownViewError(
            Sentence(f"Schema {printable(schema)!r} of database {connection.alias!r} has no views.")
        )
    heading = [f"The views of schema {printable(schema)}, which only database {connection.alias!r} has."]
    return _draft(connection, names, heading)


def _draft(connection: BaseDatabaseWrapper, names: Collection[ViewName], heading: Sequence[str]) -> Drafted:
    alias, settings = connection.alias, get_settings()
    notes = ["Then `manage.py sync_views --plan` adopts what it drafts: nothing is built again."]
    with transaction.atomic(using=alias):
        schemas = {name.schema for name in names}
        catalog = with_definitions(connection, read_catalog(connection, schemas, only=names), names)
        members = read_extensions(connection, catalog.relations.values())
        with catalog_cursor(connection) as cursor:
            extras = read_extras(cursor, [view.oid for view in catalog.relations.values()])
    declared = registered_views(alias).names
    order = creation_order(
        {name: view.reads & catalog.relations.keys() for name, view in catalog.relations.items()}
    )
    drafted, used, views = [], set[str](), []
    for name in order:
        view = catalog.relations[name]
        if name in members:
            notes.append(f"Left out: {name} belongs to the extension {printable(members[name])}.")
        elif name in declared:
            notes.append(f"Left out: a class declares {name}.")
        elif view.definition is None:
            notes.append(f"Left out: {name} was dropped while it was read.")
        else:
            used.add(label := class_name(name.name, used))
            where = Surroundings(
                alias,
                DEFAULT_DB_ALIAS,
                schema_on(connection, default_schema()),
                settings.GRANT_SELECT_TO,
                catalog.schema_usage.get(name.schema, frozenset()),
                catalog.session.role,
                django_settings.DEFAULT_TABLESPACE,
                django_settings.DEFAULT_INDEX_TABLESPACE,
            )
            drafted.append(draft_class(view, label, extras.get(view.oid, ()), where))
            views.append(str(name))
    return Drafted(alias, tuple(views), tuple(module_lines(drafted, [*heading, *notes])))
