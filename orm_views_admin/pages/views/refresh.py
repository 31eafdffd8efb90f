"""The page that shows what a refresh of materialised views does, and starts it."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.pages.base import UNREADABLE
from orm_views_admin.pages.confirmation import CONFIRM, ConfirmationPage
from orm_views_admin.pages.selection import PARAMETER, Selection
from orm_views_admin.permissions import Permission, visible
from orm_views_admin.tables.entries import Entry
from orm_views_admin.tables.plan import RefreshTable
from orm_views_admin.trends import read_trends
from orm_views_admin.ui.wording import duration, name_list, number, with_names
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_order
from orm_views_core.status import ViewStatus

#: The name of the button that refreshes what is stale.
STALE = "stale"
#: The page sends the views that it shows, besides the addresses of those that are ticked.
SHOWN = "shown"
#: With more views there are no boxes to tick: Django accepts 1,000 fields.
MOST_TICKED = 500


class RefreshPage(ConfirmationPage):
    """The views that a refresh computes anew, in order. POST with ``stale`` refreshes what is stale."""

    template_name = "orm_views_admin/refresh.html"
    permission = Permission.REFRESH
    nothing_selected = gettext_lazy("Select the views to refresh first.")

    def post(self, request: HttpRequest) -> HttpResponse:
        if STALE in request.POST:
            return self._refresh_stale()
        if CONFIRM not in request.POST or SHOWN not in request.POST or PARAMETER in request.POST:
            return super().post(request)
        shown = Selection.from_text(request.POST[SHOWN])
        if len(shown.addresses) > MOST_TICKED:
            return self.start(shown)
        messages.error(request, _("Tick the views to refresh. None was ticked, so nothing was refreshed."))
        return self.show(shown, are_ticked=False)

    def _refresh_stale(self) -> HttpResponse:
        """Refresh the views whose rows are older than promised, each after those that it reads."""
        databases = [self.read_statuses(alias, judged=False) for alias in view_databases()]
        for database in databases:
            if database.error is not None:
                messages.warning(self.request, self.explain(database.error, database.database))
        stale = [
            ViewAddress(view.database, view.name)
            for database in databases
            for view in database.views
            if view.name and view.is_stale and view.can_refresh
        ]
        stale = visible(self.request.user, stale, Permission.REFRESH)
        try:
            if stale:
                return self.redirect_to(runs.start_refresh(self.request.user, stale))
            messages.info(self.request, _("No view is stale any more."))
        except UNREADABLE as error:
            messages.error(self.request, self.explain(error))
        return HttpResponseRedirect(self.url("list"))

    def start(self, selection: Selection) -> HttpResponse:
        entries, errors = self._refreshable(selection)
        if not entries and errors:
            return self.show(selection)
        if not entries:
            messages.warning(self.request, _("There was nothing to refresh."))
            return HttpResponseRedirect(self.url("list"))
        try:
            addresses = [entry.address for entry in entries if entry.address]
            return self.redirect_to(runs.start_refresh(self.request.user, addresses))
        except UNREADABLE as error:
            return self.show(selection, error)

    def show(self, selection: Selection, *further_errors: Exception, are_ticked: bool = True) -> HttpResponse:
        entries, errors = self._refreshable(selection)
        title = _("Refresh all materialised views")
        if selection.single:
            title = with_names(_("Refresh %(name)s"), name=selection.single.name)
        elif selection.addresses:
            title = ngettext("Refresh %(count)s view", "Refresh %(count)s views", len(entries)) % {
                "count": number(len(entries))
            }
        chosen = Selection(tuple(entry.address for entry in entries if entry.address))
        has_boxes = 1 < len(entries) <= MOST_TICKED
        return self.render(
            title,
            parent=self.link_to(selection.single),
            table=RefreshTable(entries, self.url, has_boxes=has_boxes, are_ticked=are_ticked),
            views=entries,
            total=_usual_total(entries),
            waiting=[entry for entry in entries if entry.status.why_not_concurrently],
            passed_over=name_list(
                address.name for address in selection.addresses if address not in chosen.addresses
            ),
            errors=[self.explain(error) for error in (*errors, *further_errors)],
            shown=chosen.text,
            has_boxes=has_boxes,
        )

    def _refreshable(self, selection: Selection) -> tuple[list[Entry], list[OrmViewsError]]:
        """Return the selected views that the user can refresh, and the errors of silent databases.

        Each view comes after the views that it reads.
        """
        found: list[ViewStatus] = []
        errors: list[OrmViewsError] = []
        for alias, wanted in selection.by_database.items():
            database = self.read_statuses(alias, wanted, judged=False)
            if database.error is not None:
                errors.append(database.error)
            views = {
                view.name: view
                for view in database.views
                if view.name
                and view.can_refresh
                and self.may(Permission.REFRESH, ViewAddress(alias, view.name))
            }
            try:
                found += [views[name] for name in (refresh_order(alias, views) if len(views) > 1 else views)]
            except OrmViewsError as error:  # the database has gone away since
                errors.append(error)
        trends = read_trends([ViewAddress(view.database, view.name) for view in found if view.name])
        return [Entry.of(view, trends, shown=self.withhold) for view in found], errors


def _usual_total(entries: Sequence[Entry]) -> str:
    """Return the sum of the usual durations; "" if one of them is unknown."""
    known = [entry.seconds for entry in entries if entry.seconds is not None]
    return duration(sum(known)) if entries and len(known) == len(entries) else ""
