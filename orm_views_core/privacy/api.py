"""What the guard finds in a database as it is: for checks, commands and pages."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.readers import read_readers
from orm_views_core.lineage.api import safe_functions

from .guard import Findings
from .judging import judge_stored
from .marks import are_used
from .personal_columns import read_personal


def judge_views(connection: BaseDatabaseWrapper) -> Findings:
    """Return what the guard finds in a database: the views that show what is personal, and to whom.

    Without anything personal, nothing is sent to the database. Classes that do not compile declare nothing.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    if not are_used():
        return Findings()
    definitions = compile_definitions(connection, anew=False).views
    with catalog_cursor(connection) as cursor:
        personal = read_personal(connection, cursor)
        if not personal:
            return Findings()
        readers = read_readers(cursor)
        names = [name for name, each in readers.items() if each.is_anybody]
        stored = read_stored(cursor, names, safe_functions())
        return judge_stored(cursor, stored, {}, personal, definitions, readers, declared=definitions)
