"""The history: every refresh and sync, of all views or of some; with a picture, and as a file."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import from_field
from orm_views_admin.exports.download import AT_ONCE, FORMATS, download
from orm_views_admin.exports.runs import COLUMNS, record
from orm_views_admin.filters.runs import facets, is_filtered, narrow
from orm_views_admin.models import Run
from orm_views_admin.pages.base import AdminView, Page
from orm_views_admin.pages.selection import Selection, about_views
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.sites import url_in
from orm_views_admin.tables.runs import RunTable
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.charts import draw_chart, path_of
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.run_wording import LEGEND
from orm_views_admin.ui.trends import marks
from orm_views_admin.ui.wording import duration, exact, number

PER_PAGE = 50
#: How many marks a chart has at most: more than these cannot be told apart.
_IN_CHART = 100


class HistoryPage(Page):
    """All runs, the newest first."""

    template_name = "orm_views_admin/history.html"
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest) -> HttpResponse:
        reconcile()
        found, addresses = _find(request)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        title, parent = _("History"), None
        if len(addresses) == 1:
            (address,) = addresses
            title = _("History of %(name)s") % {"name": address.name}
            parent = str(address.name), self.url("detail", address)
        carried = with_parameters(request.GET, page=None)
        several = len({run.database for run in page.object_list}) > 1
        return self.render(
            title,
            parent=parent,
            table=RunTable(
                page.object_list, self.site, exclude=_hidden_columns(several, is_one=len(addresses) == 1)
            ),
            found=page.paginator.count,
            facets=facets(request.GET, addresses),
            is_filtered=is_filtered(request.GET),
            clear_url=about_views(addresses),
            pages=[
                (n, with_parameters(request.GET, page=str(n)) if isinstance(n, int) else "")
                for n in page.paginator.get_elided_page_range(page.number)
            ],
            page=page,
            chart=_chart(found),
            exports=[
                (form.label, url_in(self.site, "runs_export", form=name) + carried)
                for name, form in FORMATS.items()
            ],
        )


class HistoryExport(AdminView):
    """The runs that the page lists, all of its pages, as a file."""

    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if form not in FORMATS:
            raise Http404(
                _("There is no form “%(form)s”. There are: %(forms)s.")
                % {"form": form, "forms": ", ".join(FORMATS)}
            )
        found, _addresses = _find(request)
        name = f"runs-{from_field(timezone.now()):%Y-%m-%d}"
        return download(request, form, name, COLUMNS, map(record, found.iterator(AT_ONCE)))


def _find(request: HttpRequest) -> tuple[QuerySet[Run], tuple[ViewAddress, ...]]:
    """Return the runs that a request names, the newest first, and the views, if it names some."""
    addresses = Selection.from_request(request.GET).addresses
    return narrow(request.GET, addresses).order_by("-queued_at", "-pk"), addresses


def _hidden_columns(several: bool, is_one: bool) -> list[str]:
    return [*([] if several else ["database"]), *(["what"] if is_one else [])]


def _chart(found: QuerySet[Run]) -> dict[str, Any] | None:
    """Return the durations of the newest runs as a picture, if there are two."""
    newest = list(found.filter(seconds__isnull=False)[:_IN_CHART])[::-1]
    if len(newest) < 2:
        return None
    points = [run_wording.point(run.seconds, run.state, _said(run)) for run in newest]
    chart = draw_chart(points)
    occurring = {point.mark for point in points}
    subjects = {(run.kind, run.database, run.view_name) for run in newest}
    return {
        "drawn": chart,
        "is_trend": len(subjects) == 1,  # no line leads from the duration of one view to that of another
        "marks": marks(chart.shapes),
        "ticks": [(tick.y, duration(tick.seconds) if tick.seconds else "0") for tick in chart.ticks],
        "label": _label(newest),
        "first": (from_field(newest[0].queued_at).isoformat(timespec="seconds"), _date(newest[0])),
        "last": (from_field(newest[-1].queued_at).isoformat(timespec="seconds"), _date(newest[-1])),
        "legend": [
            (mark.value, path_of(mark, 8, 8, 4.5), word) for mark, word in LEGEND.items() if mark in occurring
        ],
    }


def _label(newest: list[Run]) -> str:
    seconds = [run.seconds for run in newest if run.seconds is not None]
    wrong = sum(run.state not in {Run.State.SUCCEEDED, Run.State.JOINED} for run in newest)
    said = ngettext(
        "The duration of the last run.", "The durations of the last %(count)s runs.", len(newest)
    ) % {"count": number(len(newest))}
    span = _("They are between %(least)s and %(most)s.") % {
        "least": duration(min(seconds)),
        "most": duration(max(seconds)),
    }
    failed = ngettext("%(count)s did not succeed.", "%(count)s did not succeed.", wrong) % {"count": wrong}
    return " ".join([said, span, *([failed] if wrong else [])])


def _date(run: Run) -> str:
    return exact(run.queued_at, "SHORT_DATETIME_FORMAT")


def _said(run: Run) -> str:
    word = run_wording.look_of_run(run.state).word
    return f"{run_wording.title(run)}, {_date(run)}: {duration(run.seconds)}, {word}"
