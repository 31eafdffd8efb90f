"""A page of a view's rows, as analysts get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from orm_views_admin.pages.base import Page, address_or_404, find_status
from orm_views_admin.permissions import Permission
from orm_views_admin.tables.base import SORT
from orm_views_admin.tables.preview import FILTER_PREFIX, PreviewTable
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_core.database.relations import Column
from orm_views_core.engines.postgresql.rows import RowPage, read_rows
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewKind
from orm_views_core.status import State, ViewStatus

PER_PAGE = 50
LAST_PAGE = 1_000_000


@dataclass(frozen=True)
class Wish:
    """What a request asks to see."""

    sort: str
    filters: dict[str, str]
    page: int

    @classmethod
    def from_request(cls, request: HttpRequest) -> Wish:
        """Read the parameters; a page that is no number is the first."""
        page = request.GET.get("page", "")
        filters = {
            name.removeprefix(FILTER_PREFIX): str(text).replace("\0", "")
            for name, text in request.GET.items()
            if name.startswith(FILTER_PREFIX)
        }
        return cls(
            request.GET.get(SORT, "").replace("\0", ""),
            {column: text for column, text in filters.items() if text},
            min(max(1, int(page)), LAST_PAGE) if page.isdecimal() and len(page) < 10 else 1,
        )


class PreviewPage(Page):
    """Rows of a view: sorted, filtered by column, paged without counting."""

    template_name = "orm_views_admin/preview.html"
    permission = Permission.PREVIEW
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        context: dict[str, Any] = {"address": address, "wish": (wish := Wish.from_request(request))}
        try:
            status = find_status(address)
            _refuse_others(status)
            if _is_empty(status):
                context["not_populated"] = True
                context["refresh_url"] = self.url_about("refresh", address) if status.can_refresh else ""
            else:
                rows = read_rows(
                    address.database,
                    address.name,
                    limit=PER_PAGE,
                    offset=(wish.page - 1) * PER_PAGE,
                    order_by=[wish.sort] if wish.sort else [],
                    contains=wish.filters,
                )
                context |= self._show_rows(wish, rows)
        except (OrmViewsError, DatabaseError, ValueError, OverflowError) as error:
            # The last two: a date that Python cannot hold, such as one before Christ.
            context["error"] = str(error).strip()
        return self.render(
            _("Preview of %(name)s") % {"name": address.name},
            parent=(str(address.name), self.url("detail", address)),
            clear_url="?",
            **context,
        )

    def _show_rows(self, wish: Wish, rows: RowPage) -> dict[str, Any]:
        parameters = self.request.GET
        return {
            "table": PreviewTable(rows.columns, rows.rows, self.request, wish.sort),
            "columns": filter_fields(rows.columns, wish.filters),
            "first": (wish.page - 1) * PER_PAGE + 1,
            "last": (wish.page - 1) * PER_PAGE + len(rows.rows),
            "is_empty": not rows.rows,
            "previous_url": with_parameters(parameters, page=str(wish.page - 1)) if wish.page > 1 else "",
            "next_url": with_parameters(parameters, page=str(wish.page + 1)) if rows.has_more else "",
        }


def filter_fields(columns: Sequence[Column], filters: dict[str, str]) -> list[dict[str, str]]:
    """Return the fields of the filter form."""
    return [
        {"label": column.name, "parameter": FILTER_PREFIX + column.name, "text": filters.get(column.name, "")}
        for column in columns
    ]


def _refuse_others(status: ViewStatus) -> None:
    """Show rows of our own views only: what else lies in the schema was not made to be looked at here.

    Raises:
        Http404: when it is somebody else's view, or a table that has the name of one of ours.
    """
    theirs = status.installed is not None and status.installed.kind is None
    if status.state is State.UNMANAGED or theirs:
        raise Http404(_("%(name)s is not a view of ours that could be read.") % {"name": status.name})


def _is_empty(status: ViewStatus) -> bool:
    installed = status.installed
    return installed is not None and installed.kind is ViewKind.MATERIALISED_VIEW and not installed.populated
