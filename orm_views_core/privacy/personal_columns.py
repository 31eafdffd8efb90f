"""The columns of a database that the marked fields have."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, read_search_path
from orm_views_core.engines.postgresql.rules.readers import read_tables

from .exposures import Personal
from .marks import read_marks


def read_personal(connection: BaseDatabaseWrapper, cursor: CatalogCursor) -> Personal:
    """Return the personal columns of the tables of a database, each with its field.

    A table that is not there has none.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    marks = read_marks()
    _, path = read_search_path(connection)
    tables = read_tables(cursor, {mark.table for mark in marks}, path)
    return {
        RelationColumn(tables[mark.table], mark.column): mark.label for mark in marks if mark.table in tables
    }
