"""What PostgreSQL reports of an error, read from what a driver raised.

An error is told by its SQLSTATE, never by its class or its words, which a server may translate.
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re

from orm_views_core.quoting import Quoting, Report

INSUFFICIENT_PRIVILEGE = "42501"
UNDEFINED_TABLE, UNDEFINED_COLUMN, INVALID_SCHEMA = "42P01", "42703", "3F000"
NOT_IN_STATE = "55000"
NOT_IN_ENCODING = "22021"
LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION_FAILURE = "55P03", "40P01", "40001"
QUERY_CANCELED = "57014"
FAILED_TRANSACTION = "25P02"
OUT_OF_MEMORY = "53200"
#: Also of what goes between two looks at it: PostgreSQL has no SQLSTATE of its own for that.
INTERNAL_ERROR = "XX000"

#: The function of PostgreSQL's source that ends a statement from outside.
_INTERRUPTED = "ProcessInterrupts"
_ENDS_SESSION = {"FATAL", "PANIC"}


def quoting(text: str, rest: str, error: BaseException) -> Quoting:
    """Return a message that quotes an error of the driver.

    Args:
        text: the whole message.
        rest: the message without the quotes.
        error: what Django raised from the driver's error.
    """
    return Quoting(text, rest, report_of(error), context_of(error))


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
    return _diagnostic(error, "message_primary") or str(error).strip().splitlines()[0]


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error. psycopg 3 and psycopg2 keep it in different attributes."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_of_statement(error: BaseException) -> bool:
    """Return whether what the server reported ended a statement only, and not the session."""
    return sqlstate(error) is not None and _diagnostic(error, "severity_nonlocalized") not in _ENDS_SESSION


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether ``lock_timeout`` ended a wait. A function, NOWAIT or another server may say so too."""
    return sqlstate(error) == LOCK_NOT_AVAILABLE and _source(error) == _INTERRUPTED


def is_deadlock(error: BaseException) -> bool:
    """Return whether this server found a deadlock. A function or another server may say so too."""
    return sqlstate(error) == DEADLOCK and _source(error) == "DeadLockReport"


def is_canceled(error: BaseException) -> bool:
    """Return whether a statement of ours was cancelled, by somebody or by ``statement_timeout``."""
    return sqlstate(error) == QUERY_CANCELED and _source(error) == _INTERRUPTED


def is_aborted(error: BaseException) -> bool:
    """Return whether a statement was sent in a transaction that an earlier error had aborted."""
    return sqlstate(error) == FAILED_TRANSACTION and _diagnostic(error, "source_file") == "postgres.c"


def is_out_of_locks(error: BaseException) -> bool:
    """Return whether the server's lock table is full, and not its memory."""
    return sqlstate(error) == OUT_OF_MEMORY and _diagnostic(error, "source_file") == "lock.c"


def context_of(error: BaseException) -> str:
    """Return PostgreSQL's CONTEXT: the functions in which an error occurred; "" when there is none."""
    return _diagnostic(error, "context") or ""


def detail_of(error: BaseException) -> str:
    """Return PostgreSQL's DETAIL; "" when there is none."""
    return _diagnostic(error, "message_detail") or ""


def is_in_sql(error: BaseException) -> bool:
    """Return whether an error is about a place in the SQL that was sent."""
    return bool(_diagnostic(error, "statement_position"))


def _source(error: BaseException) -> str | None:
    """Return the function of PostgreSQL's source that raised an error. It is not translated."""
    return _diagnostic(error, "source_function")


def _diagnostic(error: BaseException, attribute: str) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), attribute, None)
