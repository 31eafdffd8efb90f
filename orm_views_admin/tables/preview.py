"""The table of a preview: its columns are those of the view, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui.cells import is_number, render_value
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_core.database.relations import Column

from .base import SORT, AdminTable, Header

#: Before a column's name in the parameter that filters by it: a column may be called "page" or "sort".
FILTER_PREFIX = "column."


class ValueColumn(tables.Column):  # type: ignore[misc]
    """A column of the view. It is known by its position, because its name may be anything."""

    def __init__(self, column: Column) -> None:
        number = {"class": "ov-number"} if is_number(column.type) else {}
        super().__init__(verbose_name=column.name, empty_values=(), attrs={"td": number, "th": number})
        self.type_name = column.type

    def render(self, value: Any) -> Any:
        return render_value(value, self.type_name)


class PreviewTable(AdminTable):
    """Rows that the database has already sorted, filtered and cut into pages."""

    label = _("Rows")
    stacked = False

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Any]],
        request: HttpRequest,
        sort: str,
    ) -> None:
        names = [f"c{n}" for n in range(len(columns))]
        super().__init__(
            [dict(zip(names, row, strict=True)) for row in rows],
            request=request,
            extra_columns=[(name, ValueColumn(column)) for name, column in zip(names, columns, strict=True)],
        )
        self._parameters = request.GET
        self._sort = sort
        self._shown = columns

    def headers(self) -> Iterator[Header]:
        for n, column in enumerate(self._shown):
            ascending = self._sort == column.name
            descending = self._sort == f"-{column.name}"
            wanted = f"-{column.name}" if ascending else column.name
            yield Header(
                f"c{n}",
                column.name,
                with_parameters(self._parameters, **{SORT: wanted, "page": None}),
                "ascending" if ascending else "descending" if descending else "",
                "ov-number" if is_number(column.type) else "",
            )
