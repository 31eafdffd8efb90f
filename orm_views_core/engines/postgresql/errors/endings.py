"""How PostgreSQL ends a statement or a session that it has not refused: cancelled, timed out, terminated."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db import Error as DbError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.connections import is_lost, unpooled_connection
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.fetch import array
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.names import printable, quote_identifier
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import NOTHING, Sentence, listed, number, says

from .diagnostics import QUERY_CANCELED, is_canceled, is_of_statement, primary_message, sqlstate

_TRANSACTION, _IDLE = "25P04", "25P03"
#: Stands for the SQLSTATE where the driver has none. Then somebody may also have closed the connection here.
_SESSION_ENDED = "closed"
#: What has happened, by SQLSTATE.
ENDED = {
    QUERY_CANCELED: says("it was cancelled on request (pg_cancel_backend)"),
    "57P01": says("its session was terminated (pg_terminate_backend, or the server shuts down)"),
    "57P02": says("the server has crashed"),
    "57P03": says("the server starts or shuts down"),
    "57P05": says("its session was idle for longer than idle_session_timeout"),
    _IDLE: says("its session was idle for longer than idle_in_transaction_session_timeout"),
    _TRANSACTION: says("its transaction took longer than transaction_timeout"),
    _SESSION_ENDED: says(
        "its session was terminated (pg_terminate_backend, a restart of the server, a closed connection)"
    ),
}
#: The settings that limit a session, by the SQLSTATE of what happens after them. Not every version has all.
_LIMITS = {
    QUERY_CANCELED: "statement_timeout",
    _TRANSACTION: "transaction_timeout",
    _IDLE: "idle_in_transaction_session_timeout",
}
_SECONDS = (
    "extract(epoch FROM pg_catalog.current_setting('{}', true)::pg_catalog.interval)::pg_catalog.float8"
)
_SLACK = 0.05  # seconds: a client measures a little less than the server
_IN_SESSION = says("SET in this session")
#: Who has set a limit, by the ``source`` of ``pg_settings``. The role is the one that logged in.
_IMPOSED: dict[str, Callable[[str, str], Sentence]] = {
    "user": lambda role, database: Sentence(f"ALTER ROLE {role} SET"),
    "database": lambda role, database: Sentence(f"ALTER DATABASE {database} SET"),
    "database user": lambda role, database: Sentence(f"ALTER ROLE {role} IN DATABASE {database} SET"),
    "global": lambda role, database: Sentence("ALTER ROLE ALL SET"),
    "client": lambda role, database: says("the client: OPTIONS in DATABASES, or PGOPTIONS"),
    "session": lambda role, database: _IN_SESSION,
    "configuration file": lambda role, database: says("the server's configuration"),
    "command line": lambda role, database: says("the server's command line"),
}


class _Limit(NamedTuple):
    """A time limit in seconds, 0 for none, and who has set it, in words."""

    seconds: float
    by: Sentence


class Stopwatch:
    """Times the statements of a transaction, as a wrapper for the statements of its connection.

    Attributes:
        of_driver: the driver's connection when the transaction began.
        sql: the last statement that failed; "" as long as none has failed.
        seconds: how many seconds it had run.
        idle: for how many seconds the session had been idle before it.
        limits: the limits of the session in seconds, 0 for none, by the SQLSTATE of what happens after them:
            those that a new session need not have. Empty when they were not read.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.of_driver: Any = connection.connection
        self.sql, self.seconds, self.idle = "", 0.0, 0.0
        self.limits: dict[str, float] = {}
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
    if code is None and is_lost(connection, last.of_driver):
        code = _SESSION_ENDED
    if code not in ENDED or (is_of_statement(error) and not is_canceled(error)):
        return None
    try:
        limits = _read_limits(connection)
        for timeout, seconds in last.limits.items():
            if timeout in limits and limits[timeout].seconds != seconds:
                limits[timeout] = _Limit(seconds, _IN_SESSION)
    except (OperationalError, InterfaceError):
        if is_lost(connection, None):
            return None  # the server does not answer any more
        limits = {}  # a limit ended this statement too
    if code == _SESSION_ENDED:
        for timeout, seconds in ((_TRANSACTION, time.monotonic() - last.began), (_IDLE, last.idle)):
            if timeout in limits and 0 < limits[timeout].seconds <= seconds + _SLACK:
                code = timeout
    why, limit = ENDED[code], limits.get(code)
    if code == QUERY_CANCELED:
        if primary_message(error) == _words_of_timeout(connection):
            why = says("a statement took longer than statement_timeout and was cancelled")
        else:
            limit = None
    if limit and limit.seconds:
        why = _after(code, number(limit.seconds))
        if limit.by:
            why = says("%(why)s. This limit was set by %(who)s", why=why, who=limit.by)
    parts = [says("Database %(database)r: %(why)s. Nothing was changed.", database=connection.alias, why=why)]
    if sent := last.sql.strip():
        parts.append(says("It had sent: %(sql)s", sql=sent.splitlines()[0][:200]))
    return SyncFailedError(unquoted(listed(parts, " ")))


