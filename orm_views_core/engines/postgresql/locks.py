"""Waiting for locks without making anybody else wait.

A statement that waits for an exclusive lock makes every later reader of that relation queue behind it. So
each waits for at most LOCK_TIMEOUT, shorter than ``deadlock_timeout``: PostgreSQL then gives up on us, never
on a reader. What waited is rolled back, which lets the readers through, and tried again until LOCK_WAIT.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import naming_the_database
from orm_views_core.exceptions import LockNotAvailableError, SyncFailedError

from .blocking import BlockingSession, find_blocking_sessions
from .errors import database_refused, is_refusal, sqlstate

T = TypeVar("T")


_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"
_PAUSE = 0.2  # seconds between two tries: long enough for the queue of readers to drain
_FIRST_TIMEOUT = 0.1  # seconds; doubled from try to try, because most often a short wait is enough


class Overtaken(Exception):  # noqa: N818 - no error: the work is done again
    """Somebody has changed what a plan was made of while it was carried out."""


def limit_lock_waits(connection: BaseDatabaseWrapper, seconds: float | None = None) -> None:
    """Let no statement of this transaction wait for a lock longer than LOCK_TIMEOUT, or than ``seconds``.

    Nor as long as half of ``deadlock_timeout``, whatever these are.
    """
    limit = get_settings().LOCK_TIMEOUT if seconds is None else seconds
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', greatest(1, least(%s, setting::int / 2)) || 'ms', true) "
            "FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'",
            [round(limit * 1000)],
        )


def in_transaction(
    connection: BaseDatabaseWrapper,
    work: Callable[[BaseDatabaseWrapper], T],
    on_wait: Callable[[str], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Do some work in a transaction, all of it again when a lock cannot be had.

    Args:
        connection: the database.
        work: what to do with it; it calls :func:`limit_lock_waits` itself.
        on_wait: called before each further try with what PostgreSQL said.
        pause: waits for some seconds between two tries.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the sessions in the way.
        DatabaseUnavailableError: when the connection is lost.
        SyncFailedError: when PostgreSQL refuses something that is not a view's fault.
    """
    if not connection.in_atomic_block and not connection.settings_dict["AUTOCOMMIT"]:
        raise SyncFailedError(
            f"Database {connection.alias!r}: DATABASES says AUTOCOMMIT False, so nothing would be committed. "
            "Call this inside transaction.atomic(), or leave AUTOCOMMIT out."
        )
    deadline = time.monotonic() + get_settings().LOCK_WAIT
    while True:
        is_outermost = not connection.in_atomic_block
        try:
            with transaction.atomic(using=connection.alias):
                if is_outermost:
                    _see_what_others_commit(connection)
                    return work(connection)
                with _keeping_lock_timeout(connection):
                    return work(connection)
        except Overtaken as error:
            if time.monotonic() >= deadline:
                raise SyncFailedError(
                    f"Database {connection.alias!r}: {error}. Nothing was changed; sync again."
                ) from error
            said = str(error)
        except OperationalError as error:
            said = _said_of_lock(connection, error)
            if time.monotonic() >= deadline:
                raise LockNotAvailableError(_lock_message(connection, said)) from error
        except InterfaceError:  # what the driver says of a connection that it has found closed
            with naming_the_database(connection):
                raise
        except DatabaseError as error:
            raise database_refused(connection, "", error) from error
        if on_wait:
            on_wait(f"{said}; all of it is tried again")
        pause(_PAUSE)


@contextmanager
def _keeping_lock_timeout(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Leave the caller's transaction the time-out that it has. If it fails, the savepoint sees to that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (timeout,) = cursor.fetchone()
        yield
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [timeout])


