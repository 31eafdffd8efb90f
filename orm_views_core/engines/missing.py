"""Tells whether a statement has failed because a table, or a column of it, is not there yet."""

from __future__ import annotations

from collections.abc import Collection

from django.db import Error as DriverError
from django.db import connections

from orm_views_core.engines.postgresql.errors.diagnostics import UNDEFINED_COLUMN, UNDEFINED_TABLE, sqlstate


def is_missing(error: BaseException, alias: str, table: str, columns: Collection[str]) -> bool:
    """Return whether a statement has failed because a table is missing, or one of some columns.

    PostgreSQL tells by the SQLSTATE. Other engines tell it in words, so there the table is looked at.

    Args:
        error: what the statement has raised.
        alias: the database.
        table: the name of the table.
        columns: the columns that the statement needs.
    """
    if (code := sqlstate(error)) is not None:
        return code in {UNDEFINED_TABLE, UNDEFINED_COLUMN}
    if not isinstance(error, DriverError):
        return False
    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            if table not in connection.introspection.table_names(cursor):
                return True
            found = connection.introspection.get_table_description(cursor, table)
    except DriverError:  # the database does not answer, which the error says
        return False
    return not {each.name for each in found}.issuperset(columns)
