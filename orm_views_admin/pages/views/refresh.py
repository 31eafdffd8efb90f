"""Refreshing materialised views: what will be done, and starting it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.base import Page, read_statuses
from orm_views_admin.pages.runs.run import follow
from orm_views_admin.pages.selection import FROM_LIST, Selection
from orm_views_admin.permissions import Permission
from orm_views_admin.tables.base import RefreshTable
from orm_views_admin.ui.wording import duration, number
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.graph import creation_order
from orm_views_core.names import ViewName
from orm_views_core.status import ViewStatus

CONFIRM = "confirm"


class RefreshPage(Page):
    """GET, and POST from the list, show what would be refreshed; POST with ``confirm`` starts it."""

    template_name = "orm_views_admin/refresh.html"
    permission = Permission.REFRESH
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(Selection.from_request(request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        selection = Selection.from_request(request.POST)
        if FROM_LIST in request.POST and not selection.addresses:
            messages.warning(request, _("Select the views to refresh first."))
            return HttpResponseRedirect(self.url("list"))
        return self._start(selection) if CONFIRM in request.POST else self._show(selection)

    def _start(self, selection: Selection) -> HttpResponse:
        """Hand the views over to be refreshed, and lead to the page that follows them."""
        refreshable, errors = _refreshable(selection)
        addresses = [
            ViewAddress(alias, view.name)
            for alias, views in refreshable.items()
            for view in views
            if view.name
        ]
        if not addresses:
            if errors:
                return self._show(selection)
            messages.warning(self.request, _("There was nothing to refresh."))
            return HttpResponseRedirect(self.url("list"))
        try:
            started = runs.start_refresh(self.request.user, addresses)
        except (OrmViewsError, DatabaseError) as error:
            return self._show(selection, error=str(error).strip())
        return HttpResponseRedirect(follow(self.site, [run.request for run in started]))

    def _show(self, selection: Selection, error: str = "") -> HttpResponse:
        refreshable, errors = _refreshable(selection)
        views = [view for found in refreshable.values() for view in found]
        chosen = {ViewAddress(view.database, view.name) for view in views if view.name}
        title, parent = _("Refresh all materialised views"), None
        if len(selection.addresses) == 1:
            (address,) = selection.addresses
            title = _("Refresh %(name)s") % {"name": address.name}
            parent = str(address.name), self.url("detail", address)
        elif selection.addresses:
            title = ngettext("Refresh %(count)s view", "Refresh %(count)s views", len(views)) % {
                "count": number(len(views))
            }
        return self.render(
            title,
            parent=parent,
            table=RefreshTable([self._row(n, view) for n, view in enumerate(views, 1)]),
            views=views,
            total=_usual_total(views),
            waiting=[view for view in views if view.why_not_concurrently],
            passed_over=[address for address in selection.addresses if address not in chosen],
            errors=[*errors, *([error] if error else [])],
            keys=selection.keys,
        )

    def _row(self, position: int, view: ViewStatus) -> dict[str, Any]:
        assert view.name is not None
        assert view.installed is not None
        state = view.installed.state
        return {
            "number": position,
            "name": str(view.name),
            "url": self.url("detail", ViewAddress(view.database, view.name)),
            "why_not": view.why_not_concurrently,
            "rows": view.installed.rows,
            "size": view.installed.size,
            "refreshed": state.refreshed if state else None,
            "seconds": state.seconds if state else None,
        }


def _refreshable(selection: Selection) -> tuple[dict[str, list[ViewStatus]], list[str]]:
    """Return the views that can be refreshed, each after those that it reads, and errors of databases."""
    found: dict[str, list[ViewStatus]] = {}
    errors = []
    for alias, wanted in selection.by_database.items():
        database = read_statuses(alias)
        if database.error is not None:
            errors.append(str(database.error))
        views = {view.name: view for view in database.views if view.name and view.can_refresh}
        chosen = views.keys() if wanted is None else views.keys() & set(wanted)
        if chosen:
            found[alias] = [views[name] for name in _in_order(database.views) if name in chosen]
    return found, errors


def _in_order(views: tuple[ViewStatus, ...]) -> list[ViewName]:
    return creation_order({view.name: view.installed.reads for view in views if view.name and view.installed})


def _usual_total(views: list[ViewStatus]) -> str:
    """Add up the usual durations, if every one is known."""
    seconds = [view.installed.state.seconds for view in views if view.installed and view.installed.state]
    known = [s for s in seconds if s is not None]
    return duration(sum(known)) if views and len(known) == len(views) else ""
