"""Finds the views that cannot be read, because a column, a table or a function beneath them is gone.

MariaDB lets anybody drop what a view reads. ``information_schema`` then has no columns of the view. Why it
cannot be read is found by preparing its SELECT, which runs nothing and commits nothing.
https://mariadb.com/kb/en/prepare-statement/
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.refusals import unreadable
from orm_views_core.quoting import Quoting
from orm_views_core.spelling.mariadb import quoted

from .errors import NO_LOCK, number_of, said
from .server import is_mariadb
from .texts import select_of

_NAME = "orm_views_look"


def read_broken(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    statements: Mapping[str, str | None],
    columns: Container[str],
) -> dict[str, Quoting]:
    """Return why some views cannot be read; those that can be are left out.

    Args:
        connection: the database.
        cursor: of the connection.
        statements: the stored statements of the views.
        columns: the views that have columns. MySQL has those of broken views too.
    """
    broken = {}
    for flat, statement in statements.items():
        if flat in columns and is_mariadb(connection):
            continue
        selects = [f"SELECT * FROM {quoted(flat)}"]
        if not _refusal(cursor, selects[0]):
            continue
        if statement is not None:  # it tells more: the view itself only says that something is wrong
            selects.insert(0, select_of(statement))
        words = next(filter(None, (_refusal(cursor, select) for select in selects)), "")
        if words:
            broken[flat] = unreadable(connection.display_name, words)
    return broken


def _refusal(cursor: CursorWrapper, select: str) -> str:
    """Return why a SELECT is refused, in MariaDB's words; "" when it is not, or when that is unknown."""
    try:
        cursor.execute(f"PREPARE {_NAME} FROM %s", [select])
    except DatabaseError as error:
        return "" if number_of(error) in NO_LOCK else said(error)
    cursor.execute(f"DEALLOCATE PREPARE {_NAME}")
    return ""
