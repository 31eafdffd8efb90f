"""PostgreSQL's errors as errors that name the view, the file, the line and what to do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.db import Error as DbError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.engine import StatementKind
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import SyncFailedError, ViewSQLError
from orm_views_core.quoting import Quoting, Report, unquoted

from .ddl import HEAD_LINES

_INSUFFICIENT_PRIVILEGE = "42501"
_QUERY_CANCELED = "57014"
_RESOURCES, _SYSTEM = "53", "58"
_OUT_OF_MEMORY = "53200"
LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
_FAILED_TRANSACTION = "25P02"

#: How PostgreSQL ends a statement or a session that it has not refused, by SQLSTATE.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_ENDED = {
    _QUERY_CANCELED: "it was cancelled on request (pg_cancel_backend)",
    "57P01": "its session was terminated (pg_terminate_backend, or the server shuts down)",
    "57P02": "the server has crashed",
    "57P03": "the server starts or shuts down",
    "57P05": "its session was idle for longer than idle_session_timeout",
    "25P03": "its session was idle for longer than idle_in_transaction_session_timeout",
    "25P04": "its transaction took longer than transaction_timeout",
}
_TRANSACTION, _IDLE = "25P04", "25P03"
#: The settings that limit a session, by the SQLSTATE of what happens after them. Not every version has all.
_LIMITS = {
    _QUERY_CANCELED: "statement_timeout",
    _TRANSACTION: "transaction_timeout",
    _IDLE: "idle_in_transaction_session_timeout",
}
#: Stands for the SQLSTATE where the driver has none. Then somebody may also have closed the connection here.
_SESSION_ENDED = "closed"
_SLACK = 0.05  # seconds: a client measures a little less than the server
_ENDED[_SESSION_ENDED] = (
    "its session was terminated (pg_terminate_backend, a restart of the server, a closed connection)"
)
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
    sentence = f"{definition.where}: PostgreSQL refuses {refused}"
    place, quotes = [], []
    if kind in _REFUSED:
        place.append(statement)
    elif position := getattr(diagnostics, "statement_position", None):
        place.append(_point_at(definition.sql, statement, int(position)))
    for label, attribute in (("Detail", "message_detail"), ("Hint", "message_hint"), ("Context", "context")):
        if text := getattr(diagnostics, attribute, None):
            quotes.append(f"{label}: {text}")
    whole = "\n".join([f"{sentence}: {primary_message(error)}.", *place, *quotes])
    return ViewSQLError(quoting(whole, "\n".join([f"{sentence}.", *place]), error))


def database_refused(connection: BaseDatabaseWrapper, what: str, error: DatabaseError) -> SyncFailedError:
    """Return the error to raise when PostgreSQL refuses something that no class declares.

    Args:
        connection: the database.
        what: what failed, in words; it begins the message and may be empty.
        error: what Django raised from the driver's error.
    """
    advice = "\nNothing was changed."
    if sqlstate(error) == _INSUFFICIENT_PRIVILEGE:
        role = get_settings().SYNC_ROLE or connection.settings_dict.get("USER") or "The role of the sync"
        advice += (
            f" {role} needs CREATE on the database (changed views are tried in a schema of their own) and "
            "has to own the schema and its views, or be a member of the role that does."
        )
    if sqlstate(error) == _OUT_OF_MEMORY and _source_file(error) == "lock.c":
        advice += (
            " The server's lock table is full: raise max_locks_per_transaction in its configuration, and "
            "restart it; or sync fewer views at once."
        )
    whole = f"Database {connection.alias!r}: {what}{str(error).strip()}{advice}"
    return SyncFailedError(
        quoting(whole, f"Database {connection.alias!r}: {what}PostgreSQL refuses it.{advice}", error)
    )


def quoting(text: str, rest: str, error: BaseException) -> Quoting:
    """Return a message that quotes an error of the driver.

    Args:
        text: the whole message.
        rest: the message without the quotes.
        error: what Django raised from the driver's error.
    """
    diagnostics = getattr(error.__cause__, "diag", None)
    return Quoting(text, rest, report_of(error), getattr(diagnostics, "context", None) or "")


def report_of(error: BaseException) -> Report | None:
    """Return the SQLSTATE of an error and its name; None when it has none.

    Both drivers have a class for each SQLSTATE, with its name in PostgreSQL's manual: ``UniqueViolation``.
    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    code = sqlstate(error)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error.__cause__).__name__).lower()
    return Report(code, words) if code else None


