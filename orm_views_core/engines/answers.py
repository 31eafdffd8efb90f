"""Waiting for the answers of databases no longer than ``ORM_VIEWS["CONNECT_TIMEOUT"]``, for pages.

A server, or a pooler before it, may accept a connection and never answer. PostgreSQL's client library limits
the making of a connection, and nothing that is sent afterwards. What it waits for comes through a socket, so
shutting the socket down ends its wait, in both drivers.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-CONNECT-TIMEOUT
"""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.db import Error as DriverError
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.exceptions import DatabaseUnavailableError
from orm_views_core.sentences import number, says

from .finding import plain_engine_of

#: A shorter limit means two seconds to PostgreSQL's client library.
_SHORTEST = 2


class _Asked:
    """What a page knows of the databases that it has asked. Each is asked once.

    Attributes:
        seconds: how long an answer may take.
        answered: the aliases of those that have answered.
        errors: why the others did not, by alias.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.answered: set[str] = set()
        self.errors: dict[str, DatabaseUnavailableError] = {}


_ASKED: ContextVar[_Asked | None] = ContextVar("_ASKED", default=None)


@contextmanager
def expecting_answers() -> Iterator[None]:
    """Limit how long a block waits for each database: for its connection, and for its first answer.

    A database that did not answer is not asked again in the block.
    """
    if _ASKED.get() is not None:
        yield
        return
    token = _ASKED.set(_Asked(get_settings().CONNECT_TIMEOUT))
    try:
        yield
    finally:
        _ASKED.reset(token)


@contextmanager
def asked_once(alias: str) -> Iterator[None]:
    """Remember whether a database answers in this block.

    Raises:
        DatabaseUnavailableError: when it did not answer before.
    """
    asked = _ASKED.get()
    if asked is not None and alias in asked.errors:
        raise asked.errors[alias]
    try:
        yield
    except DatabaseUnavailableError as error:
        if asked is not None:
            asked.errors[alias] = error
        raise
    if asked is not None:
        asked.answered.add(alias)


def ensure_connection(connection: BaseDatabaseWrapper) -> None:
    """Open a connection if it is closed. Where answers are expected, one must come in time.

    Raises:
        OperationalError: when the database cannot be reached, or does not answer.
    """
    asked = _ASKED.get()
    if asked is None or connection.in_atomic_block or plain_engine_of(connection) is not None:
        connection.ensure_connection()
    elif connection.alias not in asked.answered:
        if connection.connection is not None and connection.get_autocommit():
            _require_answer(connection, asked.seconds)
        if connection.connection is None:
            _open(connection, asked.seconds)


def _require_answer(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Close an open connection if it was lost meanwhile."""
    with _Patience(connection, seconds) as patience:
        try:
            with connection.wrap_database_errors:
                patience.wait_for(connection.connection)
                _ask(connection)
        except DriverError:
            if patience.is_over:
                raise
            connection.close()


def _ask(connection: BaseDatabaseWrapper) -> None:
    """Send what any server answers, not by way of Django: it might open a new connection for it."""
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _open(connection: BaseDatabaseWrapper, seconds: float) -> None:
    make = connection.get_new_connection

    def made_in_time(params: dict[str, Any]) -> Any:
        # A shorter limit of the project stays. To the library, zero and less mean no limit.
        allowed = max(_SHORTEST, math.ceil(seconds))
        with suppress(ValueError):
            own = int(params.get("connect_timeout") or 0)
            allowed = min(allowed, own) if own > 0 else allowed
        if connection.settings_dict.get("OPTIONS", {}).get("pool"):
            # Django waits for a connection of its pool as long as the pool likes.
            pool = connection.pool  # type: ignore[attr-defined]  # django-stubs omit it
            pool.open()
            pool.putconn(pool.getconn(timeout=seconds))
        made = make({**params, "connect_timeout": allowed})
        patience.wait_for(made)  # Django sends its settings before it gives the connection to us
        return made

    with _Patience(connection, seconds) as patience:
        vars(connection)["get_new_connection"] = made_in_time
        try:
            connection.ensure_connection()
            # A pooler answers before it has a server, and Django's settings may be sent with the connection.
            with connection.wrap_database_errors:
                _ask(connection)
        finally:
            del vars(connection)["get_new_connection"]


class _Patience:
    """A limit for the answers of a connection. Past it, the connection is closed.

    Attributes:
        is_over: whether the limit was passed.
    """

    def __init__(self, connection: BaseDatabaseWrapper, seconds: float) -> None:
        self.is_over = False
        self._connection, self._seconds = connection, seconds
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> _Patience:
        return self

    def wait_for(self, of_driver: Any) -> None:
        """Give up when the limit has passed from now on."""
        # A duplicate stays that of this connection, whatever the driver does with its own.
        self._socket = socket.fromfd(of_driver.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._timer = threading.Timer(self._seconds, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def _give_up(self) -> None:
        with self._lock:
            if self._timer is not None:
                self.is_over = True
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._socket.close()
        if self.is_over and (error is None or isinstance(error, DriverError)):
            # Without an error, the answer came at the last moment, into a socket that was shut down then.
            self._connection.close()
            raise OperationalError(
                says(
                    "it accepts connections, but gave no answer within %(seconds)s s "
                    "(ORM_VIEWS['CONNECT_TIMEOUT']).",
                    seconds=number(self._seconds),
                )
            ) from error
