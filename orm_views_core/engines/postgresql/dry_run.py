"""Trying definitions in a staging schema, to know what PostgreSQL would make of them, and rolling back.

Nothing live is locked beyond ACCESS SHARE on what the views read. They are staged in a schema of their own
and not as temporary views, because pg_temp is searched first: a view called ``loans`` would shadow the
table ``loans`` that it reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.engine import StatementKind
from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import Column, InstalledIndex
from orm_views_core.database.staging import staging_schemas
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.introspection import (
    canonical_names,
    parse_options,
    read_columns,
    read_indexes,
    read_sources,
)
from orm_views_core.exceptions import OrmViewsError, ViewSQLError
from orm_views_core.names import ViewName
from orm_views_core.sql.references import move_references

from . import ddl
from .errors import is_fault_of_view, is_refusal, primary_message, view_refused
from .staging import create_staging, staged_first

_STAGED = """
SELECT c.oid, c.relname, n.nspname, pg_catalog.pg_get_viewdef(c.oid), c.reloptions,
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


def try_views(
    connection: BaseDatabaseWrapper,
    definitions: Iterable[ViewDefinition],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    installed: Mapping[ViewName, int],
    search_path: Collection[str],
    *,
    extras: Mapping[ViewName, Collection[Extra]] | None = None,
    role: str = "",
) -> DryRun:
    """Create views in a staging schema, read back what they became, and roll back.

    Args:
        connection: their database; inside a transaction or not.
        definitions: the views, each after what it reads.
        dependencies: what each reads of the views that are tried.
        installed: the oids of those that exist.
        search_path: the schemas in which an unqualified name is looked up.
        extras: what is to be kept of those that exist; it is tried as well.
        role: the one that we connect as.

    Returns:
        what became of each, and an error for each that PostgreSQL refuses.
    """
    ordered = list(definitions)
    if not ordered:
        return DryRun()
    # A name that occurs nowhere else can be put back by replacing text.
    staging = staging_schemas((d.name.schema for d in ordered), f"_{secrets.token_hex(4)}")
    lost: dict[ViewName, dict[Extra, str]] = {}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        create_staging(cursor, staging)
        with staged_first(cursor, staging, search_path):
            errors = _create_staged(connection, cursor, ordered, dependencies, staging)
        for name, kept in (extras or {}).items():
            if name not in errors:
                at = ViewName(staging[name.schema], name.name)
                refused = _try_belongings(connection, cursor, kept, at, role)
                lost[name] = {b: why.replace(at.schema, name.schema) for b, why in refused.items()}
        with canonical_names(cursor):
            views = _read_staged(cursor, ordered, {stage: schema for schema, stage in staging.items()}, lost)
            columns = read_columns(cursor, list(installed.values()))
        transaction.set_rollback(True, using=connection.alias)
    installed_columns = {name: tuple(columns.get(oid, ())) for name, oid in installed.items()}
    return DryRun(views, installed_columns, errors)


def _create_staged(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    ordered: list[ViewDefinition],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    staging: Mapping[str, str],
) -> dict[ViewName, OrmViewsError]:
    errors: dict[ViewName, OrmViewsError] = {}
    moves = {d.name: staging[d.name.schema] for d in ordered}
    for definition in ordered:
        refused = next((name for name in dependencies.get(definition.name, ()) if name in errors), None)
        if refused is not None:
            errors[definition.name] = ViewSQLError(
                f"{definition.where}: it could not be tried, because it reads {refused}, which fails."
            )
            continue
        at = ViewName(staging[definition.name.schema], definition.name.name)
        kind = StatementKind.QUERY
        statement = ddl.create_view(
            definition, at=at, sql=move_references(definition.sql, moves), with_data=False
        )
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(statement)
                for index in definition.indexes:
                    kind = StatementKind.INDEX
                    statement = index.create_sql(definition.name)  # what is shown if it is refused
                    cursor.execute(index.create_sql(at))
                for column, text in definition.column_comments.items():
                    kind = StatementKind.COMMENT
                    statement = ddl.comment_on_column(definition.name, column, text)
                    cursor.execute(ddl.comment_on_column(at, column, text))
        except DatabaseError as error:
            if not is_fault_of_view(error):
                raise
            message = str(view_refused(definition, kind, statement, error))
            for schema, stage in staging.items():
                message = message.replace(stage, schema)
            errors[definition.name] = ViewSQLError(message)
    return errors


