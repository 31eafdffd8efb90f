"""The list of all views with their status, and the links to what can be done with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from orm_views_admin.addresses import ViewAddress
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
from orm_views_admin.pages.base import Link, Page
from orm_views_admin.pages.troubles import Troubles, read_troubles
from orm_views_admin.permissions import Permission, may_see_accesses, of_visible_views, visible
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.standings import STATES, AnyState
from orm_views_admin.tables.base import SORT
from orm_views_admin.tables.entries import Entry
from orm_views_admin.tables.views import DURATION, ViewTable
from orm_views_admin.trends import read_trends
from orm_views_admin.ui.querystrings import page_links, page_number, with_parameters
from orm_views_admin.ui.wording import counted, listed, look_of, number
from orm_views_core.conf import view_files
from orm_views_core.engines.connections import view_databases
from orm_views_core.status import ViewStatus

from .search import search

PER_PAGE = 50
#: What is wrong is on the first page, however many views there are.
WORST_FIRST = ("state", "view")


class ListPage(Page):
    """The views of all databases."""

    template_name = "orm_views_admin/list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        databases = [self.read_statuses(alias) for alias in view_databases()]
        # Trends take long to read. Only an order by duration needs those of all views.
        trends = read_trends() if request.GET.get(SORT, "").lstrip("-") == DURATION else {}
        hits = search(databases, searched_names(request.GET), request.user)
        visible_runs = Run.objects.without_exports().filter(of_visible_views(request.user))
        active = list(visible_runs.filter(state__in=Run.ACTIVE))
        reconcile(active)
        statuses = [view for each in databases for view in each.views]
        troubles = read_troubles(statuses, active, request.user)
        views = [
            Entry.of(view, trends, troubles.views, hits.hanging, partial(self.withhold, about=view.database))
            for view in statuses
        ]
        silent = [Entry.of_database(each.database, each.error) for each in databases if each.error]
        entries = [*silent, *views]
        shown = narrow(entries, request.GET)
        table = self._table(shown, several=len({entry.status.database for entry in entries}) > 1)
        needy = sum(entry.state.needs_attention for entry in views)
        refreshable = self._refreshable(statuses)
        return self.render(
            pgettext("in a database", "Views"),
            tools=self._tools(bool(refreshable)),
            is_list=True,
            table=table,
            needy=needy,
            summary=_summary(views),
            silent=[_does_not_answer(entry) for entry in silent],
            failed_syncs=self._failed_syncs(troubles),
            active=_underway(sum(run.is_active for run in active)),
            active_url=f"{self.url('runs')}?state={ACTIVE}",
            states=self._state_links(views),
            attention_url=with_parameters(request.GET, status=ATTENTION),
            broken=[(alias, self.explain(error, alias)) for alias, error in hits.errors.items()],
            sentences=hits.sentences,
            facets=facets(views, request.GET),
            is_filtered=is_filtered(request.GET),
            total=len(views),
            files=view_files(),
            found=sum(not entry.is_database for entry in shown),
            search=request.GET.get(SEARCH, ""),
            kept_parameters=[
                (name, value) for name, value in request.GET.items() if name not in {SEARCH, "page"} and value
            ],
            pages=page_links(table.page, request.GET),
            sync_url=self.url("sync"),
            refresh_url=self.url("refresh"),
            can_refresh=bool(refreshable),
            skipped=[
                view for each in databases for view in self.visible_skipped(each.database, each.skipped)
            ],
            stale=sum(status.is_stale for status in refreshable),
        )

    def _refreshable(self, statuses: Iterable[ViewStatus]) -> list[ViewStatus]:
        """Return those of some views that can be refreshed, and by the user."""
        found = {ViewAddress(each.database, each.name): each for each in statuses if each.name}
        names = [address for address, status in found.items() if status.can_refresh]
        return [found[address] for address in visible(self.request.user, names, Permission.REFRESH)]

    def _tools(self, can_refresh: bool) -> list[Link]:
        tools = []
        if self.may(Permission.SYNC):
            tools.append(Link(_("Sync…"), self.url("sync")))
        if can_refresh and self.may(Permission.REFRESH):
            tools.append(Link(_("Refresh all…"), self.url("refresh")))
        tools += [Link(_("Graph"), self.url("graph")), Link(pgettext("of runs", "History"), self.url("runs"))]
        if may_see_accesses(self.request.user):
            tools.append(Link(_("Who read rows"), self.url("accesses")))
        return tools

    def _table(self, entries: Sequence[Entry], *, several: bool) -> ViewTable:
        can_act = self.may(Permission.SYNC) or self.may(Permission.REFRESH)
        table = ViewTable(
            entries,
            self.url,
            self.request.user,
            request=self.request,
            order_by=self.request.GET.get(SORT) or WORST_FIRST,
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

    def _state_links(self, views: Sequence[Entry]) -> list[dict[str, Any]]:
        """Return a link for each state, the worst first; that of the chosen state removes the filter."""
        chosen = self.request.GET.get(STATUS.parameter, "")
        links = []
        for state, count in _counts(views):
            value = state.name.lower()
            selected = chosen == value
            url = with_parameters(self.request.GET, status=None if selected else value)
            links.append({"look": look_of(state), "count": number(count), "url": url, "selected": selected})
        return links

    def _failed_syncs(self, troubles: Troubles) -> list[dict[str, Any]]:
        """Return what is said of the databases whose last sync did not succeed, each with a link to it."""
        return [
            {
                "text": standing.reason.partition("\n")[0],
                "url": self.url("run", run_request=standing.request),
            }
            for alias in sorted(troubles.syncs)
            for standing in troubles.syncs[alias]
        ]


def _counts(entries: Iterable[Entry]) -> list[tuple[AnyState, int]]:
    """Return how many entries are in each state that occurs, the worst first."""
    counts = Counter(entry.state for entry in entries)
    return [(state, counts[state]) for state in STATES if counts[state]]


def _does_not_answer(entry: Entry) -> str:
    return _("Database “%(alias)s” cannot be read.") % {"alias": entry.status.database}


def _underway(count: int) -> str:
    words = ngettext("%(count)s run is under way.", "%(count)s runs are under way.", count)
    return words % {"count": number(count)} if count else ""


def _summary(views: Sequence[Entry]) -> str:
    """Return how many views there are in each state, the worst first."""
    if not views:
        return _("No views are registered yet.")
    needy = [entry for entry in views if entry.state.needs_attention]
    rest = [entry for entry in views if not entry.state.needs_attention]
    if needy:
        words = (
            _("The only view needs attention: %(states)s.")
            if len(views) == 1
            else ngettext(
                "%(needy)s view of %(total)s needs attention: %(states)s.",
                "%(needy)s of %(total)s views need attention: %(states)s.",
                len(needy),
            )
        )
    else:
        words = ngettext(
            "The only view needs no attention: %(states)s.",
            "None of the %(total)s views needs attention: %(states)s.",
            len(views),
        )
    counts = {"needy": number(len(needy)), "total": number(len(views)), "states": _listed(needy or rest)}
    others = _("The others: %(states)s.") % {"states": _listed(rest)} if needy and rest else ""
    return f"{words % counts} {others}".rstrip()


def _listed(entries: Iterable[Entry]) -> str:
    return listed(counted(count, look_of(state).word) for state, count in _counts(entries))
