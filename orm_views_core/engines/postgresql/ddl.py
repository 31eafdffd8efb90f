"""The SQL of PostgreSQL's statements, with all identifiers quoted. Pure.

The module implements the protocol :class:`orm_views_core.database.engine.Dialect`.
"""

from __future__ import annotations

from collections.abc import Iterable

from orm_views_core.definitions.definition import TABLESPACE, ViewDefinition
from orm_views_core.names import ViewKind, ViewName, column_list, quote_identifier

#: The lines of a CREATE VIEW statement before its SELECT, so that an error can name the line of the SELECT.
HEAD_LINES = 1


def quote_literal(value: str) -> str:
    """Quote a string, for any value of ``standard_conforming_strings``."""
    quoted = value.replace("'", "''")
    return " E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else "'" + quoted + "'"


def quote_role(role: str) -> str:
    """Quote a role. ``public`` is no role's name: it means all roles."""
    return "PUBLIC" if role.lower() in {"", "public"} else quote_identifier(role)


def create_schema(schema: str) -> str:
    """Return the statement that creates a schema."""
    return f"CREATE SCHEMA {quote_identifier(schema)}"


def open_schema(schema: str) -> str:
    """Return the statement that grants USAGE on a schema to PUBLIC."""
    return f"GRANT USAGE ON SCHEMA {quote_identifier(schema)} TO PUBLIC"


def drop_schema(schema: str) -> str:
    """Return the statement that drops an empty schema."""
    return f"DROP SCHEMA {quote_identifier(schema)}"


def create_view(
    definition: ViewDefinition,
    *,
    at: ViewName | None = None,
    sql: str | None = None,
    replace: bool = False,
    with_data: bool = True,
    further_options: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the statement that creates a view.

    Args:
        definition: the view.
        at: another name to create it under.
        sql: another SELECT: that of the definition with moved references.
        replace: use CREATE OR REPLACE, for a plain view whose columns keep their names and types.
        with_data: whether a materialised view is filled.
        further_options: options that were set by hand; CREATE OR REPLACE would reset them.
    """
    name, kind = at or definition.name, definition.kind
    create = "CREATE OR REPLACE" if replace else "CREATE"
    pairs = dict((*definition.options, *further_options))
    tablespace = pairs.pop(TABLESPACE, "")
    options = f" WITH ({', '.join(f'{option}={value}' for option, value in pairs.items())})" if pairs else ""
    options += f" TABLESPACE {quote_identifier(tablespace)}" if tablespace else ""
    head = f"{create} {kind.value} {name.quoted}{column_list(definition.columns)}{options} AS"
    if kind is ViewKind.VIEW:  # no parentheses: WITH CHECK OPTION at the end is no part of a SELECT
        return f"{head}\n{sql or definition.sql}"
    # A SELECT may end in IS JSON, and WITH may follow that; or in a comment.
    return f"{head} (\n{sql or definition.sql}\n){'' if with_data else ' WITH NO DATA'}"


def drop_view(kind: ViewKind, name: ViewName) -> str:
    """Return the statement that drops a view. Without CASCADE it fails if anything reads the view."""
    return f"DROP {kind.value} {name.quoted}"


def lock_view(kind: ViewKind, name: ViewName, *, owner: str | None = None) -> str:
    """Return a statement that takes an ACCESS EXCLUSIVE lock on a view and changes nothing.

    LOCK TABLE does not accept materialised views, and for a plain view it also locks the tables that the
    view reads. Setting the schema that the view has already only takes the lock.
    https://www.postgresql.org/docs/current/sql-lock.html

    Args:
        owner: set the owner to this role, the present owner, instead. That needs no CREATE on the schema,
            but it changes the owner if it is another role by now.
    """
    if owner is None:
        return set_schema(kind, name, name.schema)
    return f"ALTER {kind.value} {name.quoted} OWNER TO {quote_identifier(owner)}"


def set_schema(kind: ViewKind, name: ViewName, schema: str) -> str:
    """Return the statement that moves a view, and its indexes, to another schema."""
    return f"ALTER {kind.value} {name.quoted} SET SCHEMA {quote_identifier(schema)}"


def rename_view(kind: ViewKind, name: ViewName, new: str) -> str:
    """Return the statement that renames a view. The types of its rows and of arrays of them follow."""
    return f"ALTER {kind.value} {name.quoted} RENAME TO {quote_identifier(new)}"


def rename_index(index: ViewName, name: str) -> str:
    """Return the statement that renames an index."""
    return f"ALTER INDEX {index.quoted} RENAME TO {quote_identifier(name)}"


def analyze(name: ViewName) -> str:
    """Return the statement that collects the planner's statistics of a materialised view."""
    return f"ANALYZE {name.quoted}"


def drop_index(index: ViewName) -> str:
    """Return the statement that drops an index."""
    return f"DROP INDEX {index.quoted}"


def comment_on_view(kind: ViewKind, name: ViewName, text: str) -> str:
    """Return the statement that sets a view's comment."""
    return f"COMMENT ON {kind.value} {name.quoted} IS {quote_literal(text)}"


def comment_on_column(name: ViewName, column: str, text: str) -> str:
    """Return the statement that sets a column's comment."""
    return f"COMMENT ON COLUMN {name.quoted}.{quote_identifier(column)} IS {quote_literal(text)}"


def grant_usage(schema: str, roles: Iterable[str]) -> str:
    """Return the statement that grants USAGE on a schema."""
    return f"GRANT USAGE ON SCHEMA {quote_identifier(schema)} TO {', '.join(map(quote_role, roles))}"


def grant_select(name: ViewName, roles: Iterable[str]) -> str:
    """Return the statement that grants SELECT on a view."""
    return f"GRANT SELECT ON {name.quoted} TO {', '.join(map(quote_role, roles))}"


def revoke_select(name: ViewName, roles: Iterable[str]) -> str:
    """Return the statement that revokes SELECT on a view."""
    return f"REVOKE SELECT ON {name.quoted} FROM {', '.join(map(quote_role, roles))}"


def set_options(name: ViewName, options: Iterable[tuple[str, str]], *, kind: ViewKind = ViewKind.VIEW) -> str:
    """Return the statement that sets options, or storage parameters, of a view."""
    settings = ", ".join(f"{option}={value}" for option, value in options)
    return f"ALTER {kind.value} {name.quoted} SET ({settings})"


def reset_options(name: ViewName, options: Iterable[str], *, kind: ViewKind = ViewKind.VIEW) -> str:
    """Return the statement that resets options, or storage parameters, of a view to their defaults."""
    return f"ALTER {kind.value} {name.quoted} RESET ({', '.join(options)})"


def refresh(name: ViewName, *, concurrently: bool) -> str:
    """Return the statement that refreshes a materialised view."""
    how = "CONCURRENTLY " if concurrently else ""
    return f"REFRESH MATERIALIZED VIEW {how}{name.quoted}"