def _try_belongings(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    extras: Collection[Extra],
    at: ViewName,
    role: str,
) -> dict[Extra, str]:
    """Say what cannot be given to a staged view, and why: PostgreSQL knows best.

    All of it in one string first, because all of it is nearly always possible.
    """
    statements = [statement for extra in extras for statement in extra.statements(at, role)]
    if not statements:
        return {}
    try:
        with transaction.atomic(using=connection.alias):
            cursor.execute(";\n".join(statements))
        return {}
    except DatabaseError as error:
        if not is_refusal(error):
            raise
    lost = {}
    for extra in extras:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(";\n".join(extra.statements(at, role)))
        except DatabaseError as error:
            if not is_refusal(error):
                raise
            lost[extra] = primary_message(error)
    return lost


def _read_staged(
    cursor: CursorWrapper,
    ordered: Iterable[ViewDefinition],
    schemas: Mapping[str, str],
    lost: Mapping[ViewName, Mapping[Extra, str]],
) -> dict[ViewName, ExpectedView]:
    """Read the staged views back as if they were in their own schema.

    Args:
        cursor: inside ``canonical_names``.
        ordered: the views that were tried.
        schemas: the schema that each staging schema stands for.
        lost: what could not be given to them.
    """
    cursor.execute(_STAGED, [list(schemas)])
    rows = cursor.fetchall()
    oids = [row[0] for row in rows]
    columns, indexes = read_columns(cursor, oids), read_indexes(cursor, oids)
    definitions = {definition.name: definition for definition in ordered}
    names = {oid: ViewName(schemas[stage], relname) for oid, relname, stage, *_ in rows}
    sources = read_sources(cursor, [oid for oid, name in names.items() if definitions[name].has_star])
    written = {stage: _as_postgres_writes(cursor, schema) for stage, schema in schemas.items()}

    def unstaged(text: str) -> str:
        for stage, schema in written.items():
            text = text.replace(f"{stage}.", f"{schema}.")
        return text

    views = {}
    for oid, _, _, definition, options, reads, row_types in rows:
        name = names[oid]
        declared = {index.name for index in definitions[name].indexes}
        views[name] = ExpectedView(
            name=name,
            definition=unstaged(definition),
            columns=tuple(Column(c.name, unstaged(c.type), c.collation) for c in columns.get(oid, ())),
            options=parse_options(options),
            indexes=tuple(
                InstalledIndex(i.name, i.unique, unstaged(i.tail), i.allows_concurrent_refresh)
                for i in indexes.get(oid, ())
                if i.name in declared
            ),
            reads=frozenset(ViewName(schemas.get(schema, schema), read) for schema, read, _ in reads),
            stuck=frozenset(
                ViewName(schema, read) for schema, read, _ in reads if ViewName(schema, read) in definitions
            ),
            row_types=frozenset(ViewName(schemas.get(schema, schema), row) for schema, row in row_types),
            unreadable=frozenset(
                ViewName(schema, read)
                for schema, read, may in reads
                if may != "true" and schema not in schemas
            ),
            sources=sources.get(oid),
            lost=lost.get(name, {}),
        )
    return views


def _as_postgres_writes(cursor: CursorWrapper, identifier: str) -> str:
    """Quote an identifier only where PostgreSQL does in the text of a view."""
    cursor.execute("SELECT pg_catalog.quote_ident(%s)", [identifier])
    return str(cursor.fetchone()[0])
