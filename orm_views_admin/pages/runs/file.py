"""The file of an export."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.exports.download import send_file
from orm_views_admin.files.formats import format_of
from orm_views_admin.files.kept import is_kept
from orm_views_admin.files.request import ExportRequest, ExportResult
from orm_views_admin.files.storage import export_storage
from orm_views_admin.models import RowAccess, Run
from orm_views_admin.pages.base import UNREADABLE, AdminView
from orm_views_admin.permissions import Permission, of_visible_views
from orm_views_admin.rights.personal import personal_columns
from orm_views_admin.runs.accesses import record
from orm_views_admin.ui.exports.words import file_name
from orm_views_core.sentences import says


class RunFile(AdminView):
    """Sends the file to the user who made it, and to superusers, if they may export the view now."""

    permission = Permission.EXPORT
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, run_request: uuid.UUID) -> HttpResponseBase:
        exports = Run.objects.filter(of_visible_views(request.user), kind=Run.Kind.EXPORT)
        run = get_object_or_404(exports, request=run_request)
        try:
            address = self._require_right(run)
            if not is_kept(run):
                raise Http404(_("There is no file, or it is no longer kept. Start the export again."))
            storage = export_storage()
            size = storage.size(run.file)
            if run.user_id != request.user.pk:
                self._record(run, address)
            file = storage.open(run.file)
        except FileNotFoundError as error:
            raise Http404(_("The file is not in the storage. Start the export again.")) from error
        except UNREADABLE as error:
            messages.error(request, self.explain(error, run.database))
            return HttpResponseRedirect(self.url("run", run_request=run.request))
        form = format_of(run)
        content_type = form.content_type if form else "application/octet-stream"
        return send_file(request, file, file_name(run), size, content_type)

    def _require_right(self, run: Run) -> ViewAddress:
        """Return the view of an export whose file the user may have.

        Raises:
            PermissionDenied: if the user may not.
        """
        address = ViewAddress.of(run)
        assert address is not None
        is_own = run.user_id == self.request.user.pk or self.request.user.is_superuser
        if not is_own or not self.may(Permission.EXPORT, address):
            raise PermissionDenied
        if not self.may(Permission.VIEW_PERSONAL, address) and _has_personal(run, address):
            raise PermissionDenied
        return address

    def _record(self, run: Run, address: ViewAddress) -> None:
        """Record that somebody else than who made the file gets it."""
        asked, result = ExportRequest.of(run), ExportResult.of(run)
        record(
            self.request.user,
            address,
            RowAccess.Kind.EXPORT,
            conditions=asked.conditions,
            about=says("%(words)s, the export of %(who)s", words=asked.words, who=run.who),
            rows=run.rows_after,
            with_personal=bool(result.personal),
            run=run,
        )


def _has_personal(run: Run, address: ViewAddress) -> bool:
    """Return whether a file may have personal data, also what has been marked since it was made."""
    result = ExportResult.of(run)
    return bool(result.personal) or not set(personal_columns(address)) <= set(result.masked)
