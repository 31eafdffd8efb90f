"""The page of one value of a preview, whole, and the same value as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess
from orm_views_admin.pages.base import UNREADABLE
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.runs.accesses import record
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.wording import number, with_names
from orm_views_core.database.rows import Cell, Condition, RowColumn
from orm_views_core.engines.rows import read_cell
from orm_views_core.exceptions import MaskedColumnError, RowsChangedError, RowsUnavailableError
from orm_views_core.sentences import as_sentence, listed, says

from .rows import LAST_PAGE, PER_PAGE, Query, RowsPage

#: The parameter that asks for a file, and its value.
FORM, AS_FILE = "form", "text"
#: The parameters of this page that the preview does not have.
_OWN = dict.fromkeys(("column", "row", "digest", FORM))
_LONGEST_NUMBER = 20


class CellPage(RowsPage):
    """A value, if the row in its place still has it. Nothing else is read."""

    template_name = "orm_views_admin/cell.html"

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        column, row = request.GET.get("column", "").replace("\0", ""), request.GET.get("row", "")
        if not column or not _is_number(row) or not 0 < int(row) <= LAST_PAGE * PER_PAGE:
            raise Http404(_("The address of a value has a column and the number of a row."))
        status_code = 200
        context: dict[str, Any] = {}
        try:
            cell = self._read(address, column, int(row))
        except MaskedColumnError as error:
            status_code, context = 403, {"error": self.refusal(error)}
        except RowsChangedError as error:
            status_code = 409
            context = {"error": self.explain(error), "has_changed": True}
        except UNREADABLE as error:
            context = {"error": self.explain(error)}
        else:
            if request.GET.get(FORM) == AS_FILE:
                return _file(cell, f"{address.name.name}-{row}-{column}.txt")
            context = self._describe(cell)
        page = (int(row) - 1) // PER_PAGE + 1
        back = with_parameters(request.GET, **_OWN, page=str(page) if page > 1 else None)
        return self.render(
            with_names(_("%(column)s of row %(row)s of %(name)s"), column=column, row=row, name=address.name),
            parent=self.link_to(address),
            status_code=status_code,
            back_url=self.url("preview", address) + back,
            **context,
        )

    def _read(self, address: ViewAddress, column: str, row: int) -> Cell:
        """Read the value, and record that the user does."""
        query = Query.from_parameters(self.request.GET)

        def conditions(columns: Sequence[RowColumn]) -> list[Condition]:
            found = query.conditions(columns)
            if found is None:
                raise RowsUnavailableError(as_sentence(query.wrong[0].problem))
            return found

        cell = read_cell(
            address.database,
            address.name,
            column,
            offset=row - 1,
            page_limit=PER_PAGE,
            order_by=query.order_by,
            conditions=conditions,
            expected=self.request.GET.get("digest", ""),
            mask=lambda: self.personal_columns(address),
        )
        which = says("%(column)s of row %(row)s", column=column, row=row)
        record(
            self.request.user,
            address,
            RowAccess.Kind.VALUE,
            conditions=query.understood,
            about=listed(filter(None, (query.order, which))),
            rows=1,
            with_personal=column in self.personal,
        )
        return cell

    def _describe(self, cell: Cell) -> dict[str, Any]:
        return {
            "text": cell.text,
            "length": number(cell.length),
            "shown": number(len(cell.text or "")) if cell.is_cut else "",
            "file_url": with_parameters(self.request.GET, **{FORM: AS_FILE}),
        }


def _is_number(row: str) -> bool:
    """Return whether a text is a number that is short enough for Python to read."""
    return row.isdecimal() and len(row) <= _LONGEST_NUMBER


def _file(cell: Cell, name: str) -> HttpResponse:
    response = HttpResponse(
        (cell.text or "").encode(errors="replace"), content_type="text/plain; charset=utf-8"
    )
    safe = "".join(character if character.isalnum() or character in "._-" else "_" for character in name)
    response.headers["Content-Disposition"] = content_disposition_header(True, safe) or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
