"""Staging schemas: where views are made before they are anybody's, each standing for one of the real schemas.

They live no longer than a transaction, so nobody else ever sees one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

from orm_views_core.names import quote_identifier

from . import ddl


def create_staging(cursor: CursorWrapper, staging: Mapping[str, str]) -> None:
    """Create the staging schemas.

    Everybody may use them, because the owners and grantors of what is built there have to; nobody else
    sees them before they are gone.
    """
    for schema in staging.values():
        cursor.execute(ddl.create_schema(schema))
        cursor.execute(ddl.open_schema(schema))


@contextmanager
def staged_first(cursor: CursorWrapper, staging: Mapping[str, str], path: Collection[str]) -> Iterator[None]:
    """Look up unqualified names in each staging schema before the schema that it stands for.

    In its very place in the search path, so that tables in other schemas keep theirs.

    Args:
        cursor: inside a transaction, whose rollback also resets the path.
        staging: the staging schema of each schema.
        path: the schemas in which an unqualified name is looked up.
    """
    if not any(schema in staging for schema in path):
        yield
        return
    cursor.execute("SELECT current_setting('search_path')")
    (previous,) = cursor.fetchone()
    staged_path = [
        part for schema in path for part in ([staging[schema]] if schema in staging else []) + [schema]
    ]
    _set_path(cursor, ", ".join(quote_identifier(part) for part in staged_path))
    yield
    # Not in a finally clause: after an error the transaction takes no statement.
    _set_path(cursor, previous)


def _set_path(cursor: CursorWrapper, path: str) -> None:
    cursor.execute("SELECT set_config('search_path', %s, true)", [path])
