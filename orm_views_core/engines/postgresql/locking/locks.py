"""Work that waits for locks without making readers wait.

A statement that waits for an exclusive lock makes every later reader of that relation queue behind it. So
each statement waits for at most LOCK_TIMEOUT, which is kept shorter than ``deadlock_timeout``: PostgreSQL
then cancels our statement, never a reader's. The work is rolled back, which lets the readers proceed, and is
tried again until LOCK_WAIT is over.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import naming_the_database
from orm_views_core.engines.postgresql.errors.diagnostics import (
    DEADLOCK,
    LOCK_NOT_AVAILABLE,
    is_lock_timeout,
    sqlstate,
)
from orm_views_core.engines.postgresql.errors.endings import Stopwatch, begin, ended
from orm_views_core.engines.postgresql.errors.functions import naming_functions
from orm_views_core.engines.postgresql.errors.refusals import database_refused, is_refusal
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.exceptions import LockNotAvailableError, OrmViewsError, SyncFailedError
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import NOTHING, Sentence, listed, number, says

from .blocking import BlockingSession, find_blocking_sessions
from .tries import PAUSE, Try, steady

T = TypeVar("T")

# In our own words: PostgreSQL's may be those of a function that raises this SQLSTATE.
_REASONS: dict[str | None, Sentence] = {
    LOCK_NOT_AVAILABLE: says("another session held it for longer"),
    DEADLOCK: says("there was a deadlock"),
}

# Before PostgreSQL 18, a transaction that has granted something holds no lock that tells on what.
_NOBODY = says(
    "No session holds a lock on a view any more. If this happens again, look for a transaction that has "
    "granted or revoked something and is still open: "
    "SELECT * FROM pg_stat_activity WHERE backend_xid IS NOT NULL."
)


#: So many times at least, work that was overtaken is done again, however long it takes.
_RESTARTS = 3


class Overtaken(Exception):  # noqa: N818 - not an error: the work is done again
    """Another session changed what a plan was made of while the plan was carried out. ``reason`` says it."""

    def __init__(self, reason: Sentence) -> None:
        self.reason = reason
        super().__init__(reason)


def limit_lock_waits(connection: BaseDatabaseWrapper, seconds: float | None = None) -> None:
    """Set ``lock_timeout`` for this transaction to LOCK_TIMEOUT, but to at most half of ``deadlock_timeout``.

    Args:
        connection: the database, inside a transaction.
        seconds: the limit to use instead of LOCK_TIMEOUT.
    """
    limit = get_settings().LOCK_TIMEOUT if seconds is None else seconds
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_catalog.set_config('lock_timeout', greatest(1, least(%s,"
            " setting::int OPERATOR(pg_catalog./) 2))::pg_catalog.text, true) "
            "FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'deadlock_timeout'",
            [round(limit * 1000)],
        )


def in_transaction(
    connection: BaseDatabaseWrapper,
    work: Callable[[BaseDatabaseWrapper], T],
    on_wait: Callable[[str], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
    take_turn: Callable[[BaseDatabaseWrapper], None] | None = None,
    acting: Callable[[BaseDatabaseWrapper], AbstractContextManager[None]] = as_sync_role,
) -> T:
    """Do some work in a transaction as the sync role, and all of it again when it cannot get a lock.

    LOCK_WAIT counts from the first time that a lock could not be had. What came before may have been a wait
    for another session's sync or refresh. Work that others have overtaken is done again at least three times:
    it may take longer than LOCK_WAIT, and in that time anybody may give a view a grant or an index.

    Args:
        connection: the database.
        work: is called with the connection, and calls :func:`limit_lock_waits` itself.
        on_wait: called before each further try with the reason.
        pause: waits for some seconds between two tries.
        take_turn: called before the work of each try. LOCK_WAIT does not run meanwhile.
        acting: a context manager that sets the role to work as.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the blocking sessions.
        DatabaseUnavailableError: when the connection is lost.
        SyncFailedError: when PostgreSQL refuses something for a reason other than the SQL of a view.
    """
    if not connection.in_atomic_block and not connection.settings_dict["AUTOCOMMIT"]:
        raise SyncFailedError(
            says(
                "Database %(database)r: DATABASES has AUTOCOMMIT False, so nothing would be committed. "
                "Call this inside transaction.atomic(), or remove AUTOCOMMIT.",
                database=connection.alias,
            )
        )
    deadline, overtaken = None, 0
    while True:
        last = Stopwatch(connection)
        is_outermost = not connection.in_atomic_block
        # It names the database in errors of the connection, also when the driver finds the connection closed.
        with naming_the_database(connection):
            try:
                with (
                    connection.execute_wrapper(last),
                    transaction.atomic(using=connection.alias),
                    _settings(connection, last if is_outermost else None),
                    acting(connection),
                ):
                    began = time.monotonic()
                    if take_turn:
                        take_turn(connection)
                    if deadline is not None:
                        deadline += time.monotonic() - began
                    return work(connection)
            except Overtaken as error:
                reason = error.reason
                overtaken += 1
                if overtaken > _RESTARTS and deadline is not None and time.monotonic() >= deadline:
                    said = says(
                        "Database %(database)r: %(reason)s. Nothing was changed; sync again.",
                        database=connection.alias,
                        reason=reason,
                    )
                    raise SyncFailedError(unquoted(said)) from error
            except OrmViewsError as error:
                naming_functions(connection, [error])
                raise
            except (DatabaseError, InterfaceError) as error:
                if (end := ended(connection, error, last)) is not None:
                    raise end from error
                if isinstance(error, InterfaceError):
                    raise
                if is_refusal(error):
                    (refused,) = naming_functions(connection, [database_refused(connection, NOTHING, error)])
                    raise refused from error
                code = sqlstate(error)
                if code not in _REASONS:
                    raise
                reason = _REASONS[code]
                if deadline is not None and time.monotonic() >= deadline:
                    raise _no_lock(connection, reason, find_blocking_sessions(connection, None)) from error
        if deadline is None:
            deadline = time.monotonic() + get_settings().LOCK_WAIT
        if on_wait:
            on_wait(says("%(reason)s; all of it is tried again", reason=reason))
        pause(PAUSE)


@contextmanager
def _settings(connection: BaseDatabaseWrapper, outermost: Stopwatch | None) -> Iterator[None]:
    """Set the isolation level of a transaction of our own; keep the lock time-out of the caller's.

    The level is READ COMMITTED, whatever DATABASES or the role set. With REPEATABLE READ a plan would be made
    of what was there before the wait for another sync. An error rolls back to the savepoint, and that resets
    the time-out.
    """
    if outermost is not None:
        begin(connection, outermost)
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_setting('lock_timeout')")
        timeout = cursor.fetchone()
        yield
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", timeout)


@contextmanager
def releasing_locks(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Roll back to a savepoint at the end, which releases the locks that reading has taken.

    Otherwise the transaction would keep them to its end, and a session that wants to alter or refresh one of
    the views would wait for them, with readers queueing behind it.
    """
    with transaction.atomic(using=connection.alias):
        yield
        transaction.set_rollback(True, using=connection.alias)


