"""The page of the runs of a request, and their state as JSON."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run, ViewChange
from orm_views_admin.pages.base import AdminView, Link, Page
from orm_views_admin.permissions import Permission
from orm_views_admin.sites import url_in
from orm_views_admin.trends import usual_durations
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.wording import number, with_names

from .shown_runs import ShownRun, show_runs, standing_of

#: The parameter with further requests on the same page, for runs that were already under way.
AND = "and"


class RunPage(Page):
    """The runs of a request. The browser polls ``RunState``; without JavaScript, people reload the page."""

    template_name = "orm_views_admin/run.html"

    def get(self, request: HttpRequest, run_request: uuid.UUID) -> HttpResponse:
        requests = [run_request, *uuids(request.GET.getlist(AND))]
        found = read_runs(requests)
        active = [run for run in found if run.is_active]
        shown = show_runs(found, request.user, usual_durations(found), self._changes(found))
        may_cancel = self.may(Permission.CANCEL)
        return self.render(
            _title(found),
            parent=Link(_("History"), self.url("runs")),
            standing=standing_of(shown),
            several=len(found) > 1,
            runs=[
                {
                    "shown": each,
                    "url": self.url("detail", each.address) if each.address else "",
                    "cancel_url": self.url("cancel", pk=each.run.pk)
                    if may_cancel and each.run.is_active
                    else "",
                }
                for each in shown
            ],
            requests=requests,
            here=follow(self.site, requests),
            state_url=follow(self.site, requests, "run_state") if active else "",
            requested=run_wording.requested(found[0]),
            state_title=run_wording.state_title(found),
            active=active,
            cancel_all_url=self.url("cancel", pk=active[0].pk) if may_cancel and len(active) > 1 else "",
            next_links=self._next_links(shown),
        )

    def _changes(self, found: Sequence[Run]) -> dict[int, dict[str, str]]:
        """Return the addresses of the pages of what syncs have changed, by sync and by the view's name."""
        syncs = [run.pk for run in found if run.kind == Run.Kind.SYNC and not run.is_active]
        urls: defaultdict[int, dict[str, str]] = defaultdict(dict)
        facts = ("run_id", "pk", "database", "schema", "name")
        for change in ViewChange.objects.filter(run__in=syncs).only(*facts) if syncs else ():
            address = ViewAddress(change.database, change.view_name)
            urls[change.run_id or 0][str(address.name)] = self.url("change", address, pk=change.pk)
        return {**urls}

    def _next_links(self, shown: Sequence[ShownRun]) -> list[Link]:
        """Return the links to what people do next."""
        addresses = [run.address for run in shown if run.address]
        links = []
        if len(addresses) == 1:
            words = with_names(_("History of %(name)s"), name=addresses[0].name)
            links.append(Link(words, self.url_about("runs", *addresses)))
        if addresses and self.may(Permission.REFRESH):
            links.append(Link(_("Refresh again…"), self.url_about("refresh", *addresses)))
        if not addresses and self.may(Permission.SYNC):
            links.append(Link(_("Plan a sync…"), self.url("sync")))
        return links


class RunState(AdminView):
    """The state of the runs of a request, as JSON."""

    http_method_names = ["get"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, run_request: uuid.UUID) -> HttpResponse:
        found = read_runs([run_request, *uuids(request.GET.getlist(AND))])
        shown = show_runs(found, request.user)
        return JsonResponse(
            {
                "active": any(run.is_active for run in found),
                "standing": standing_of(shown),
                "title": run_wording.state_title(found),
                "runs": [each.as_json() for each in shown],
            }
        )


def follow(site: AdminSite, requests: Iterable[uuid.UUID], page: str = "run") -> str:
    """Return the URL of the page that shows the runs of some requests."""
    first, *others = dict.fromkeys(requests)
    query = urlencode([(AND, str(other)) for other in others])
    return url_in(site, page, run_request=first) + (f"?{query}" if query else "")


def read_runs(requests: Sequence[uuid.UUID]) -> list[Run]:
    """Return the runs of some requests, in the order of the requests.

    They are reconciled first: runs that no process works on any more get their final state.

    Raises:
        Http404: if there are no such runs.
    """
    found = list(Run.objects.filter(request__in=requests))
    if not found:
        raise Http404(_("There is no such run. Old ones are not kept for ever."))
    runs.reconcile(found)
    return sorted(found, key=lambda run: (requests.index(run.request), run.pk))


def uuids(texts: Iterable[str]) -> list[uuid.UUID]:
    """Read the ids of requests.

    Raises:
        Http404: if one of them is not a UUID.
    """
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError:
        raise Http404(_("There is no such run. Old ones are not kept for ever.")) from None


def _title(found: Sequence[Run]) -> str:
    if len(found) == 1:
        return run_wording.heading(found[0])
    words = {
        Run.Kind.REFRESH: _("Refresh of %(count)s views"),
        Run.Kind.SYNC: _("Sync of %(count)s databases"),
    }
    return words[Run.Kind(found[0].kind)] % {"count": number(len(found))}
