"""The names under which views are tried: nobody reads them, and the next sync drops those that were left.

Whoever tries views holds a lock with the token in their names. It ends with the connection, so that a killed
process leaves views without a lock.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.exceptions import LockNotAvailableError
from orm_views_core.spelling.mariadb import quoted

from .waits import send

_PREFIX = "orm_views_try_"
_TRIAL = re.compile(rf"({_PREFIX}[0-9a-f]{{8}})_\d+")
_NAMES = """
SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'VIEW'"""


def is_trial(flat: str) -> bool:
    """Return whether a name is that of a view that is tried, or was left by a process that was killed."""
    return _TRIAL.fullmatch(flat) is not None


def with_real_names(words: str, tried: Mapping[str, str]) -> str:
    """Return words in which the names of views that are tried are those that the views will have.

    Args:
        words: a text, or a name.
        tried: the name that each view will have, by the name under which it is tried.
    """
    return _TRIAL.sub(lambda match: tried.get(match[0], match[0]), words)


class Trials:
    """Views that are being tried.

    Args:
        token: the beginning of their names.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        #: The names of those that were created, or are being created.
        self.names: list[str] = []

    def create(self, connection: BaseDatabaseWrapper, cursor: CursorWrapper, statement: str) -> None:
        """Create a view of the next name.

        Raises:
            DatabaseError: it was refused.
        """
        self.names.append(self.next_name)
        try:
            send(connection, cursor, statement)
        except DatabaseError:
            self.names.pop()
            raise

    @property
    def next_name(self) -> str:
        """The name of the next view."""
        return f"{self._token}_{len(self.names):04d}"


@contextmanager
def trying(connection: BaseDatabaseWrapper, cursor: CursorWrapper) -> Iterator[Trials]:
    """Give what creates views in a block. At its end they are dropped, also after an error."""
    token = f"{_PREFIX}{secrets.token_hex(4)}"
    trials = Trials(token)

    def clean() -> None:
        drop(connection, cursor, trials.names)
        cursor.execute("DO RELEASE_LOCK(%s)", [token])

    cursor.execute("SELECT GET_LOCK(%s, 0)", [token])
    try:
        yield trials
    except BaseException:
        # Nothing may hide the error. After Ctrl-C the connection may be unusable: the next sync cleans up.
        try:
            clean()
        except (DatabaseError, LockNotAvailableError):
            connection.close_if_unusable_or_obsolete()
        raise
    clean()


def drop(connection: BaseDatabaseWrapper, cursor: CursorWrapper, names: Sequence[str]) -> None:
    """Drop those of some views that exist."""
    if names:
        send(connection, cursor, f"DROP VIEW IF EXISTS {', '.join(map(quoted, names))}")


def read_view_names(cursor: CursorWrapper) -> list[str]:
    """Return the names of all views of the database."""
    cursor.execute(_NAMES)
    return [name for (name,) in cursor.fetchall()]


def drop_left_over(connection: BaseDatabaseWrapper, cursor: CursorWrapper, names: list[str]) -> None:
    """Drop the views that killed processes have left, among some names."""
    tokens: dict[str, list[str]] = {}
    for name in names:
        if match := _TRIAL.fullmatch(name):
            tokens.setdefault(match[1], []).append(name)
    for token, views in tokens.items():
        cursor.execute("SELECT IS_FREE_LOCK(%s)", [token])
        if cursor.fetchone()[0] == 1:
            drop(connection, cursor, views)
