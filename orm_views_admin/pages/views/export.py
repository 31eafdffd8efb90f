"""Starts an export of the rows that a preview is filtered and sorted for."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.db import connections, router
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.conf import get_settings
from orm_views_admin.files.formats import FORMATS, NoSuchFormatError, find_format
from orm_views_admin.files.request import ExportRequest
from orm_views_admin.models import Run
from orm_views_admin.pages.base import UNREADABLE
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.permissions import Permission
from orm_views_admin.runs import start_export
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.wording import number, round_duration
from orm_views_core.engines.rows import read_columns
from orm_views_core.exceptions import MaskedColumnError
from orm_views_core.sentences import translate
from orm_views_core.spelling import spelling_on

from .rows import Query, RowsPage

#: The field with the format.
FORMAT = "format"
#: For so many seconds the browser waits for the file. After that it is shown how the export goes on.
_PATIENCE, _PAUSE = 1.5, 0.05


def export_offer(page: RowsPage, address: ViewAddress, query: Query) -> dict[str, Any] | None:
    """Return the variables of the form that starts an export; None if the user may start none."""
    if not page.may(Permission.EXPORT, address) or not can_export(address):
        return None
    limits = get_settings()
    return {
        "url": page.url("export", address) + _about_rows(page.request),
        "formats": list(FORMATS.values()),
        "rows": number(limits.EXPORT_ROWS),
        "time": round_duration(limits.EXPORT_TIMEOUT),
    }


def can_export(address: ViewAddress) -> bool:
    """Return whether the engine reads many rows from one state of the database."""
    return spelling_on(address.database).abilities.staging


def _about_rows(request: HttpRequest) -> str:
    """Return the query string of the rows, of whatever page."""
    query = with_parameters(request.GET, page=None)
    return "" if query == "?" else query


class ExportView(RowsPage):
    """POST starts an export. The file is sent if it is there soon; otherwise the page of the run is shown."""

    permission = Permission.EXPORT

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        """Show the rows, for example after a login."""
        return self._back(address_or_404(database, schema, name))

    def post(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        if not can_export(address):
            engine = {"engine": spelling_on(address.database).title}
            messages.error(request, _("Rows of views on %(engine)s cannot be exported.") % engine)
            return self._back(address)
        query = Query.from_parameters(request.GET)
        try:
            form = find_format(request.POST.get(FORMAT, ""))
        except NoSuchFormatError as error:
            raise Http404(translate(error)) from error
        try:
            self._require_readable(address, query)
            if query.wrong:  # the preview says what is wrong
                return self._back(address)
            asked = ExportRequest(
                form.key,
                query.understood,
                query.order_by,
                query.order,
                _about_rows(request).removeprefix("?"),
            )
            run = start_export(request.user, address, asked)
        except MaskedColumnError as error:
            messages.error(request, self.refusal(error))
            return self._back(address)
        except UNREADABLE as error:
            messages.error(request, self.explain(error))
            return self._back(address)
        page = "run_file" if _is_done(run) else "run"
        return HttpResponseRedirect(self.url(page, run_request=run.request))

    def _require_readable(self, address: ViewAddress, query: Query) -> None:
        """Make sure that the rows may be read, and understand the filters.

        Raises:
            MaskedColumnError: if they are to be sorted or filtered by what the user may not see.
            RowsUnavailableError: if its rows may not be read.
        """
        read_columns(
            address.database,
            address.name,
            order_by=query.order_by,
            conditions=query.conditions,
            mask=lambda: self.personal_columns(address),
        )

    def _back(self, address: ViewAddress) -> HttpResponse:
        return HttpResponseRedirect(self.url("preview", address) + _about_rows(self.request))


def _is_done(run: Run) -> bool:
    """Return whether an export has succeeded within a short time."""
    if connections[router.db_for_write(Run)].in_atomic_block:
        return False  # it begins after the commit
    deadline = time.monotonic() + _PATIENCE
    while True:
        run.refresh_from_db(fields=["state"])
        if not run.is_active or time.monotonic() > deadline:
            return run.state == Run.State.SUCCEEDED
        time.sleep(_PAUSE)
