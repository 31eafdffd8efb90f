"""The search path of our own statements, along which PostgreSQL finds nothing that others made.

PostgreSQL looks operators, functions and types up along the search path. Among operators and functions of one
name, those whose argument types fit best win, in whichever schema they are. So on the project's path
``public.||(int, text)`` would replace PostgreSQL's own operator in a query of the catalogs, and would run as
our role. Only the SQL of views, and what reads views, is sent along the project's path.
https://www.postgresql.org/docs/current/typeconv-oper.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import NewType

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

#: A cursor whose search path is that of our own statements.
CatalogCursor = NewType("CatalogCursor", CursorWrapper)

# pg_temp is named, because otherwise it is searched first for relations and types. With this path PostgreSQL
# writes all other names with their schemas, whatever the path of the role or session. The statements that
# change the path are sent along another one, so they qualify what they call.
# https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH
_ENTER = """
SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('jit'),
       pg_catalog.current_schemas(false)::pg_catalog.text[],
       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('jit', 'off', true)
"""
#: Where a connection has the project's path while it has that of our own statements.
_PROJECTS = "_orm_views_search_path"
_LEAVE = "SELECT pg_catalog.set_config('search_path', %s, true), pg_catalog.set_config('jit', %s, true)"


_make_cursor = BaseDatabaseWrapper._cursor  # type: ignore[attr-defined]  # django-stubs omit it


@contextmanager
def keeping_path(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Leave the search path alone while cursors are made. Backends for tenants set it for each new cursor.

    A savepoint has a cursor of its own. Without this, it would end one of our own paths.
    """
    if type(connection)._cursor is _make_cursor or "_cursor" in vars(connection):  # type: ignore[attr-defined]
        yield
        return
    vars(connection)["_cursor"] = MethodType(_make_cursor, connection)
    try:
        yield
    finally:
        del vars(connection)["_cursor"]


@contextmanager
def catalog_path(cursor: CursorWrapper, *, until_end: bool = False) -> Iterator[CatalogCursor]:
    """Give a cursor, which must be in a transaction, the search path ``pg_catalog, pg_temp``.

    Afterwards the former path is set again. JIT compilation is off meanwhile: with thousands of views the
    planner estimates queries of the catalogs to be costly enough for it, and compiling them takes longer than
    running them.
    https://www.postgresql.org/docs/current/jit-decision.html

    A block inside of such a block has the path already.

    Args:
        until_end: whether the transaction ends with the block. That sets the former path again.
    """
    if _PROJECTS in vars(cursor.db):
        yield CatalogCursor(cursor)
        return
    cursor.execute(_ENTER)
    path, jit, schemas, *_ = cursor.fetchone()
    vars(cursor.db)[_PROJECTS] = path, schemas
    try:
        with keeping_path(cursor.db):
            yield CatalogCursor(cursor)
    finally:
        del vars(cursor.db)[_PROJECTS]
    # Not in a finally clause: after an error the transaction accepts no statement. Its rollback resets both.
    if not until_end:
        cursor.execute(_LEAVE, [path, jit])


@contextmanager
def catalog_cursor(connection: BaseDatabaseWrapper, *, savepoint: bool = False) -> Iterator[CatalogCursor]:
    """Give a new cursor with that search path, in the transaction of the caller or in one of its own.

    Args:
        savepoint: whether an error of PostgreSQL leaves the transaction of the caller as it was.
    """
    is_own = not connection.in_atomic_block and connection.get_autocommit()
    with (
        transaction.atomic(using=connection.alias, savepoint=savepoint),
        connection.cursor() as cursor,
        catalog_path(cursor, until_end=is_own) as catalog,
    ):
        yield catalog


def read_search_path(connection: BaseDatabaseWrapper) -> tuple[str, list[str]]:
    """Return the search path of the project: the setting, and those of its schemas that exist."""
    with catalog_cursor(connection) as cursor:
        setting, schemas = vars(cursor.db)[_PROJECTS]  # `connection` may be a proxy
    return setting, schemas
