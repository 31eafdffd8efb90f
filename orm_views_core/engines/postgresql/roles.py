"""``ORM_VIEWS["SYNC_ROLE"]``: the role that plans, syncs and refreshes run as.

The pages log in as a role that may change no view, and is a member of the sync role. The role is set for a
transaction only, so that no pooler hands it on to the next client.
https://www.postgresql.org/docs/current/sql-set-role.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.names import quote_identifier
from orm_views_core.sentences import says

from .errors.diagnostics import INSUFFICIENT_PRIVILEGE, primary_message, sqlstate

T = TypeVar("T")

_UNKNOWN_ROLE = "22023"
_SET_ROLE = "SELECT pg_catalog.set_config('role', %s, true)"


@contextmanager
def as_sync_role(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Act as SYNC_ROLE in a block. Nothing happens when it is not set, or is who we are.

    Args:
        connection: the database, inside a transaction or savepoint that an error in the block rolls back.
            That sets the role back as well.

    Raises:
        SyncFailedError: when there is no such role, or our role may not set it.
    """
    role = get_settings().SYNC_ROLE
    if role is None:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, pg_catalog.current_setting('role')")
        current, before = cursor.fetchone()
        if current == role:
            yield
            return
        try:
            cursor.execute(_SET_ROLE, [role])
        except DatabaseError as error:
            if sqlstate(error) not in {_UNKNOWN_ROLE, INSUFFICIENT_PRIVILEGE}:
                raise
            raise _cannot_act(connection, role, current, error) from error
        yield
        cursor.execute(_SET_ROLE, [before])


def for_other_roles(connection: BaseDatabaseWrapper, work: Callable[[], T], otherwise: T) -> T:
    """Return what a function returns when SYNC_ROLE calls it, or the role that this session logged in as.

    A role that is no member of ``pg_read_all_stats`` or ``pg_signal_backend`` sees and cancels the sessions
    that logged in as itself, or as a role whose privileges it inherits. The pages inherit none: as the sync
    role they reach those of the command line and of workers. A session that has set another role, for
    instance by Django's ``assume_role``, does not see its own backend; as the role that logged in it does.

    Args:
        connection: the database, inside a transaction.
        work: what to call. It runs no code of others.
        otherwise: what to return when neither role gets anything that is true, or may do it.
    """
    ways = [as_login_role] if get_settings().SYNC_ROLE is None else [as_sync_role, as_login_role]
    for as_role in ways:
        try:
            with transaction.atomic(using=connection.alias), as_role(connection):
                if result := work():
                    return result
        except SyncFailedError:
            pass
        except DatabaseError as error:
            if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
                raise
    return otherwise


@contextmanager
def as_login_role(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Act as the role that logged in, in a block inside a transaction or savepoint."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_setting('role')")
        (before,) = cursor.fetchone()
        cursor.execute(_SET_ROLE, ["none"])
        yield
        cursor.execute(_SET_ROLE, [before])


def _cannot_act(
    connection: BaseDatabaseWrapper, role: str, current: str, error: DatabaseError
) -> SyncFailedError:
    granted, to = quote_identifier(role), quote_identifier(current)
    cure = says("GRANT %(role)s TO %(other)s, or name another role.", role=granted, other=to)
    if sqlstate(error) == _UNKNOWN_ROLE:
        cure = says("Create it, or name another role.")
    return SyncFailedError(
        says(
            "Database %(database)r: %(current)s cannot act as %(role)r, the role that ORM_VIEWS['SYNC_ROLE'] "
            "names: %(message)s. %(cure)s",
            database=connection.alias,
            current=current,
            role=role,
            message=primary_message(error),
            cure=cure,
        )
    )
