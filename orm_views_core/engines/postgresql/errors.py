"""PostgreSQL's errors as errors that name the view, the file, the line and what to do."""

from __future__ import annotations

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.engine import StatementKind
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import SyncFailedError, ViewSQLError

from .ddl import HEAD_LINES

_INSUFFICIENT_PRIVILEGE = "42501"
_QUERY_CANCELED = "57014"
_RESOURCES, _LIMITS = "53", "54"
_OUT_OF_MEMORY = "53200"


_REFUSED = {
    StatementKind.INDEX: "one of its indexes",
    StatementKind.COMMENT: "the help_text of a field",
}


def view_refused(
    definition: ViewDefinition, kind: StatementKind, statement: str, error: DatabaseError
) -> ViewSQLError:
    """Return the error to raise when PostgreSQL refuses what a view's class declares.

    Args:
        definition: the view.
        kind: what the statement is made of.
        statement: the SQL that was sent. If it creates the view, its SELECT begins on the second line.
        error: what Django raised from the driver's error.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    refused = _REFUSED.get(kind, "its SQL")
    parts = [f"{definition.where}: PostgreSQL refuses {refused}: {primary_message(error)}."]
    if kind in _REFUSED:
        parts.append(statement)
    elif position := getattr(diagnostics, "statement_position", None):
        parts.append(_point_at(definition.sql, statement, int(position)))
    for label, attribute in (("Detail", "message_detail"), ("Hint", "message_hint")):
        if text := getattr(diagnostics, attribute, None):
            parts.append(f"{label}: {text}")
    return ViewSQLError("\n".join(parts))


def database_refused(connection: BaseDatabaseWrapper, what: str, error: DatabaseError) -> SyncFailedError:
    """Return the error to raise when PostgreSQL refuses something that no class declares.

    Args:
        connection: the database.
        what: what failed, in words; it begins the message and may be empty.
        error: what Django raised from the driver's error.
    """
    message = f"Database {connection.alias!r}: {what}{str(error).strip()}\nNothing was changed."
    if sqlstate(error) == _INSUFFICIENT_PRIVILEGE:
        role = connection.settings_dict.get("USER") or "The role that Django connects as"
        message += (
            f" {role} needs CREATE on the database (changed views are tried in a schema of their own) and "
            "has to own the schema and its views, or be a member of the role that does."
        )
    if sqlstate(error) == _OUT_OF_MEMORY and "out of shared memory" in str(error):
        message += (
            " The server's lock table is full: raise max_locks_per_transaction in its configuration, and "
            "restart it; or sync fewer views at once."
        )
    return SyncFailedError(message)


def primary_message(error: BaseException) -> str:
    """Return the first sentence of PostgreSQL's error message."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "message_primary", None) or str(error).strip().splitlines()[0]


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error. psycopg 3 and psycopg2 keep it in different attributes."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_refusal(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refuses the statement itself, not for want of a lock or a connection.

    Django also raises OperationalError for some refusals: an index row that is too long, a statement that is
    too deep, has too many columns or exceeds ``statement_timeout``, a full disk.
    """
    if not isinstance(error, OperationalError):
        return True
    code = sqlstate(error) or ""
    return code[:2] in {_RESOURCES, _LIMITS} or code == _QUERY_CANCELED


def is_fault_of_view(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refuses what a class declares, not for want of ownership or resources."""
    is_ownership = sqlstate(error) == _INSUFFICIENT_PRIVILEGE and "must be owner" in str(error)
    return is_refusal(error) and not is_ownership and (sqlstate(error) or "")[:2] != _RESOURCES


def _point_at(sql: str, statement: str, position: int) -> str:
    """Return the line of the class's SQL at which an error occurred, with a mark below the place.

    Moving references to a staging schema changes columns but never lines. So the mark is left out where the
    line was changed.

    Args:
        sql: the SQL of the class.
        statement: the statement that was sent.
        position: the error's character in the statement, counted from 1.
    """
    before = statement[: position - 1]
    line = before.count("\n") - HEAD_LINES
    lines = sql.splitlines()
    if not 0 <= line < len(lines):
        return f"At character {position} of: {statement}"
    label = f"Line {line + 1} of the sql: "
    if statement.splitlines()[line + HEAD_LINES] != lines[line]:
        return label + lines[line].strip()
    column = len(before) - (before.rfind("\n") + 1)
    return f"{label}{lines[line]}\n{' ' * (len(label) + column)}^"