def _after(code: str, seconds: Sentence) -> Sentence:
    """Return what has happened after a limit of so many seconds."""
    if code == _TRANSACTION:
        return says("its transaction took longer than transaction_timeout (%(seconds)s s)", seconds=seconds)
    if code == _IDLE:
        return says(
            "its session was idle for longer than idle_in_transaction_session_timeout (%(seconds)s s)",
            seconds=seconds,
        )
    return says(
        "a statement took longer than statement_timeout (%(seconds)s s) and was cancelled", seconds=seconds
    )


def begin(connection: BaseDatabaseWrapper, last: Stopwatch) -> None:
    """Begin a transaction at READ COMMITTED, and note the limits that may end its session.

    They are read at once, because nobody can ask a session that has ended, and psycopg2 does not say why it
    has. A server that does not know a limit has NULL for it.
    """
    last.of_driver = connection.connection
    limits = ", ".join(_SECONDS.format(_LIMITS[code]) for code in (_TRANSACTION, _IDLE))
    with connection.cursor() as cursor:
        send(cursor, ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", f"SELECT {limits}"])
        while not cursor.description:  # psycopg 3 begins at the first result, psycopg2 has the last one only
            cursor.nextset()
        last.limits = dict(
            zip((_TRANSACTION, _IDLE), (float(s or 0) for s in cursor.fetchone()), strict=True)
        )


def _words_of_timeout(connection: BaseDatabaseWrapper) -> str:
    """Return PostgreSQL's message for ``statement_timeout``, in the language of the session."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_catalog.pg_sleep(10)")
    except DatabaseError as error:
        return primary_message(error)
    return ""


def _read_limits(connection: BaseDatabaseWrapper) -> dict[str, _Limit]:
    """Return the time limits of a session, by the SQLSTATE of what happens after them.

    They are those of the connection, or of a new one when it is closed. The transaction's own are gone.
    """
    if connection.is_usable():
        return _limits_of(connection)
    with closing(unpooled_connection(connection.alias, connection.settings_dict)) as other:
        return _limits_of(other)


def _limits_of(connection: BaseDatabaseWrapper) -> dict[str, _Limit]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting::pg_catalog.float8, source, session_user::pg_catalog.text, "
            "pg_catalog.current_database()::pg_catalog.text FROM pg_catalog.pg_settings "
            "WHERE name::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%s::pg_catalog.text[])",
            [array(_LIMITS.values())],
        )
        found = {}
        for name, milliseconds, source, *names in cursor.fetchall():
            role, database = (printable(quote_identifier(each)) for each in names)
            words = _IMPOSED.get(source)
            by = words(role, database) if words else NOTHING
            found[name] = _Limit(milliseconds / 1000, by)
    return {code: found[name] for code, name in _LIMITS.items() if name in found}
