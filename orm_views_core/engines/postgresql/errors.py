"""Turning PostgreSQL's refusals into errors that say which view, which file, which line, what to do."""

from __future__ import annotations

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import SyncFailedError, ViewSQLError

from .ddl import HEAD_LINES

_INSUFFICIENT_PRIVILEGE = "42501"
_QUERY_CANCELED = "57014"
_RESOURCES, _LIMITS = "53", "54"
_OUT_OF_MEMORY = "53200"


def view_refused(definition: ViewDefinition, statement: str, error: DatabaseError) -> ViewSQLError:
    """Return the error to raise.

    Args:
        definition: the view that was being created.
        statement: what was sent; its SELECT begins on the second line.
        error: what Django raised from the driver's error.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    message = primary_message(error)
    if "INDEX " in statement[: len("CREATE UNIQUE INDEX ")]:
        parts = [f"{definition.where}: PostgreSQL refuses one of its indexes: {message}.", statement]
    elif statement.startswith("COMMENT "):
        parts = [f"{definition.where}: PostgreSQL refuses the help_text of a field: {message}.", statement]
    else:
        parts = [f"{definition.where}: PostgreSQL refuses its SQL: {message}."]
        if position := getattr(diagnostics, "statement_position", None):
            parts.append(_point_at(definition.sql, statement, int(position)))
    if detail := getattr(diagnostics, "message_detail", None):
        parts.append(f"Detail: {detail}")
    if hint := getattr(diagnostics, "message_hint", None):
        parts.append(f"Hint: {hint}")
    return ViewSQLError("\n".join(parts))


def database_refused(connection: BaseDatabaseWrapper, what: str, error: DatabaseError) -> SyncFailedError:
    """Return the error to raise for a refusal that is no fault of a view's SQL.

    Args:
        connection: the database.
        what: what was being done, in words, or "".
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
    """Return what PostgreSQL says in its first sentence."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "message_primary", None) or str(error).strip().splitlines()[0]


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error; psycopg 3 and psycopg2 keep it in different places."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_refusal(error: DatabaseError) -> bool:
    """Say whether PostgreSQL refuses the statement itself: no lock and no connection is the trouble.

    Django calls some refusals operational errors too: an index row that is too long, a statement that is
    too deep, has too many columns or runs into ``statement_timeout``, a full disk.
    """
    if not isinstance(error, OperationalError):
        return True
    code = sqlstate(error) or ""
    return code[:2] in {_RESOURCES, _LIMITS} or code == _QUERY_CANCELED


def is_fault_of_view(error: DatabaseError) -> bool:
    """Say whether PostgreSQL refuses what a view's class says, and not us or for want of resources."""
    return is_refusal(error) and not is_ownership(error) and (sqlstate(error) or "")[:2] != _RESOURCES


def is_ownership(error: DatabaseError) -> bool:
    """Say whether a statement was refused because the object belongs to somebody else."""
    return sqlstate(error) == _INSUFFICIENT_PRIVILEGE and "must be owner" in str(error)


def _point_at(sql: str, statement: str, position: int) -> str:
    """Show the line of the class's own SQL that an offset into the statement lies on.

    References may have been moved to a staging schema, which changes columns but never lines.
    """
    before = statement[: position - 1]
    line = before.count("\n") - HEAD_LINES
    lines = sql.splitlines()
    if not 0 <= line < len(lines):
        return f"At character {position} of: {statement}"
    sent = statement.splitlines()[line + HEAD_LINES]
    text = lines[line]
    label = f"Line {line + 1} of the sql: "
    if sent != text:
        return label + text.strip()
    column = len(before) - (before.rfind("\n") + 1)
    return f"{label}{text}\n{' ' * (len(label) + column)}^"