@contextmanager
def letting_go(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let go of the locks that reading takes, inside a transaction that would keep them to its end.

    Whoever wants to alter or refresh a view waits for them, and its readers behind him.
    """
    with transaction.atomic(using=connection.alias):
        yield
        transaction.set_rollback(True, using=connection.alias)


def _see_what_others_commit(connection: BaseDatabaseWrapper) -> None:
    """Set the isolation level that waiting for one's turn needs, whatever DATABASES or the role say.

    With REPEATABLE READ what was waited for would stay unseen: a plan would be made of what was there before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


def _said_of_lock(connection: BaseDatabaseWrapper, error: OperationalError) -> str:
    """Return what PostgreSQL says of a lock that cannot be had; raise what any other error is."""
    if is_refusal(error):
        raise database_refused(connection, "", error) from error
    if sqlstate(error) not in {_LOCK_NOT_AVAILABLE, _DEADLOCK}:
        with naming_the_database(connection):
            raise error
    return str(error).strip().splitlines()[0]


def in_savepoint(
    connection: BaseDatabaseWrapper,
    work: Callable[[float], T],
    *,
    relations: Collection[int] = (),
    reads: Collection[int] = (),
    readers: bool = True,
    on_wait: Callable[[str], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Do some work in a savepoint, that work alone again when a lock cannot be had.

    As long as somebody has held one of the relations for longer than LOCK_TIMEOUT, nothing is tried: it
    would be in vain, and every reader would queue behind us meanwhile.

    Args:
        connection: the database, inside a transaction.
        work: what to do; it is given the seconds that it may wait for locks, all in all.
        relations: the oids of the relations that it locks.
        reads: the oids of those that it only reads, in whose way nobody is but who locks readers out.
        readers: whether the readers of the relations that it locks are in its way.
        on_wait: called with what is waited for, whenever that changes.
        pause: waits for some seconds between two tries.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the sessions in the way.
    """
    deadline = time.monotonic() + get_settings().LOCK_WAIT
    longest = get_settings().LOCK_TIMEOUT
    timeout, said, announced = min(longest, _FIRST_TIMEOUT), "", ""
    while True:
        found = find_blocking_sessions(connection, relations, reads=reads, readers=readers)
        sessions = [session for session in found if _is_long(session, longest)]
        for view in {view for session in sessions for view in session.vacuums}:
            _send_autovacuum_away(connection, view)
        if not sessions:
            try:
                with transaction.atomic(using=connection.alias):
                    return work(timeout)
            except OperationalError as error:
                if sqlstate(error) != _LOCK_NOT_AVAILABLE:
                    raise
                said = str(error).strip().splitlines()[0]
                sessions = find_blocking_sessions(connection, relations, reads=reads, readers=readers)
            timeout = min(longest, 2 * timeout)
        if time.monotonic() >= deadline:
            raise LockNotAvailableError(_lock_message(connection, said, sessions if relations else None))
        waiting_for = "; ".join(map(str, sessions)) or said
        pids = f"{[session.pid for session in sessions]}"
        if on_wait and pids != announced:
            on_wait(waiting_for)
        announced = pids
        pause(_PAUSE)


def _is_long(session: BlockingSession, seconds: float) -> bool:
    return session.pid is None or (session.seconds is not None and session.seconds >= seconds)


def _send_autovacuum_away(connection: BaseDatabaseWrapper, view: str) -> None:
    """Have PostgreSQL end the automatic vacuuming of a materialised view, which may take hours.

    It does so when somebody waits for longer than ``deadlock_timeout``, which we never do where readers
    would queue behind us. They do not behind a lock as weak as that for a comment.
    https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
    """
    with suppress(OperationalError), transaction.atomic(using=connection.alias):  # it is no ordinary one
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', 2 * setting::int || 'ms', true) "
                "FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"
            )
            cursor.execute(f"COMMENT ON MATERIALIZED VIEW {view} IS NULL")
        transaction.set_rollback(True, using=connection.alias)


def _lock_message(
    connection: BaseDatabaseWrapper, said: str, sessions: Sequence[BlockingSession] | None = None
) -> str:
    """Return what to say; without holders, of everybody who may be in the way."""
    if sessions is None:
        sessions = find_blocking_sessions(connection, None)
    who = (
        "\n  ".join(["These sessions hold locks that stand in the way:", *map(str, sessions)])
        if sessions
        else "Nobody holds it any more."
    )
    because = f": {said}" if said else ""
    return (
        f"Database {connection.alias!r}: a lock could not be had within {get_settings().LOCK_WAIT:g} s "
        f"(ORM_VIEWS['LOCK_WAIT']){because}. Nothing was changed. {who}"
    )
