"""The base class of the pages' tables.

django-tables2 provides columns, sorting and pages. All tables are rendered by one template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording
from orm_views_admin.ui.querystrings import with_parameters

#: The URL parameter that names the column to sort by.
SORT = "sort"
#: The characters of a message or a reason that are shown.
_SHORT = 140
#: The attributes of a column of numbers.
NUMBER = {"td": {"class": "ov-number"}, "th": {"class": "ov-number"}}


def shown_from(width: str, attributes: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
    """Return the attributes of a column that is left out where there is no room for it.

    Args:
        width: how much room there has to be: "little", "much" or "most", as the style sheet says.
        attributes: further attributes.
    """
    further = attributes or {}
    return {
        tag: {"class": f"{further.get(tag, {}).get('class', '')} ov-from-{width}".strip()}
        for tag in ("td", "th")
    }


@dataclass(frozen=True)
class Header:
    """The header cell of a column.

    Attributes:
        url: the link that sorts by this column; "" if it cannot be sorted.
        direction: "ascending" or "descending" if the rows are sorted by this column, else "".
    """

    text: object
    url: str = ""
    direction: str = ""
    css_class: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a row.

    Attributes:
        is_empty: whether it has no value.
        header: the text of its column's header.
        is_row_header: whether it names the row.
    """

    content: object
    is_empty: bool
    header: object
    css_class: str
    is_row_header: bool


class Line(list[Cell]):
    """The cells of a row.

    Attributes:
        below: what is shown below the row, as wide as the table; "" for nothing.
    """

    below: object = ""


class FormattedColumn(tables.Column):  # type: ignore[misc]
    """A column whose values are shown as a function returns them."""

    def __init__(self, show: Callable[[Any], object], verbose_name: object, **kwargs: Any) -> None:
        super().__init__(verbose_name, **kwargs)
        self._show = show

    def render(self, value: Any) -> object:
        return self._show(value)


class AdminTable(tables.Table):  # type: ignore[misc]
    """A table in the admin's style.

    Args:
        data: the rows.
        request: the request of the page; without it, the headers have no links to sort by.
        label: the table's accessible name, if it is not the one of the class.
        kwargs: further arguments of ``django_tables2.Table``.

    Attributes:
        label: the table's accessible name.
        stacked: whether each row becomes a block on a narrow screen; if not, the table is scrolled.
        row_header: the name of the column that names the row.
    """

    label: object = ""
    stacked = True
    row_header = ""

    def __init__(
        self, data: Any, request: HttpRequest | None = None, label: object = None, **kwargs: Any
    ) -> None:
        # Not in a Meta class: django-tables2 does not pass that on to subclasses.
        super().__init__(
            data,
            template_name="orm_views_admin/includes/table.html",
            orderable=request is not None,
            order_by_field=SORT,
            default=wording.DASH,
            **kwargs,
        )
        self._request = request
        self.label = label or self.label

    def headers(self) -> Iterator[Header]:
        """Yield the header cells of the shown columns."""
        for column in self.columns:
            url = direction = ""
            if column.orderable and self._request is not None:
                url = with_parameters(self._request.GET, **{SORT: str(column.order_by_alias.next)})
                if column.is_ordered:
                    direction = "descending" if column.order_by_alias.is_descending else "ascending"
            yield Header(column.header, url, direction, column.attrs["th"].get("class", ""))

    def below(self, record: Any) -> object:
        """Return what is shown below a row, as wide as the table."""
        return ""

    def lines(self) -> Iterator[Line]:
        """Yield the cells of each shown row. What all cells of a column share is asked of it once."""
        shared = [
            (column.name, column.header, column.attrs["td"].get("class", ""), column.name == self.row_header)
            for column in self.columns
        ]
        for row in self.paginated_rows:
            contents = [row.get_cell(name) for name, *_ in shared]
            line = Line(
                Cell(content, content == self.default, *rest)
                for content, (_, *rest) in zip(contents, shared, strict=True)
            )
            line.below = self.below(row.record)
            yield line


class LinkingTable(AdminTable):
    """A table with links to pages. ``url`` returns the URL of a page, as ``AdminView.url`` does."""

    def __init__(self, data: Any, url: Callable[..., str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._url = url


def code(text: str) -> SafeString:
    """Return a name or a text in a fixed-width font, as HTML."""
    return format_html("<code>{}</code>", wording.breakable(text))


def shortened(line: str) -> str:
    """Return a line that is not too long for a cell of a table."""
    return f"{line[:_SHORT]}…" if len(line) > _SHORT else line


def yes_or(no: object) -> Callable[[bool], object]:
    """Return the function that shows a boolean as "Yes" or as another word."""
    return lambda value: _("Yes") if value else no
