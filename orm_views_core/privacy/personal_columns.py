"""The columns of a database that the marked fields have."""

from __future__ import annotations

from typing import NamedTuple

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, read_search_path
from orm_views_core.engines.postgresql.rules.readers import read_named_columns
from orm_views_core.exceptions import PersonalFieldError
from orm_views_core.sentences import says

from .exposures import Personal
from .guard import Finding
from .marks import read_marks


class Marked(NamedTuple):
    """What the marks say of a database.

    Attributes:
        columns: the personal columns, each with its field.
        missing: the fields whose tables have no such column, as warnings.
    """

    columns: Personal
    missing: tuple[Finding, ...]


def read_personal(cursor: CatalogCursor) -> Personal:
    """Return the personal columns of the tables of a database, each with its field.

    A table that is not there has none. What inherits a personal column, or hands it on, has one too.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column of a table.
    """
    return read_marked(cursor).columns


def read_marked(cursor: CatalogCursor) -> Marked:
    """Return the personal columns of the tables of a database, and which ones are missing.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column of a table.
    """
    marks = read_marks()
    _, path = read_search_path(cursor.db)
    asked = [RelationColumn(mark.table, mark.column) for mark in marks]
    columns: dict[RelationColumn, str] = {}
    missing = []
    for number, column, is_of_view, exists in sorted(read_named_columns(cursor, asked, path)):
        label = marks[number].label
        if is_of_view:
            raise PersonalFieldError(
                says(
                    "%(field)s is marked as personal, and %(relation)s is a view. Mark the fields of the "
                    "tables that it reads: what a view makes of them follows. A table without a model can "
                    "have one with managed = False.",
                    field=label,
                    relation=column.relation,
                )
            )
        if exists:
            columns.setdefault(column, label)
        else:
            what = says(
                "%(field)s is marked as personal, and %(relation)s has no column %(column)r.",
                field=label,
                relation=column.relation,
                column=column.column,
            )
            advice = says(
                "Run the migrations before the sync: what has its values until then is not guarded."
            )
            missing.append(Finding(column, what, advice))
    return Marked(columns, tuple(missing))
