"""The list of all views with their status, and the links to what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.filters.runs import ACTIVE
from orm_views_admin.filters.views import (
    ATTENTION,
    SEARCH,
    STATUS,
    facets,
    is_filtered,
    narrow,
    searched_names,
)
from orm_views_admin.models import Run
from orm_views_admin.pages.base import Link, Page, read_statuses
from orm_views_admin.permissions import Permission
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.tables.base import SORT
from orm_views_admin.tables.entries import Entry
from orm_views_admin.tables.views import DURATION, ViewTable
from orm_views_admin.trends import read_trends
from orm_views_admin.ui.querystrings import page_links, page_number, with_parameters
from orm_views_admin.ui.wording import look_of, number
from orm_views_core.engines.connections import view_databases
from orm_views_core.status import DatabaseStatus, count_states

from .search import search

PER_PAGE = 50


class ListPage(Page):
    """The views of all databases."""

    template_name = "orm_views_admin/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        databases = [read_statuses(alias) for alias in view_databases()]
        # Trends take long to read. Only an order by duration needs those of all views.
        trends = read_trends() if request.GET.get(SORT, "").lstrip("-") == DURATION else {}
        hits = search(databases, searched_names(request.GET))
        entries = [Entry.of(view, trends, hits.hanging) for each in databases for view in each.views]
        active = list(Run.objects.filter(state__in=Run.ACTIVE))
        reconcile(active)
        shown = narrow(entries, request.GET)
        table = self._table(shown, several=len({entry.status.database for entry in entries}) > 1)
        needy = sum(entry.state.needs_attention for entry in entries)
        return self.render(
            _("Views"),
            tools=self._tools(any(entry.status.can_refresh for entry in entries)),
            is_list=True,
            table=table,
            needy=needy,
            summary=_summary(len(entries), needy),
            active=_underway(sum(run.is_active for run in active)),
            active_url=f"{self.url('runs')}?state={ACTIVE}",
            states=self._state_links(databases),
            attention_url=with_parameters(request.GET, status=ATTENTION),
            broken=[
                *((each.database, self.explain(each.error)) for each in databases if each.error),
                *((alias, self.explain(error)) for alias, error in hits.errors.items()),
            ],
            sentences=hits.sentences,
            facets=facets(entries, request.GET),
            is_filtered=is_filtered(request.GET),
            total=len(entries),
            found=len(shown),
            search=request.GET.get(SEARCH, ""),
            kept_parameters=[
                (name, value) for name, value in request.GET.items() if name not in {SEARCH, "page"} and value
            ],
            pages=page_links(table.page, request.GET),
            sync_url=self.url("sync"),
            refresh_url=self.url("refresh"),
        )

    def _tools(self, can_refresh: bool) -> list[Link]:
        tools = []
        if self.may(Permission.SYNC):
            tools.append(Link(_("Sync…"), self.url("sync")))
        if can_refresh and self.may(Permission.REFRESH):
            tools.append(Link(_("Refresh all…"), self.url("refresh")))
        return [*tools, Link(_("Graph"), self.url("graph")), Link(_("History"), self.url("runs"))]

    def _table(self, entries: Sequence[Entry], *, several: bool) -> ViewTable:
        can_act = self.may(Permission.SYNC) or self.may(Permission.REFRESH)
        table = ViewTable(
            entries,
            self.url,
            self.request.user,
            request=self.request,
            order_by=self.request.GET.get(SORT) or "view",
            exclude=[*([] if several else ["database"]), *([] if can_act else ["select"])],
        )
        page = page_number(self.request.GET)
        table.paginate(page=1, per_page=PER_PAGE)
        if 1 < page <= table.paginator.num_pages:
            table.paginate(page=page, per_page=PER_PAGE)
        shown = [row.record for row in table.page.object_list]
        stored = [entry.address for entry in shown if entry.is_materialised]
        table.trends = read_trends([address for address in stored if address])
        return table

    def _state_links(self, databases: Sequence[DatabaseStatus]) -> list[dict[str, Any]]:
        """Return a link for each state that occurs; that of the chosen state removes the filter."""
        chosen = self.request.GET.get(STATUS.parameter, "")
        links = []
        for state, count in count_states(databases).items():
            value = state.name.lower()
            selected = chosen == value
            url = with_parameters(self.request.GET, status=None if selected else value)
            links.append({"look": look_of(state), "count": number(count), "url": url, "selected": selected})
        return links


def _underway(count: int) -> str:
    words = ngettext("%(count)s run is under way.", "%(count)s runs are under way.", count)
    return words % {"count": number(count)} if count else ""


def _summary(total: int, needy: int) -> str:
    if not total:
        return _("No views are registered yet.")
    if needy:
        words = ngettext(
            "%(needy)s of %(total)s views needs attention.",
            "%(needy)s of %(total)s views need attention.",
            needy,
        )
    else:
        words = ngettext(
            "The only view needs no attention.", "None of the %(total)s views needs attention.", total
        )
    return words % {"needy": number(needy), "total": number(total)}
