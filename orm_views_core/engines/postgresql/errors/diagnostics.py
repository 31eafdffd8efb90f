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
LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION_FAILURE = "55P03", "40P01", "40001"
QUERY_CANCELED = "57014"
FAILED_TRANSACTION = "25P02"
OUT_OF_MEMORY = "53200"
#: Also of what goes between two looks at it: PostgreSQL has no SQLSTATE of its own for that.
INTERNAL_ERROR = "XX000"


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


def is_raised(error: BaseException) -> bool:
    """Return whether a function in PL/pgSQL raised an error. It may have chosen any SQLSTATE."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "source_function", None) == "exec_stmt_raise"


def source_file(error: BaseException) -> str | None:
    """Return the file of PostgreSQL's source that raised an error. It is not translated, unlike messages."""
    return getattr(getattr(error.__cause__, "diag", None), "source_file", None)
