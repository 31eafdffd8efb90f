"""The page that shows rows of a view."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.base import UNREADABLE, Page, find_status
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.permissions import Permission
from orm_views_admin.tables.base import SORT
from orm_views_admin.tables.preview import FILTER_PREFIX, PreviewTable
from orm_views_admin.ui.querystrings import page_number, with_parameters
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.exceptions import MaskedColumnError
from orm_views_core.privacy.api import find_personal_columns

PER_PAGE = 50
#: Later pages are not read: their OFFSET would be too large.
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class Query:
    """The rows that a request asks for.

    Attributes:
        sort: the column to sort by, with a hyphen in front if descending; "" for no order.
        filters: by column, the text that its value must contain.
        page: the number of the page, from 1.
    """

    sort: str
    filters: dict[str, str]
    page: int

    @classmethod
    def from_parameters(cls, parameters: QueryDict) -> Query:
        """Read the parameters of a page; a page number that is not a number counts as 1."""
        filters = {
            name.removeprefix(FILTER_PREFIX): text
            for name, value in parameters.items()
            if name.startswith(FILTER_PREFIX) and (text := str(value).replace("\0", ""))
        }
        return cls(
            parameters.get(SORT, "").replace("\0", ""),
            filters,
            min(page_number(parameters), LAST_PAGE),
        )

    @property
    def offset(self) -> int:
        return (self.page - 1) * PER_PAGE


class PreviewPage(Page):
    """Rows of a view, sorted and filtered by column, in pages. The rows are not counted."""

    template_name = "orm_views_admin/preview.html"
    permission = Permission.PREVIEW

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        query = Query.from_parameters(request.GET)
        status_code = 200
        try:
            context = self._rows(address, query)
        except MaskedColumnError as error:
            hint = _("You need the permission to see personal data in rows of views.")
            context, status_code = {"error": f"{self.explain(error)} {hint}"}, 403
        except (*UNREADABLE, ValueError, OverflowError) as error:
            # The last two: a value that Python cannot represent, such as a date before the year 1.
            context = {"error": self.explain(error)}
        return self.render(
            _("Preview of %(name)s") % {"name": address.name},
            parent=self.link_to(address),
            status_code=status_code,
            query=query,
            **context,
        )

    def _rows(self, address: ViewAddress, query: Query) -> dict[str, Any]:
        """Return the variables of the template.

        Raises:
            Http404: if it is a table that has the name of a registered view.
            MaskedColumnError: if they are to be sorted or filtered by what the user may not see.
            RowsUnavailableError: if its rows may not be read.
        """
        status = find_status(address)
        installed = status.installed
        if installed and installed.kind is None:
            raise Http404(_("%(name)s is not a view that this project manages.") % {"name": status.name})
        if installed and not installed.populated and status.label:
            refresh_url = self.url_about("refresh", address) if status.can_refresh else ""
            return {"not_populated": True, "refresh_url": refresh_url}
        found = read_rows(
            address.database,
            address.name,
            limit=PER_PAGE,
            offset=query.offset,
            order_by=[query.sort] if query.sort else [],
            contains=query.filters,
            mask=lambda: self._personal_columns(address),
        )
        parameters = self.request.GET
        open_columns = [column.name for column in found.columns if column.name not in found.masked]
        return {
            "table": PreviewTable(found.columns, found.rows, parameters, query.sort, found.masked),
            "masked": [column.name for column in found.columns if column.name in found.masked],
            "filter_prefix": FILTER_PREFIX,
            "filters": [(name, query.filters.get(name, "")) for name in open_columns],
            "first": query.offset + 1,
            "last": query.offset + len(found.rows),
            "is_empty": not found.rows,
            "previous_url": with_parameters(parameters, page=str(query.page - 1)) if query.page > 1 else "",
            "next_url": with_parameters(parameters, page=str(query.page + 1)) if found.has_more else "",
        }

    def _personal_columns(self, address: ViewAddress) -> Collection[str]:
        """Return the columns of a view whose values the user may not see."""
        if self.may(Permission.VIEW_PERSONAL):
            return ()
        return find_personal_columns(get_connection(address.database), [address.name]).get(address.name, ())
