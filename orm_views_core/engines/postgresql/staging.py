"""Staging schemas: where views are built or tried. Each one stands for a real schema.

They exist only within a transaction, so other sessions never see them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

from orm_views_core.names import quote_identifier

from . import ddl
from .catalog.search_path import keeping_path


def create_staging(cursor: CursorWrapper, staging: Mapping[str, str]) -> None:
    """Create the staging schemas.

    PUBLIC may look up names in them, because the owners and grantors of what is built there have to. Nobody
    else may create anything in them: they are searched before the schemas that they stand for.

    Args:
        staging: the staging schema of each schema.
    """
    for schema in staging.values():
        cursor.execute(ddl.create_schema(schema))
        cursor.execute(ddl.open_schema(schema))


@contextmanager
def staged_first(cursor: CursorWrapper, staging: Mapping[str, str], path: Collection[str]) -> Iterator[str]:
    """Put each staging schema into the search path, directly before the schema that it stands for.

    The order of all other schemas stays, so that unqualified names of tables mean the same as before.

    Args:
        cursor: inside a transaction; a rollback resets the search path.
        staging: the staging schema of each schema.
        path: the schemas in which unqualified names are looked up.

    Yields:
        the search path in force, as SQL.
    """
    cursor.execute("SELECT pg_catalog.current_setting('search_path')")
    (previous,) = cursor.fetchone()
    if not any(schema in staging for schema in path):
        yield previous or "''"
        return
    staged_path = [part for schema in path for part in (staging.get(schema), schema) if part]
    staged = ", ".join(map(quote_identifier, staged_path))
    _set_path(cursor, staged)
    with keeping_path(cursor.db):
        yield staged
    # Not in a finally clause: after an error the transaction accepts no statement.
    _set_path(cursor, previous)


def _set_path(cursor: CursorWrapper, path: str) -> None:
    cursor.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [path])
