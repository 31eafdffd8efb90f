"""The page that shows rows of a view."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.filters.form import FilterForm, added
from orm_views_admin.models import RowAccess
from orm_views_admin.pages.accesses import link_to_accesses
from orm_views_admin.pages.base import UNREADABLE, find_status
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.permissions import Permission
from orm_views_admin.runs.accesses import record
from orm_views_admin.tables.preview import PreviewTable
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.wording import name_list, with_names
from orm_views_core.database.rows import Cell, RowColumn, RowPage, digest
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.rows import read_rows
from orm_views_core.exceptions import BadConditionError, MaskedColumnError, RowsUnavailableError
from orm_views_core.sentences import listed

from .export import export_offer
from .rows import PER_PAGE, Query, RowsPage


class PreviewPage(RowsPage):
    """Rows of a view, sorted and filtered by column, in pages. The rows are not counted."""

    template_name = "orm_views_admin/preview.html"

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        if (changed := added(request.GET)) is not None:
            return HttpResponseRedirect(changed)
        query = Query.from_parameters(request.GET)
        status_code = 200
        try:
            context = self._show(address, query)
        except MaskedColumnError as error:
            context, status_code = {"error": self.refusal(error)}, 403
        except UNREADABLE as error:
            context = {"error": self.explain(error)}
        # Without rows, filters can be removed nevertheless.
        context.setdefault("form", FilterForm(request.GET, query.columns, query.filters))
        return self.render(
            with_names(_("Preview of %(name)s"), name=address.name),
            parent=self.link_to(address),
            status_code=status_code,
            query=query,
            tools=link_to_accesses(self, address, query.understood),
            **context,
        )

    def _show(self, address: ViewAddress, query: Query) -> dict[str, Any]:
        """Return the variables of the template; of a view without rows, why it has none.

        Raises:
            Http404: if there is no such view, or if it is a table that has the name of a registered view.
            MaskedColumnError: if they are to be sorted or filtered by what the user may not see.
            RowsUnavailableError: if its rows may not be read.
            NotRecordedError: if it cannot be recorded that the user reads them.
        """
        if address.name not in registered_views(address.database).names:
            find_status(address)
        try:
            found = self._read(address, query)
        except (MaskedColumnError, BadConditionError):
            raise
        except RowsUnavailableError:
            if reason := self._why_no_rows(address):
                return reason
            raise
        if not query.wrong:
            self._record(address, query, found)
        return self._describe(address, query, found)

    def _record(self, address: ViewAddress, query: Query, found: RowPage) -> None:
        """Record that the user reads rows.

        Raises:
            NotRecordedError: if that cannot be. The rows are not shown then.
        """
        record(
            self.request.user,
            address,
            RowAccess.Kind.PREVIEW,
            conditions=query.understood,
            about=listed(filter(None, (query.order, query.place))),
            rows=len(found.rows),
            with_personal=not found.masked.issuperset(self.personal),
        )

    def _read(self, address: ViewAddress, query: Query) -> RowPage:
        """Read the rows. If a filter is wrong, there are none."""
        how: dict[str, Any] = {
            "limit": PER_PAGE,
            "offset": query.offset,
            "order_by": query.order_by,
            "conditions": query.conditions,
            "mask": lambda: self.personal_columns(address),
            "find_quick": True,
        }
        try:
            return read_rows(address.database, address.name, **how)
        except BadConditionError as error:
            query.refuse(error)
            return read_rows(address.database, address.name, **how)

    def _why_no_rows(self, address: ViewAddress) -> dict[str, Any]:
        """Return what the template shows of a view that cannot be read because it was never populated."""
        status = find_status(address)
        installed = status.installed
        if installed and installed.kind is None:
            raise Http404(_("%(name)s is not a view that this project manages.") % {"name": status.name})
        if installed and not installed.populated and status.label:
            can_refresh = status.can_refresh and self.may(Permission.REFRESH, address)
            refresh_url = self.url_about("refresh", address) if can_refresh else ""
            return {"not_populated": True, "refresh_url": refresh_url}
        return {}

    def _describe(self, address: ViewAddress, query: Query, found: RowPage) -> dict[str, Any]:
        parameters = self.request.GET

        def whole_url(column: RowColumn, number: int, cell: Cell) -> str:
            row = str(query.offset + number + 1)
            about = with_parameters(parameters, column=column.name, row=row, digest=digest(cell))
            return self.url("cell", address) + about

        return {
            "export": export_offer(self, address, query) if found.columns and not query.wrong else None,
            "form": FilterForm(parameters, found.columns, query.filters, found.quick, found.masked),
            "table": PreviewTable(found, parameters, query.sort, whole_url),
            "has_columns": bool(found.columns),
            "masked": name_list(column.name for column in found.columns if column.name in found.masked),
            "count_masked": len(found.masked),
            "is_wrong": bool(query.wrong),
            "first": query.offset + 1,
            "last": query.offset + len(found.rows),
            "is_empty": not found.rows,
            "previous_url": with_parameters(parameters, page=str(query.page - 1)) if query.page > 1 else "",
            "next_url": with_parameters(parameters, page=str(query.page + 1)) if found.has_more else "",
        }
