"""Cancels a run, or several runs of one page."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin import runs
from orm_views_admin.models import Run
from orm_views_admin.pages.base import UNREADABLE, AdminView
from orm_views_admin.permissions import Permission, of_visible_views
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.wording import number

from .run import can_be_cancelled, follow, may_cancel_run, uuids

#: The fields with the primary keys of further runs, and with the requests whose page is shown again.
RUN, REQUEST = "run", "request"


class CancelView(AdminView):
    """POST cancels, and redirects to the page of the runs."""

    #: Whoever has started an export may cancel it. Everything else needs the permission to cancel.
    permission = Permission.VIEW

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        seen = Run.objects.filter(of_visible_views(request.user))
        run = get_object_or_404(seen, pk=pk)
        if not may_cancel_run(request.user, run):
            raise PermissionDenied
        requests = uuids(request.POST.getlist(REQUEST)) or [run.request]
        others = [int(text) for text in request.POST.getlist(RUN) if text.isdecimal() and len(text) < 20]
        chosen = seen.filter(pk__in={pk, *others}, request__in=[run.request, *requests])
        cancelled, refused = [], False
        # The last run first: otherwise a queued run would start when the run before it is cancelled.
        for one in chosen.order_by("-pk"):
            if not may_cancel_run(request.user, one):
                refused = True
                messages.error(
                    request, _("%(name)s may not be cancelled by you.") % {"name": run_wording.title(one)}
                )
                continue
            if one.is_active and not can_be_cancelled(one):
                refused = True
                words = _("%(name)s has begun and cannot be cancelled. It ends by itself.")
                messages.error(request, words % {"name": run_wording.title(one)})
                continue
            try:
                if runs.cancel(one, request.user):
                    cancelled.append(one)
            except UNREADABLE as error:
                refused = True
                messages.error(
                    request,
                    _("%(name)s could not be cancelled: %(error)s")
                    % {"name": run_wording.title(one), "error": self.explain(error, one.database)},
                )
        if cancelled:
            messages.success(request, _describe(cancelled))
        elif not refused:
            messages.warning(request, _("There was nothing left to cancel."))
        return HttpResponseRedirect(follow(self.site, requests))


def _describe(cancelled: Sequence[Run]) -> str:
    if len(cancelled) == 1:
        return _("%(name)s: it is being cancelled.") % {"name": run_wording.title(cancelled[0])}
    words = ngettext(
        "%(count)s run is being cancelled.", "%(count)s runs are being cancelled.", len(cancelled)
    )
    return words % {"count": number(len(cancelled))}
