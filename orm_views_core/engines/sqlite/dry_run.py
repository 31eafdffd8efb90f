"""Tries views on SQLite as temporary ones: nobody else sees them, and no lock on the file is needed.

SQLite looks for names in ``temp`` first. So all views that are tried read one another's new versions, whether
they exist already or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.relations import Catalog, Column
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError, ViewSQLError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says
from orm_views_core.spelling.flat import flat_name

from .catalog import MAIN, Look, look_at, read_columns
from .texts import create_statement

_TEMP = "temp"


def try_views(
    connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
) -> DryRun:
    """Create views as temporary ones, have SQLite plan to read them, and roll back.

    Args:
        connection: the database.
        definitions: the views.
        catalog: what the database contains.
    """
    if not definitions:
        return DryRun()
    views: dict[ViewName, ExpectedView] = {}
    installed_columns: dict[ViewName, tuple[Column, ...]] = {}
    errors: dict[ViewName, OrmViewsError] = {}
    names = {flat_name(definition.name): definition.name for definition in definitions}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        made: dict[str, str] = {}
        for definition in definitions:
            statement = create_statement(definition)
            try:
                with transaction.atomic(using=connection.alias):
                    cursor.execute(statement.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))
                made[flat_name(definition.name)] = statement
            except DatabaseError as error:
                errors[definition.name] = refused(definition, str(error))
        looks = look_at(connection, cursor, _TEMP, made)
        for definition in definitions:
            flat = flat_name(definition.name)
            if flat in looks and looks[flat].error:
                errors[definition.name] = refused(definition, looks[flat].error)
            elif flat in looks:
                columns = read_columns(cursor, _TEMP, flat)
                views[definition.name] = _expected(definition, made[flat], columns, looks[flat], names)
            if definition.name in catalog.relations:
                installed_columns[definition.name] = read_columns(cursor, MAIN, flat)
        transaction.set_rollback(True, using=connection.alias)
    return DryRun(views, installed_columns, errors)


def _expected(
    definition: ViewDefinition,
    statement: str,
    columns: tuple[Column, ...],
    look: Look,
    names: dict[str, ViewName],
) -> ExpectedView:
    reads = frozenset(names.get(flat, ViewName(MAIN, flat)) for flat in look.reads)
    return ExpectedView(name=definition.name, definition=statement, columns=columns, reads=reads)


def refused(definition: ViewDefinition, said: str) -> ViewSQLError:
    """Return the error to raise when SQLite refuses the SQL of a view."""
    why = Quoting(says("SQLite refuses its SQL: %(message)s.", message=said), says("SQLite refuses its SQL."))
    whole = says("%(where)s: %(why)s", where=definition.where, why=why)
    return ViewSQLError(Quoting(whole, whole.summary), why)
