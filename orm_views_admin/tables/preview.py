"""The table of a preview: it has the columns of the view, and they may have any name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import django_tables2 as tables
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui.cells import is_number, render_mask, render_value
from orm_views_admin.ui.lineage import personal_mark
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_core.database.relations import Column

from .base import NUMBER, SORT, AdminTable, Header

#: The prefix of parameters that filter by a column: a column may have the name of another parameter.
FILTER_PREFIX = "column."


class ValueColumn(tables.Column):  # type: ignore[misc]
    """A column of the view."""

    def __init__(self, column: Column, *, is_masked: bool) -> None:
        super().__init__(
            verbose_name=column.name, empty_values=(), attrs=NUMBER if is_number(column.type) else {}
        )
        self._type = column.type
        self._is_masked = is_masked

    def render(self, value: Any) -> str:
        return render_mask() if self._is_masked else render_value(value, self._type)


class PreviewTable(AdminTable):
    """Rows that the database has sorted, filtered and divided into pages.

    Args:
        columns: the columns of the view.
        rows: the values of each row, in the order of the columns.
        parameters: the parameters of the page; the links of the headers keep them.
        sort: the name of the column that the rows are sorted by, with a hyphen in front if descending.
        masked: the names of the columns whose values were not read.
    """

    label = _("Rows")
    stacked = False

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Any]],
        parameters: QueryDict,
        sort: str,
        masked: Collection[str] = (),
    ) -> None:
        # django-tables2 gives names a meaning of their own, so it gets names without one.
        names = [f"c{n}" for n in range(len(columns))]
        super().__init__(
            [dict(zip(names, row, strict=True)) for row in rows],
            extra_columns=[
                (name, ValueColumn(column, is_masked=column.name in masked))
                for name, column in zip(names, columns, strict=True)
            ],
        )
        self._parameters = parameters
        self._sort = sort
        self._shown = columns
        self._masked = masked

    def headers(self) -> Iterator[Header]:
        directions = {self._sort: "ascending"}
        if self._sort.startswith("-"):
            directions[self._sort[1:]] = "descending"
        for column in self._shown:
            css_class = "ov-number" if is_number(column.type) else ""
            if column.name in self._masked:
                text = format_html("{} {}", column.name, personal_mark(_("personal")))
                yield Header(text, css_class=css_class)
                continue
            direction = directions.get(column.name, "")
            sort = f"-{column.name}" if direction == "ascending" else column.name
            yield Header(
                column.name,
                with_parameters(self._parameters, **{SORT: sort}),
                direction,
                css_class,
            )
