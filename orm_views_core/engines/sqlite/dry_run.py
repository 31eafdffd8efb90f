"""Tries views on SQLite as temporary ones: nobody else sees them, and no lock on the file is needed.

SQLite looks for names in ``temp`` first. So all views that are tried read one another's new versions, whether
they exist already or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.refusals import refused, unreadable
from orm_views_core.exceptions import OrmViewsError, ViewSQLError
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.sqlite import SQLITE

from .catalog import NOT_OURS
from .errors import is_refused
from .looks import MAIN, TEMP, look_at, read_columns
from .texts import create_statement, folded


def try_views(
    connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
) -> DryRun:
    """Create views, have SQLite plan to read them, and roll back.

    Args:
        connection: the database.
        definitions: the views.
        catalog: what the database contains.
    """
    if not definitions:
        return DryRun()
    views: dict[ViewName, ExpectedView] = {}
    errors: dict[ViewName, OrmViewsError] = {}
    names = {folded(flat_name(each)): each for each in [*catalog.relations, *(d.name for d in definitions)]}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        installed_columns = {
            d.name: read_columns(cursor, MAIN, flat_name(d.name))
            for d in definitions
            if d.name in catalog.relations
        }
        schema = _schema_to_try_in(cursor)
        theirs = _readers_of_others(catalog, definitions)
        before = look_at(connection, cursor, MAIN, theirs)
        made: dict[str, str] = {}
        for definition in definitions:
            try:
                _create(connection, cursor, schema, definition)
                made[flat_name(definition.name)] = create_statement(definition)
            except ViewSQLError as error:
                errors[definition.name] = error
        if schema == TEMP:
            for text in theirs.values():
                cursor.execute(_as_temporary(text))
        after = look_at(connection, cursor, schema, theirs)
        looks = look_at(connection, cursor, schema, made)
        for definition in definitions:
            flat = flat_name(definition.name)
            if flat not in looks:
                continue
            if looks[flat].error:
                errors[definition.name] = refused(SQLITE.title, definition, looks[flat].error)
                continue
            views[definition.name] = ExpectedView(
                name=definition.name,
                definition=made[flat],
                columns=read_columns(cursor, schema, flat),
                reads=frozenset(names.get(folded(r), ViewName(NOT_OURS, r)) for r in looks[flat].reads),
            )
        transaction.set_rollback(True, using=connection.alias)
    breaks = {
        ViewName(NOT_OURS, flat): unreadable(SQLITE.title, look.error)
        for flat, look in after.items()
        if look.error and not before[flat].error
    }
    return DryRun(views, installed_columns, errors, breaks)


def _create(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, schema: str, definition: ViewDefinition
) -> None:
    """Create a view, in the place of another one.

    Raises:
        ViewSQLError: when SQLite refuses its SQL already here. Most of what it refuses, it finds later.
    """
    statement = create_statement(definition)
    if schema == TEMP:
        statement = _as_temporary(statement)
    else:
        cursor.execute(f"DROP VIEW IF EXISTS {MAIN}.{SQLITE.place(definition.name)}")
    try:
        with transaction.atomic(using=connection.alias):
            cursor.execute(statement)
    except DatabaseError as error:
        if not is_refused(cursor, statement):
            raise
        raise refused(SQLITE.title, definition, str(error)) from error


def _readers_of_others(catalog: Catalog, definitions: Sequence[ViewDefinition]) -> dict[str, str]:
    """Return the texts of the views of others that read some views, by their names."""
    read_by = {name: view.read_by for name, view in catalog.relations.items()}
    readers = closure(read_by, [definition.name for definition in definitions])
    views = [catalog.relations[name] for name in sorted(readers) if name.schema == NOT_OURS]
    return {view.name.name: view.definition or "" for view in views if view.kind is not None}


def _as_temporary(statement: str) -> str:
    return statement.replace("CREATE VIEW", "CREATE TEMP VIEW", 1)


def _schema_to_try_in(cursor: CursorWrapper) -> str:
    """Return where to create the views.

    Temporary ones would read temporary tables of the project, and may read databases that it has attached.
    Then the views are created in the file, which needs its lock.
    """
    cursor.execute("SELECT 1 FROM temp.sqlite_master WHERE type IN ('table', 'view') LIMIT 1")
    has_temporary = cursor.fetchone() is not None
    cursor.execute("PRAGMA database_list")
    has_attached = any(name not in (MAIN, TEMP) for _, name, _ in cursor.fetchall())
    return MAIN if has_temporary or has_attached else TEMP
