"""The list of all views: how they stand, and what can be done about it."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.filters.runs import ACTIVE
from orm_views_admin.filters.views import ATTENTION, SEARCH, active_parameters, facets, narrow
from orm_views_admin.models import Run
from orm_views_admin.pages.base import Page, read_statuses
from orm_views_admin.permissions import Permission, may
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.tables.base import SORT, ViewTable
from orm_views_admin.tables.entries import Entry
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.trends import read_trends
from orm_views_admin.ui.wording import look_of, number
from orm_views_core.engines.connections import view_databases
from orm_views_core.engines.postgresql.rows import estimate_rows
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import DatabaseStatus, count_states

PER_PAGE = 50


class ListPage(Page):
    """All views of all databases."""

    template_name = "orm_views_admin/list.html"
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest) -> HttpResponse:
        databases = [read_statuses(alias) for alias in view_databases()]
        trends = read_trends()
        entries = [
            Entry(view, trends.get(ViewAddress(view.database, view.name)) if view.name else None)
            for database in databases
            for view in database.views
        ]
        active = list(Run.objects.filter(state__in=Run.ACTIVE))
        reconcile(active)
        shown = narrow(entries, request.GET)
        table = self._table(shown, several=len({entry.database for entry in entries}) > 1)
        return self.render(
            _("Views"),
            tools=self._tools(any(entry.status.can_refresh for entry in entries)),
            is_list=True,
            table=table,
            needy=any(entry.state.needs_attention for entry in entries),
            summary=_summary(databases),
            active=_underway(sum(run.is_active for run in active)),
            active_url=f"{self.url('runs')}?state={ACTIVE}",
            states=self._state_links(databases),
            attention_url=with_parameters(request.GET, status=ATTENTION, page=None),
            broken=[database for database in databases if database.error],
            facets=facets(entries, request.GET),
            is_filtered=active_parameters(request.GET),
            total=len(entries),
            found=len(shown),
            search=request.GET.get(SEARCH, ""),
            kept_parameters=[
                (name, value) for name, value in request.GET.items() if name not in {SEARCH, "page"} and value
            ],
            pages=[
                (n, with_parameters(request.GET, page=str(n)) if isinstance(n, int) else "")
                for n in table.paginator.get_elided_page_range(table.page.number)
            ],
            sync_url=self.url("sync"),
            refresh_url=self.url("refresh"),
        )

    def _tools(self, can_refresh: bool) -> list[tuple[str, str]]:
        tools = []
        if may(self.request.user, Permission.SYNC):
            tools.append((_("Sync…"), self.url("sync")))
        if can_refresh and may(self.request.user, Permission.REFRESH):
            tools.append((_("Refresh all…"), self.url("refresh")))
        tools.append((_("History"), self.url("runs")))
        return tools

    def _table(self, entries: list[Entry], *, several: bool) -> ViewTable:
        table = ViewTable(
            entries,
            self.url,
            request=self.request,
            order_by=self.request.GET.get(SORT) or "view",
            exclude=self._hidden_columns(several),
        )
        page = self.request.GET.get("page", "")
        table.paginate(page=1, per_page=PER_PAGE)
        if page.isdecimal() and 1 < int(page[:9]) <= table.paginator.num_pages:
            table.paginate(page=int(page), per_page=PER_PAGE)
        table.estimates = _estimates([row.record for row in table.page.object_list])
        return table

    def _hidden_columns(self, several: bool) -> list[str]:
        can_act = may(self.request.user, Permission.SYNC) or may(self.request.user, Permission.REFRESH)
        return [*([] if several else ["database"]), *([] if can_act else ["select"])]

    def _state_links(self, databases: list[DatabaseStatus]) -> list[dict[str, Any]]:
        """Return a link for each status that occurs; that of the chosen one takes the choice back."""
        chosen = self.request.GET.get("status", "")
        links = []
        for state, count in count_states(databases).items():
            parameter = state.name.lower()
            selected = chosen == parameter
            url = with_parameters(self.request.GET, status=None if selected else parameter, page=None)
            links.append({"look": look_of(state), "count": number(count), "url": url, "selected": selected})
        return links


def _estimates(entries: list[Entry]) -> dict[ViewAddress, int]:
    """Ask each database once for the estimates of its entries; without them nothing else is lost."""
    names: defaultdict[str, list[ViewName]] = defaultdict(list)
    for entry in entries:
        if entry.address is not None and entry.can_be_counted:
            names[entry.database].append(entry.address.name)
    estimates: dict[ViewAddress, int] = {}
    for alias, wanted in names.items():
        with suppress(OrmViewsError, DatabaseError):
            estimates |= {
                ViewAddress(alias, name): rows for name, rows in estimate_rows(alias, wanted).items()
            }
    return estimates


def _underway(count: int) -> str:
    if not count:
        return ""
    return ngettext("%(count)s run is under way.", "%(count)s runs are under way.", count) % {
        "count": number(count)
    }


def _summary(databases: list[DatabaseStatus]) -> str:
    states = [view.state for database in databases for view in database.views]
    needy = sum(state.needs_attention for state in states)
    if not states:
        return _("No views are registered yet.")
    if not needy:
        return ngettext(
            "The one view is as its class says.", "All %(total)s views are as they should be.", len(states)
        ) % {"total": number(len(states))}
    return ngettext(
        "%(needy)s of %(total)s views needs attention.", "%(needy)s of %(total)s views need attention.", needy
    ) % {"needy": number(needy), "total": number(len(states))}
