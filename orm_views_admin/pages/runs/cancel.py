"""Cancelling a run, or several of those that one page follows."""

from __future__ import annotations

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin import runs
from orm_views_admin.models import Run
from orm_views_admin.pages.base import AdminView
from orm_views_admin.permissions import Permission
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.wording import number
from orm_views_core.exceptions import OrmViewsError

from .run import follow, uuids

#: Further runs that are cancelled too, and the requests whose page is to be shown again.
RUN, REQUEST = "run", "request"


class CancelView(AdminView):
    """POST cancels, and leads back to the page that follows the runs."""

    permission = Permission.CANCEL
    http_method_names = ["post"]  # noqa: RUF012 - as Django declares it

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        requests = uuids(request.POST.getlist(REQUEST)) or [run.request]
        others = [int(text) for text in request.POST.getlist(RUN) if text.isdecimal() and len(text) < 20]
        # The last first, so that none begins because the one before it has ended.
        chosen = Run.objects.filter(pk__in={pk, *others}, request__in=[run.request, *requests]).order_by(
            "-pk"
        )
        cancelled, refused = [], False
        for one in chosen:
            try:
                if runs.cancel(one, request.user):
                    cancelled.append(one)
            except (OrmViewsError, DatabaseError) as error:
                said = {"name": run_wording.title(one), "error": str(error).strip()}
                messages.error(request, _("%(name)s could not be cancelled: %(error)s") % said)
                refused = True
        if cancelled or not refused:
            self._say(cancelled)
        return HttpResponseRedirect(follow(self.site, requests))

    def _say(self, cancelled: list[Run]) -> None:
        if not cancelled:
            messages.warning(self.request, _("There was nothing left to cancel."))
        elif len(cancelled) == 1:
            said = {"name": run_wording.title(cancelled[0])}
            messages.success(self.request, _("%(name)s: it is being cancelled.") % said)
        else:
            words = ngettext(
                "%(count)s run is being cancelled.", "%(count)s runs are being cancelled.", len(cancelled)
            )
            messages.success(self.request, words % {"count": number(len(cancelled))})
