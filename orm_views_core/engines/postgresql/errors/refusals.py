"""PostgreSQL's errors as errors that name the view, the file, the line and what to do."""

from __future__ import annotations

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.engine import StatementKind
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.ddl import HEAD_LINES
from orm_views_core.exceptions import SyncFailedError, ViewSQLError
from orm_views_core.names import ViewKind

from .diagnostics import (
    FAILED_TRANSACTION,
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    OUT_OF_MEMORY,
    is_raised,
    primary_message,
    quoting,
    source_file,
    sqlstate,
)
from .endings import ENDED

_RESOURCES, _SYSTEM = "53", "58"
#: Classes of errors after which nothing is sent again: connection, rolled back, interrupted.
_NOT_REFUSED = ("08", "40", "57")


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
    sentence, said = f"{definition.where}: PostgreSQL refuses {refused}", primary_message(error)
    place, quotes = [], []
    if kind in _REFUSED:
        place.append(statement)
    elif position := getattr(diagnostics, "statement_position", None):
        said, position = _as_written(definition, statement, said, int(position))
        place.append(_point_at(definition.sql, statement, position))
    for label, attribute in (("Detail", "message_detail"), ("Hint", "message_hint"), ("Context", "context")):
        if text := getattr(diagnostics, attribute, None):
            quotes.append(f"{label}: {text}")
    whole = "\n".join([f"{sentence}: {said}.", *place, *quotes])
    return ViewSQLError(quoting(whole, "\n".join([f"{sentence}.", *place]), error))


def database_refused(connection: BaseDatabaseWrapper, what: str, error: DatabaseError) -> SyncFailedError:
    """Return the error to raise when PostgreSQL refuses something that no class declares.

    Args:
        connection: the database.
        what: what failed, in words; it begins the message and may be empty.
        error: what Django raised from the driver's error.
    """
    advice = "\nNothing was changed."
    if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
        role = get_settings().SYNC_ROLE or connection.settings_dict.get("USER") or "The role of the sync"
        advice += (
            f" {role} needs CREATE on the database (changed views are tried in a schema of their own) and "
            "has to own the schema and its views, or be a member of the role that does."
        )
    if sqlstate(error) == OUT_OF_MEMORY and source_file(error) == "lock.c":
        advice += (
            " The server's lock table is full: raise max_locks_per_transaction in its configuration, and "
            "restart it; or sync fewer views at once."
        )
    whole = f"Database {connection.alias!r}: {what}{str(error).strip()}{advice}"
    return SyncFailedError(
        quoting(whole, f"Database {connection.alias!r}: {what}PostgreSQL refuses it.{advice}", error)
    )


def is_refusal(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refuses the statement itself: not for want of a lock or of a connection.

    The class of the exception says nothing. Django raises OperationalError for a lost connection, but also
    for an index row that is too long, a statement that is too deep, and a full disk.
    """
    code = sqlstate(error)
    if code is None:  # of the driver: it has lost the connection, or it did not send the statement
        return not isinstance(error, OperationalError)
    if is_raised(error):
        return True
    passing = {LOCK_NOT_AVAILABLE, FAILED_TRANSACTION}
    return code[:2] not in _NOT_REFUSED and code not in passing and code not in ENDED


def is_refusal_of_one(error: DatabaseError) -> bool:
    """Return whether a refused batch may be sent again one by one, to find out what is refused in it."""
    return is_refusal(error) and (sqlstate(error) or "")[:2] not in {_RESOURCES, _SYSTEM}


def is_fault_of_view(error: DatabaseError, *, was_tried: bool = False) -> bool:
    """Return whether PostgreSQL refuses what a class declares, not for want of ownership or resources.

    PostgreSQL has one SQLSTATE for “permission denied” and “must be owner”.

    Args:
        error: what Django raised from the driver's error.
        was_tried: whether a dry run has accepted the statement. Then privileges on what it reads are not
            what is missing.
    """
    is_ownership = was_tried and sqlstate(error) == INSUFFICIENT_PRIVILEGE
    return is_refusal_of_one(error) and not is_ownership


def _as_written(definition: ViewDefinition, statement: str, said: str, position: int) -> tuple[str, int]:
    """Leave what stands behind the SELECT of a materialised view out of an error: no class has written it.

    Args:
        said: what PostgreSQL says.
        position: the error's character in the statement, counted from 1.
    """
    if definition.kind is ViewKind.VIEW:
        return said, position
    select, line, end = statement.rpartition("\n")
    if position > len(select):
        return "it ends where more has to follow", len(select) + 1
    return said.replace(line + end, ""), position


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