def in_savepoint(
    connection: BaseDatabaseWrapper,
    work: Callable[[float], T],
    *,
    relations: Collection[int] = (),
    reads: Collection[int] = (),
    readers: bool = True,
    tries: Callable[[float], Iterator[Try]] = steady,
    on_wait: Callable[[str], None] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Do some work in a savepoint, and only that work again when it cannot get a lock.

    While another session has been active or idle for longer than LOCK_TIMEOUT with a lock on one of the
    relations, the work is not tried: it would fail, and every reader would queue behind us meanwhile.

    Args:
        connection: the database, inside a transaction.
        work: is called with the number of seconds that it may wait for locks, in total.
        relations: the oids of the relations that it locks.
        reads: the oids of relations that are only read: only an ACCESS EXCLUSIVE lock blocks these.
        readers: whether readers of ``relations`` block the work.
        tries: how long each try may take; called with LOCK_TIMEOUT.
        on_wait: called with what is waited for, whenever that changes.
        pause: waits for some seconds between two tries.

    Raises:
        LockNotAvailableError: when LOCK_WAIT is over; it names the blocking sessions.
    """
    deadline = time.monotonic() + get_settings().LOCK_WAIT
    longest = get_settings().LOCK_TIMEOUT
    pending, reason = tries(longest), NOTHING
    looked, announced = -PAUSE, None

    def find() -> list[BlockingSession]:
        return find_blocking_sessions(connection, relations, reads=reads, readers=readers)

    while True:
        if look := time.monotonic() - looked >= PAUSE:
            sessions = [session for session in find() if _is_long(session, longest)]
            for view in {view for session in sessions for view in session.vacuums}:
                _cancel_autovacuum(connection, view)
            is_blocked, looked = bool(sessions), time.monotonic()
        rest = PAUSE
        if not is_blocked:
            timeout, rest = next(pending)
            try:
                with transaction.atomic(using=connection.alias):
                    return work(timeout)
            except OperationalError as error:
                if not is_lock_timeout(error):
                    raise
                reason = _REASONS[LOCK_NOT_AVAILABLE]
        is_over = time.monotonic() >= deadline
        if not is_blocked and (look or is_over):
            sessions = find()
        if is_over:
            raise _no_lock(
                connection, reason, sessions if relations else find_blocking_sessions(connection, None)
            )
        pids = [session.pid for session in sessions]
        if on_wait and look and pids != announced:
            on_wait(listed((session.sentence for session in sessions), "; ") or reason)
            announced = pids
        pause(rest)


def _is_long(session: BlockingSession, seconds: float) -> bool:
    return session.pid is None or (session.seconds is not None and session.seconds >= seconds)


def _cancel_autovacuum(connection: BaseDatabaseWrapper, view: str) -> None:
    """Make PostgreSQL cancel the autovacuum of a materialised view, which may take hours.

    PostgreSQL cancels it when another session has waited for longer than ``deadlock_timeout``. Our work never
    waits that long, because readers would queue behind it. Readers do not queue behind COMMENT, which waits
    for a SHARE UPDATE EXCLUSIVE lock. An autovacuum to prevent transaction ID wraparound is not cancelled;
    then COMMENT times out.
    https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
    """
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_catalog.set_config('lock_timeout',"
                " (2 OPERATOR(pg_catalog.*) setting::int)::pg_catalog.text, true) "
                "FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'deadlock_timeout'"
            )
            cursor.execute(f"COMMENT ON MATERIALIZED VIEW {view} IS NULL")
            transaction.set_rollback(True, using=connection.alias)
    except OperationalError as error:
        if sqlstate(error) != LOCK_NOT_AVAILABLE:
            raise


def _no_lock(
    connection: BaseDatabaseWrapper, reason: Sentence, sessions: Sequence[BlockingSession]
) -> LockNotAvailableError:
    what = says(
        "Database %(database)r: a lock could not be had within %(seconds)s s (ORM_VIEWS['LOCK_WAIT'])",
        database=connection.alias,
        seconds=number(get_settings().LOCK_WAIT),
    )
    advice = _NOBODY
    if sessions:
        heading = says("These sessions hold locks that stand in the way:")
        advice = listed([heading, *(session.sentence for session in sessions)], "\n  ")
    return LockNotAvailableError(
        unquoted(
            says(
                "%(what)s. Nothing was changed. %(advice)s",
                what=listed([what, reason], ": ") if reason else what,
                advice=advice,
            )
        )
    )
