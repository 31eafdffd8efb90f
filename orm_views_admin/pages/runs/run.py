"""The page of the runs of a request, and their state as JSON."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from orm_views_admin import runs
from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run, ViewChange
from orm_views_admin.pages.base import AdminView, Link, Page
from orm_views_admin.permissions import Permission, may, of_visible_views, visible
from orm_views_admin.sites import url_in
from orm_views_admin.trends import usual_durations
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.wording import number, with_names
from orm_views_core.spelling import spelling_on

from .shown_runs import ShownRun, show_runs, standing_of

#: The parameter with further requests on the same page, for runs that were already under way.
AND = "and"


class RunPage(Page):
    """The runs of a request. The browser polls ``RunState``; without JavaScript, people reload the page."""

    template_name = "orm_views_admin/run.html"

    def get(self, request: HttpRequest, run_request: uuid.UUID) -> HttpResponse:
        requests = [run_request, *uuids(request.GET.getlist(AND))]
        found = read_runs(requests, request.user)
        active = [run for run in found if run.is_active]
        shown = show_runs(found, request.user, usual_durations(found), self._changes(found))
        may_cancel = {run.pk for run in active if can_be_cancelled(run) and may_cancel_run(request.user, run)}
        return self.render(
            _title(found),
            parent=Link(pgettext("of runs", "History"), self.url("runs")),
            standing=standing_of(shown),
            several=len(found) > 1,
            runs=[
                {
                    "shown": each,
                    "url": self.url("detail", each.address) if each.address else "",
                    "file_url": self.url("run_file", run_request=each.run.request) if each.export else "",
                    "cancel_url": self.url("cancel", pk=each.run.pk) if each.run.pk in may_cancel else "",
                }
                for each in shown
            ],
            requests=requests,
            here=follow(self.site, requests),
            state_url=follow(self.site, requests, "run_state") if active else "",
            requested=run_wording.requested(found[0]),
            state_title=run_wording.state_title(found),
            active=active,
            cancellable=sorted(may_cancel),
            cancel_all_url=self.url("cancel", pk=min(may_cancel)) if len(may_cancel) > 1 else "",
            next_links=self._next_links(shown),
        )

    def _changes(self, found: Sequence[Run]) -> dict[int, dict[str, str]]:
        """Return the addresses of the pages of what syncs have changed, by sync and by the view's name."""
        syncs = [run.pk for run in found if run.kind == Run.Kind.SYNC and not run.is_active]
        urls: defaultdict[int, dict[str, str]] = defaultdict(dict)
        facts = ("run_id", "pk", "database", "schema", "name")
        for change in ViewChange.objects.filter(run__in=syncs).only(*facts) if syncs else ():
            address = ViewAddress(change.database, change.view_name)
            if not self.may(Permission.VIEW, address):
                continue
            urls[change.run_id or 0][str(address.name)] = self.url("change", address, pk=change.pk)
        return {**urls}

    def _next_links(self, shown: Sequence[ShownRun]) -> list[Link]:
        """Return the links to what people do next."""
        addresses = [run.address for run in shown if run.address]
        links = []
        if len(addresses) == 1:
            words = with_names(_("History of %(name)s"), name=addresses[0].name)
            links.append(Link(words, self.url_about("runs", *addresses)))
        exports = {run.address: run.run for run in shown if run.export}
        if len(exports) == len(shown) == 1 and shown[0].export["asked"]:
            query = exports[addresses[0]].options.get("query", "")
            preview = self.url("preview", addresses[0]) + (f"?{query}" if query else "")
            links.append(Link(_("These rows on a page"), preview))
        again = [address for address in addresses if address not in exports]
        if again := visible(self.request.user, again, Permission.REFRESH):
            links.append(Link(_("Refresh again…"), self.url_about("refresh", *again)))
        if not addresses and self.may(Permission.SYNC):
            links.append(Link(_("Plan a sync…"), self.url("sync")))
        return links


class RunState(AdminView):
    """The state of the runs of a request, as JSON."""

    http_method_names = ["get"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, run_request: uuid.UUID) -> HttpResponse:
        found = read_runs([run_request, *uuids(request.GET.getlist(AND))], request.user)
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


def may_cancel_run(user: Any, run: Run) -> bool:
    """Return whether a user may cancel a run: an own export, or one of a view or a whole database."""
    if run.kind == Run.Kind.EXPORT and run.user_id == user.pk:
        return True
    return may(user, Permission.CANCEL, ViewAddress.of(run))


def can_be_cancelled(run: Run) -> bool:
    """Return whether a run waits in the queue, or its database can be told to stop its work."""
    return run.state == Run.State.QUEUED or spelling_on(run.database).abilities.staging


def read_runs(requests: Sequence[uuid.UUID], user: Any) -> list[Run]:
    """Return the runs of some requests, in the order of the requests; without those of unseen views.

    They are reconciled first: runs that no process works on any more get their final state.

    Raises:
        Http404: if there are no such runs.
    """
    found = list(Run.objects.filter(of_visible_views(user), request__in=requests))
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
    count = len(found)
    words = {
        Run.Kind.REFRESH: ngettext("Refresh of %(count)s view", "Refresh of %(count)s views", count),
        Run.Kind.SYNC: ngettext("Sync of %(count)s database", "Sync of %(count)s databases", count),
        Run.Kind.EXPORT: ngettext("%(count)s export", "%(count)s exports", count),
    }
    return words[Run.Kind(found[0].kind)] % {"count": number(count)}
