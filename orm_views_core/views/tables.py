"""The tables of readable views whose schema a function gives: ``db_table`` is asked for at each read."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models.options import Options

from .options import ViewOptions


class FollowingTable(str):
    """The quoted name of a view when a query was built. The schema may be another when it is sent.

    Attributes:
        view: the class of the view.
    """

    view: type

    @property
    def now(self) -> FollowingTable:
        """The name at this moment."""
        return table_of(self.view)


def table_of(view: type) -> FollowingTable:
    """Return the name of a view at this moment."""
    table = FollowingTable(ViewOptions(view).placed)
    table.view = view
    return table


class FollowingOptions(Options):  # type: ignore[type-arg]  # it has no arguments when it runs
    """The ``_meta`` of such a view."""

    @property
    def db_table(self) -> str:
        return table_of(self.concrete_model or self.model)

    @db_table.setter
    def db_table(self, value: str) -> None:
        """Django sets the name that a table would have."""


def follow_connection(view: Any) -> None:
    """Make the ``db_table`` of a readable view, or of its proxy, that of the connection at each read."""
    vars(view._meta).pop("db_table", None)
    view._meta.__class__ = FollowingOptions
    for field in view._meta.local_fields:
        vars(field)["get_col"] = partial(_column_of, field)


def _column_of(field: Any, alias: str, output_field: Any = None) -> Any:
    """Return the column of a field. Django keeps that of the table, and the table is another tomorrow."""
    column = type(field).get_col(field, "", output_field)
    column.alias = alias
    return column
