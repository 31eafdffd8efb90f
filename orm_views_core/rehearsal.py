"""Trying definitions in a staging schema, to know what PostgreSQL would make of them, and rolling back.

Nothing live is locked beyond ACCESS SHARE on what the views read. They are staged in a schema of their own
and not as temporary views, because pg_temp is searched first: a view called ``loans`` would shadow the
table ``loans`` that it reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from . import ddl
from .catalog import Column, InstalledIndex, canonical_names, parse_options, read_columns, read_indexes
from .definition import ViewDefinition
from .exceptions import InvalidViewsError, OrmViewsError, ViewSQLError
from .names import ViewName, quote_identifier
from .references import move_references
from .refusal import is_refusal, view_refused

_STAGED = """
SELECT c.oid, c.relname, n.nspname, pg_catalog.pg_get_viewdef(c.oid), c.reloptions,
       ARRAY(SELECT DISTINCT ARRAY[rn.nspname, rc.relname]::text[]
             FROM pg_catalog.pg_rewrite r
             JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
             LEFT JOIN pg_catalog.pg_type t
                    ON t.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_type'::regclass
             LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
             JOIN pg_catalog.pg_class rc
               ON rc.oid = CASE WHEN d.refclassid = 'pg_catalog.pg_class'::regclass THEN d.refobjid
                                ELSE COALESCE(NULLIF(t.typrelid, 0), e.typrelid) END
             JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
             WHERE r.ev_class = c.oid AND rc.oid <> c.oid)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('v', 'm')
"""


@dataclass(frozen=True)
class RehearsedView:
    """What PostgreSQL makes of a definition, as if it were in its own place.

    Attributes:
        definition: its own text of it, with which an installed one can be compared.
        reads: the relations that it really reads.
    """

    name: ViewName
    definition: str
    columns: tuple[Column, ...]
    options: tuple[tuple[str, str], ...] = ()
    indexes: tuple[InstalledIndex, ...] = ()
    reads: frozenset[ViewName] = frozenset()


@dataclass(frozen=True)
class Rehearsal:
    """The views that were tried, the columns of those that exist already, and what was refused."""

    views: Mapping[ViewName, RehearsedView] = field(default_factory=dict)
    installed_columns: Mapping[ViewName, tuple[Column, ...]] = field(default_factory=dict)
    errors: Mapping[ViewName, OrmViewsError] = field(default_factory=dict)

    def raise_errors(self) -> None:
        """Raise what was refused, all of it at once."""
        errors = list(self.errors.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InvalidViewsError(errors)


def rehearse(
    connection: BaseDatabaseWrapper,
    definitions: Iterable[ViewDefinition],
    dependencies: Mapping[ViewName, Collection[ViewName]],
    installed: Mapping[ViewName, int],
    search_path: Collection[str],
) -> Rehearsal:
    """Create views in a staging schema, read back what they became, and roll back.

    Args:
        connection: their database; inside a transaction or not.
        definitions: the views, each after what it reads.
        dependencies: what each reads of the views that are tried.
        installed: the oids of those that exist.
        search_path: the schemas in which an unqualified name is looked up.

    Returns:
        what became of each, and an error for each that PostgreSQL refuses.
    """
    ordered = list(definitions)
    if not ordered:
        return Rehearsal()
    suffix = secrets.token_hex(4)
    schemas = dict.fromkeys(d.name.schema for d in ordered)
    # A name that needs no quotes and occurs nowhere else can be put back by replacing text.
    staging = {schema: f"orm_views_staging_{i}_{suffix}" for i, schema in enumerate(schemas)}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for schema in staging.values():
            cursor.execute(ddl.create_schema(schema))
        _look_up_staged_first(cursor, staging, search_path)
        errors = _create_staged(connection, cursor, ordered, dependencies, staging)
        with canonical_names(cursor):
            views = _read_staged(cursor, {stage: schema for schema, stage in staging.items()})
            columns = read_columns(cursor, list(installed.values()))
        transaction.set_rollback(True, using=connection.alias)
    installed_columns = {name: tuple(columns.get(oid, ())) for name, oid in installed.items()}
    return Rehearsal(views, installed_columns, errors)


def _look_up_staged_first(cursor: CursorWrapper, staging: Mapping[str, str], path: Collection[str]) -> None:
    """Put each staging schema where its schema stands in the search path, so that tables keep their place."""
    if not any(schema in staging for schema in path):
        return
    staged_path = [
        part for schema in path for part in ([staging[schema]] if schema in staging else []) + [schema]
    ]
    cursor.execute(
        "SELECT set_config('search_path', %s, true)",
        [", ".join(quote_identifier(part) for part in staged_path)],
    )


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
        statement = ddl.create_view(
            definition, at=at, sql=move_references(definition.sql, moves), with_data=False
        )
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(statement)
                for index in definition.indexes:
                    statement = index.create_sql(definition.name)  # what is shown if it is refused
                    cursor.execute(index.create_sql(at))
                for column, text in definition.column_comments.items():
                    statement = ddl.comment_on_column(definition.name, column, text)
                    cursor.execute(ddl.comment_on_column(at, column, text))
        except DatabaseError as error:
            if not is_refusal(error):
                raise
            message = str(view_refused(definition, statement, error))
            for schema, stage in staging.items():
                message = message.replace(stage, schema)
            errors[definition.name] = ViewSQLError(message)
    return errors


def _read_staged(cursor: CursorWrapper, schemas: Mapping[str, str]) -> dict[ViewName, RehearsedView]:
    """Read the staged views back as if they were in their own schema.

    Args:
        cursor: inside ``canonical_names``.
        schemas: the schema that each staging schema stands for.
    """
    cursor.execute(_STAGED, [list(schemas)])
    rows = cursor.fetchall()
    oids = [row[0] for row in rows]
    columns, indexes = read_columns(cursor, oids), read_indexes(cursor, oids)

    written = {stage: _as_postgres_writes(cursor, schema) for stage, schema in schemas.items()}

    def unstaged(text: str) -> str:
        for stage, schema in written.items():
            text = text.replace(f"{stage}.", f"{schema}.")
        return text

    views = {}
    for oid, relname, stage, definition, options, reads in rows:
        name = ViewName(schemas[stage], relname)
        views[name] = RehearsedView(
            name=name,
            definition=unstaged(definition),
            columns=tuple(Column(c.name, unstaged(c.type), c.collation) for c in columns.get(oid, ())),
            options=parse_options(options),
            indexes=tuple(InstalledIndex(i.name, i.unique, unstaged(i.tail)) for i in indexes.get(oid, ())),
            reads=frozenset(ViewName(schemas.get(schema, schema), read) for schema, read in reads),
        )
    return views


def _as_postgres_writes(cursor: CursorWrapper, identifier: str) -> str:
    """Quote an identifier only where PostgreSQL does in the text of a view."""
    cursor.execute("SELECT pg_catalog.quote_ident(%s)", [identifier])
    return str(cursor.fetchone()[0])
