"""The dry run: it creates views in staging schemas, reads what PostgreSQL made of them, and rolls back.

It takes no lock on existing relations except ACCESS SHARE on those that the views read. It does not create
temporary views, because pg_temp is searched first: a temporary view called ``loans`` would hide the table
``loans`` that it reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.engine import StatementKind
from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import InstalledView
from orm_views_core.database.staging import staging_schemas
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.introspection import (
    parse_options,
    read_columns,
    read_indexes,
    read_sources,
)
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_path
from orm_views_core.exceptions import OrmViewsError, ViewSQLError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says
from orm_views_core.sql.references import move_references

from . import ddl
from .batches import send
from .catalog.queries import OPTIONS
from .catalog.rights import read_closed
from .errors.diagnostics import primary_message, quoting
from .errors.functions import naming_functions
from .errors.refusals import is_fault_of_view, is_refusal_of_one, view_refused
from .reparsed import Tried, with_installed_texts
from .staging import create_staging, staged_first

Options = tuple[tuple[str, str], ...]
#: What reads the staged views in its own way. It gets the real schema of each staging schema.
WhileStaged = Callable[[CatalogCursor, Mapping[str, str]], None]

_STAGED = f"""
SELECT c.oid, c.relname, n.nspname, pg_catalog.pg_get_viewdef(c.oid), {OPTIONS},
       ARRAY(SELECT DISTINCT ARRAY[rn.nspname::text, rc.relname::text,
                                   pg_catalog.has_any_column_privilege(rc.oid, 'SELECT')::text]
             FROM pg_catalog.pg_rewrite r
             JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
             LEFT JOIN pg_catalog.pg_type t
                    ON t.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_type'::regclass
             LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
             JOIN pg_catalog.pg_class rc
               ON rc.oid = CASE WHEN d.refclassid = 'pg_catalog.pg_class'::regclass THEN d.refobjid
                                ELSE COALESCE(NULLIF(t.typrelid, 0), e.typrelid) END
             JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
             WHERE r.ev_class = c.oid AND rc.oid <> c.oid),
       ARRAY(SELECT ARRAY[rn.nspname::text, rc.relname::text]
             FROM pg_catalog.pg_attribute a
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
             JOIN pg_catalog.pg_class rc ON rc.oid = COALESCE(NULLIF(t.typrelid, 0), e.typrelid)
             JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('v', 'm')
"""


_COUNT_STAGED = """
SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE n.nspname OPERATOR(pg_catalog.=) ANY(%s::pg_catalog.name[])
  AND c.relkind OPERATOR(pg_catalog.=) ANY('{v,m}'::pg_catalog."char"[])
"""


def try_views(
    connection: BaseDatabaseWrapper,
    definitions: Iterable[ViewDefinition],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    installed: Mapping[ViewName, InstalledView],
    search_path: Collection[str],
    *,
    extras: Mapping[ViewName, Collection[Extra]] | None = None,
    role: str = "",
    while_staged: WhileStaged | None = None,
) -> DryRun:
    """Create views in staging schemas, read back what PostgreSQL made of them, and roll back.

    Args:
        connection: their database, inside a transaction or not.
        definitions: the views, each after those that it reads.
        dependencies: the views that each view reads.
        installed: the views that exist already.
        search_path: the schemas in which unqualified names are looked up.
        extras: the extras to keep of the views that exist already; they are tried as well.
        role: the role of the connection.
        while_staged: called while the views are in their staging schemas.

    Returns:
        what PostgreSQL made of each view, and an error for each view that it refuses.
    """
    ordered = list(definitions)
    if not ordered:
        return DryRun()
    # The names occur nowhere else, so any text can be searched for them to put the real schemas' names back.
    staging = staging_schemas((d.name.schema for d in ordered), f"_{secrets.token_hex(4)}")
    lost: dict[ViewName, dict[Extra, Quoting]] = {}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        create_staging(cursor, staging)
        with staged_first(cursor, staging, search_path):
            errors = _create_staged(connection, cursor, ordered, dependencies, staging)
        for name, kept in (extras or {}).items():
            if name not in errors:
                at = ViewName(staging[name.schema], name.name)
                refused = _refused_extras(connection, cursor, tuple(kept), at, role)
                lost[name] = {e: why.replaced(at.schema, name.schema) for e, why in refused.items()}
        with catalog_path(cursor) as catalog:
            schemas = {stage: schema for schema, stage in staging.items()}
            views = _read_staged(connection, catalog, ordered, schemas, lost, installed)
            if while_staged:
                while_staged(catalog, schemas)
            columns = read_columns(catalog, [view.oid for view in installed.values()])
        transaction.set_rollback(True, using=connection.alias)
    installed_columns = {name: tuple(columns.get(view.oid, ())) for name, view in installed.items()}
    return DryRun(views, installed_columns, errors)


def are_accepted(
    connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], search_path: Collection[str]
) -> bool:
    """Return whether PostgreSQL accepts all of some views. They are sent at once, and rolled back.

    Args:
        connection: their database.
        definitions: the views, each after those that it reads. They are those of classes.
        search_path: the schemas in which unqualified names are looked up.

    Raises:
        DatabaseError: when it is not the fault of a view.
    """
    staging = staging_schemas((d.name.schema for d in definitions), f"_{secrets.token_hex(4)}")
    moves = {d.name: staging[d.name.schema] for d in definitions}
    statements = [statement for each in definitions for _kind, statement in _statements(each, moves)]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        create_staging(cursor, staging)
        try:
            with staged_first(cursor, staging, search_path), transaction.atomic(using=connection.alias):
                send(cursor, statements)
                # A literal without an end in one statement may swallow the next ones.
                cursor.execute(_COUNT_STAGED, [list(staging.values())])
                return bool(cursor.fetchone()[0] == len(definitions))
        except DatabaseError as error:
            if not is_fault_of_view(error):
                raise
            return False
        finally:
            transaction.set_rollback(True, using=connection.alias)


def _create_staged(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    ordered: Sequence[ViewDefinition],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    staging: Mapping[str, str],
) -> dict[ViewName, OrmViewsError]:
    """Create views in their staging schemas; return an error for each that PostgreSQL refuses."""
    errors: dict[ViewName, OrmViewsError] = {}
    moves = {d.name: staging[d.name.schema] for d in ordered}
    for definition in ordered:
        refused = next((name for name in dependencies.get(definition.name, ()) if name in errors), None)
        if refused is not None:
            why = says("it could not be tried, because it reads %(view)s, which fails.", view=refused)
            said = says("%(where)s: %(why)s", where=definition.where, why=why)
            errors[definition.name] = ViewSQLError(said, why)
            continue
        statements = _statements(definition, moves)
        path = catalog_path(cursor) if definition.is_canonical else nullcontext()
        try:
            with transaction.atomic(using=connection.alias), path:
                for kind, statement in statements:  # noqa: B007 - the last one is the one that was refused
                    cursor.execute(statement)
        except DatabaseError as error:
            if not is_fault_of_view(error):
                raise
            found = view_refused(definition, kind, statement, error)
            message, why = found.message, found.why
            for schema, stage in staging.items():
                message, why = message.replaced(stage, schema), why.replaced(stage, schema)
            errors[definition.name] = ViewSQLError(message, why)
    naming_functions(connection, errors.values())
    return errors


def _statements(definition: ViewDefinition, moves: Mapping[ViewName, str]) -> list[tuple[StatementKind, str]]:
    """Return what creates a view in its staging schema.

    Args:
        definition: the view.
        moves: the staging schema of each view.
    """
    at = ViewName(moves[definition.name], definition.name.name)
    sql = move_references(definition.sql, moves)
    return [
        (StatementKind.QUERY, ddl.create_view(definition, at=at, sql=sql, with_data=False)),
        *((StatementKind.INDEX, index.create_sql(at)) for index in definition.indexes),
        *(
            (StatementKind.COMMENT, ddl.comment_on_column(at, column, text))
            for column, text in definition.column_comments.items()
        ),
    ]


def _refused_extras(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, extras: Sequence[Extra], at: ViewName, role: str
) -> dict[Extra, Quoting]:
    """Return the extras that a staged view cannot have, each with what PostgreSQL says.

    They are sent together first, because PostgreSQL nearly always accepts all of them.
    """
    statements = [statement for extra in extras for statement in extra.statements(at, role)]
    if not statements:
        return {}
    try:
        with transaction.atomic(using=connection.alias), catalog_path(cursor):
            send(cursor, statements)
        return {}
    except DatabaseError as error:
        if not is_refusal_of_one(error):
            raise
        if len(extras) == 1:
            return {extras[0]: quoting(primary_message(error), says("PostgreSQL refuses it."), error)}
    alone = (_refused_extras(connection, cursor, [extra], at, role) for extra in extras)
    return {extra: why for refused in alone for extra, why in refused.items()}


def _read_staged(
    connection: BaseDatabaseWrapper,
    cursor: CatalogCursor,
    ordered: Iterable[ViewDefinition],
    schemas: Mapping[str, str],
    lost: Mapping[ViewName, Mapping[Extra, str]],
    installed: Mapping[ViewName, InstalledView],
) -> dict[ViewName, ExpectedView]:
    """Read the staged views, with the names that they would have in their real places.

    Args:
        ordered: the views that were tried.
        schemas: the schema that each staging schema stands for.
        lost: the extras that each view cannot have.
        installed: the views that exist already.
    """
    cursor.execute(_STAGED, [list(schemas)])
    rows = cursor.fetchall()
    definitions = {definition.name: definition for definition in ordered}
    names = {oid: ViewName(schemas[stage], relname) for oid, relname, stage, *_ in rows}
    columns, indexes = read_columns(cursor, list(names)), read_indexes(cursor, list(names))
    sources = read_sources(cursor, [oid for oid, name in names.items() if definitions[name].has_star])
    closed = read_closed(cursor, [oid for oid, n in names.items() if not definitions[n].is_canonical])
    written = {stage: _as_postgres_writes(cursor, schema) for stage, schema in schemas.items()}

    def unstaged(text: str) -> str:
        for stage, schema in written.items():
            text = text.replace(f"{stage}.", f"{schema}.")
        return text

    views, declared_here = {}, {}
    for oid, relname, stage, definition, options, reads, row_types in rows:
        name = names[oid]
        if not definitions[name].is_canonical:
            declared_here[name] = Tried(ViewName(stage, relname), definition)
        declared = {index.name for index in definitions[name].indexes}
        may_read = {ViewName(schema, read): may == "true" for schema, read, may in reads}
        views[name] = ExpectedView(
            name=name,
            definition=unstaged(definition),
            columns=tuple(replace(column, type=unstaged(column.type)) for column in columns.get(oid, ())),
            options=_declared(definitions[name], parse_options(options)),
            indexes=tuple(
                replace(index, tail=unstaged(index.tail))
                for index in indexes.get(oid, ())
                if index.name in declared
            ),
            reads=frozenset(ViewName(schemas.get(read.schema, read.schema), read.name) for read in may_read),
            stuck=frozenset(may_read.keys() & definitions.keys()),
            row_types=frozenset(ViewName(schemas.get(schema, schema), row) for schema, row in row_types),
            unreadable=frozenset(r for r, may in may_read.items() if not may and r.schema not in schemas),
            closed=tuple(each for each in closed.get(oid, ()) if each.relation.schema not in schemas),
            sources=sources.get(oid),
            lost=lost.get(name, {}),
        )
    return views | with_installed_texts(connection, cursor, views, declared_here, installed, unstaged)


def _declared(definition: ViewDefinition, options: Options) -> Options:
    """Leave out the storage parameters that a materialised view has among its extras.

    A plain view's options are no extras, and its SQL may set one that its class does not.
    """
    if definition.kind is ViewKind.VIEW:
        return options
    declared = dict(definition.options)
    return tuple(option for option in options if option[0] in declared)


def _as_postgres_writes(cursor: CatalogCursor, identifier: str) -> str:
    """Quote an identifier only where PostgreSQL quotes it in the text of a view."""
    cursor.execute("SELECT pg_catalog.quote_ident(%s)", [identifier])
    return str(cursor.fetchone()[0])
