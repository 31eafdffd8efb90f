"""The columns of a database that the marked fields have."""

from __future__ import annotations

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, read_search_path
from orm_views_core.engines.postgresql.rules.readers import read_columns_of_tables

from .exposures import Personal
from .marks import read_marks


def read_personal(cursor: CatalogCursor) -> Personal:
    """Return the personal columns of the tables of a database, each with its field.

    A table that is not there has none. What inherits a personal column, or hands it on, has one too.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    marks = read_marks()
    _, path = read_search_path(cursor.db)
    columns = [RelationColumn(mark.table, mark.column) for mark in marks]
    found = read_columns_of_tables(cursor, columns, path)
    return {column: marks[number].label for number, column in sorted(found, reverse=True)}