def primary_message(error: BaseException) -> str:
    """Return the first sentence of PostgreSQL's error message."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "message_primary", None) or str(error).strip().splitlines()[0]


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error. psycopg 3 and psycopg2 keep it in different attributes."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_refusal(error: DatabaseError) -> bool:
    """Return whether PostgreSQL refuses the statement itself: not for want of a lock or of a connection.

    The class of the exception says nothing. Django raises OperationalError for a lost connection, but also
    for an index row that is too long, a statement that is too deep, and a full disk.
    """
    code = sqlstate(error)
    if code is None:  # of the driver: it has lost the connection, or it did not send the statement
        return not isinstance(error, OperationalError)
    if _is_raised(error):
        return True
    passing = {LOCK_NOT_AVAILABLE, _FAILED_TRANSACTION}
    return code[:2] not in _NOT_REFUSED and code not in passing and code not in _ENDED


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
    is_ownership = was_tried and sqlstate(error) == _INSUFFICIENT_PRIVILEGE
    return is_refusal_of_one(error) and not is_ownership


class Stopwatch:
    """Times the statements of a transaction, as a wrapper for the statements of its connection.

    Attributes:
        sql: the last statement that failed; "" as long as none has failed.
        seconds: how many seconds it had run.
        idle: for how many seconds the session had been idle before it.
    """

    def __init__(self) -> None:
        self.sql, self.seconds, self.idle = "", 0.0, 0.0
        self.began = self._ended = time.monotonic()

    def __call__(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        sent, failed = time.monotonic(), True
        try:
            result = execute(sql, *args)
            failed = False
            return result
        finally:
            now = time.monotonic()
            if failed:
                self.sql, self.seconds, self.idle = str(sql), now - sent, sent - self._ended
            self._ended = now


def ended(connection: BaseDatabaseWrapper, error: DbError, last: Stopwatch) -> SyncFailedError | None:
    """Return the error to raise when PostgreSQL has ended a statement or a session; None when it has not.

    One SQLSTATE stands for a cancelled statement and for ``statement_timeout``. The message tells them apart,
    in whatever language it is: it is compared with that of a time-out which is made for this. psycopg2 has no
    SQLSTATE for a session that was ended. The limits in force tell what it was.

    Args:
        connection: the database; its transaction has been rolled back.
        error: what Django raised from the driver's error.
        last: the statements of the transaction.
    """
    code = sqlstate(error)
    if code is None and isinstance(error, (OperationalError, InterfaceError)):
        code = _SESSION_ENDED
    if code not in _ENDED or _is_raised(error):
        return None
    try:
        limits = _read_limits(connection)
    except (OperationalError, InterfaceError):
        return None  # the server does not answer any more
    if code == _SESSION_ENDED:
        for timeout, seconds in ((_TRANSACTION, time.monotonic() - last.began), (_IDLE, last.idle)):
            if 0 < limits.get(timeout, 0) <= seconds + _SLACK:
                code = timeout
    why = _ENDED[code]
    if code == _QUERY_CANCELED and primary_message(error) == _words_of_timeout(connection):
        why = "a statement took longer than statement_timeout and was cancelled"
        if limit := limits[_QUERY_CANCELED]:
            why = f"a statement took longer than statement_timeout ({limit:g} s) and was cancelled"
    sent = f" It had sent: {last.sql.strip().splitlines()[0][:200]}" if last.sql.strip() else ""
    return SyncFailedError(unquoted(f"Database {connection.alias!r}: {why}. Nothing was changed.{sent}"))


def _words_of_timeout(connection: BaseDatabaseWrapper) -> str:
    """Return PostgreSQL's message for ``statement_timeout``, in the language of the session."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_catalog.pg_sleep(10)")
    except DatabaseError as error:
        return primary_message(error)
    return ""


def _read_limits(connection: BaseDatabaseWrapper) -> dict[str, float]:
    """Return the time limits of a session in seconds, by the SQLSTATE of what happens after them.

    They are those of the connection, or of a new one when it is closed. The transaction's own are gone.
    """
    if connection.is_usable():
        return _limits_of(connection)
    with closing(connections.create_connection(connection.alias)) as other:
        other.settings_dict = connection.settings_dict
        return _limits_of(other)


def _limits_of(connection: BaseDatabaseWrapper) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting::pg_catalog.float8 FROM pg_catalog.pg_settings "
            "WHERE name::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%s)",
            [list(_LIMITS.values())],
        )
        milliseconds = dict(cursor.fetchall())
    return {code: milliseconds[name] / 1000 for code, name in _LIMITS.items() if name in milliseconds}


def _is_raised(error: BaseException) -> bool:
    """Return whether a function in PL/pgSQL raised an error. It may have chosen any SQLSTATE."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "source_function", None) == "exec_stmt_raise"


def _source_file(error: BaseException) -> str | None:
    """Return the file of PostgreSQL's source that raised an error. It is not translated, unlike messages."""
    return getattr(getattr(error.__cause__, "diag", None), "source_file", None)


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
