"""The exact number of rows of a view, as JSON. The list of views requests it after the page has loaded."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from orm_views_admin.pages.base import UNREADABLE, AdminView, find_status
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.ui.wording import row_count
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.rows import count_rows


class CountView(AdminView):
    """``{"rows": 1234, "exact": true, "text": "1,234", "title": "…"}``."""

    http_method_names = ["get"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        try:
            if address.name not in registered_views(database).names:
                find_status(address)
            count = count_rows(address.database, address.name)
        except UNREADABLE as error:
            rows, title = getattr(error, "rows", None), self.explain(error)
            return JsonResponse({"rows": rows, "exact": False, "text": row_count(rows), "title": title})
        title = _("Counted just now") if count.exact else _("The planner's estimate: counting took too long")
        if count.rows is None:
            title = _("Counting took too long")
        return JsonResponse(
            {
                "rows": count.rows,
                "exact": count.exact,
                "text": row_count(count.rows, is_exact=count.exact),
                "title": title,
            }
        )
