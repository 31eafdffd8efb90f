"""The table of a preview: it has the columns of the view, and they may have any name and number."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui.cells import is_number, render_cell, render_mask
from orm_views_admin.ui.lineage import personal_mark
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.wording import breakable
from orm_views_core.database.rows import Cell, RowColumn, RowPage

from .base import SORT, Header

_NUMBER = "ov-number"


class PreviewTable:
    """Rows that the database has sorted, filtered and divided into pages.

    It is no table of django-tables2, which gives some names of columns a meaning of their own.

    Args:
        found: the columns and the rows.
        parameters: the parameters of the page; the links of the headers keep them.
        sort: the name of the column that the rows are sorted by, with a hyphen in front if descending.
        whole_url: returns the page of a whole value, of a column and the number of a row in the page.

    Attributes:
        label: the table's accessible name.
    """

    label = _("Rows")

    def __init__(
        self,
        found: RowPage,
        parameters: QueryDict,
        sort: str,
        whole_url: Callable[[RowColumn, int, Cell], str],
    ) -> None:
        self._found, self._parameters, self._sort = found, parameters, sort
        self._whole_url = whole_url

    def headers(self) -> Iterator[Header]:
        """Yield the header cells."""
        directions = {self._sort: "ascending"}
        # A name may begin with a hyphen too.
        if self._sort.startswith("-") and self._sort not in {column.name for column in self._found.columns}:
            directions[self._sort[1:]] = "descending"
        for column in self._found.columns:
            css_class = _NUMBER if is_number(column) else ""
            name = breakable(column.name)
            if column.name in self._found.masked:
                yield Header(format_html("{} {}", name, personal_mark(_("personal"))), css_class=css_class)
                continue
            direction = directions.get(column.name, "")
            sort = f"-{column.name}" if direction == "ascending" else column.name
            yield Header(name, with_parameters(self._parameters, **{SORT: sort}), direction, css_class)

    def lines(self) -> Iterator[SafeString]:
        """Yield the cells of each row, as HTML."""
        starts = [
            '<td role="cell" class="ov-number">' if is_number(column) else '<td role="cell">'
            for column in self._found.columns
        ]
        for number, row in enumerate(self._found.rows):
            cells = zip(starts, self._found.columns, row, strict=True)
            yield mark_safe(  # noqa: S308 - each part is HTML already
                "".join(f"{start}{self._content(column, number, cell)}</td>" for start, column, cell in cells)
            )

    def _content(self, column: RowColumn, number: int, cell: Cell | None) -> SafeString:
        if cell is None:
            return render_mask()
        return render_cell(cell, column, self._whole_url(column, number, cell) if cell.is_cut else "")
