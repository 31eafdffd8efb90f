"""The history of refreshes and syncs, of all views or of some: a table, a chart and files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from orm_views_admin.datetimes import from_field
from orm_views_admin.exports.download import AT_ONCE, FORMATS, download, require_form
from orm_views_admin.exports.runs import COLUMNS, record
from orm_views_admin.filters.runs import facets, is_filtered, narrow
from orm_views_admin.models import Run
from orm_views_admin.pages.base import AdminView, Page
from orm_views_admin.pages.selection import Selection, about_views
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.tables.runs import RunTable
from orm_views_admin.ui import run_wording
from orm_views_admin.ui.charts import Chart, Point, draw_chart, path_of
from orm_views_admin.ui.querystrings import page_links, with_parameters
from orm_views_admin.ui.run_wording import LEGEND
from orm_views_admin.ui.sparklines import extremes, failures, marks
from orm_views_admin.ui.wording import duration, exact, number, round_duration, with_names

PER_PAGE = 50
#: The largest number of marks in a chart: more could not be told apart.
_IN_CHART = 100


class HistoryPage(Page):
    """All runs, the newest first."""

    template_name = "orm_views_admin/history.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        reconcile()
        selection = Selection.from_request(request.GET)
        found = narrow(request.GET, selection.addresses, request.user)
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        several = len({run.database for run in page.object_list}) > 1
        # Syncs that changed a view are among its runs.
        is_alike = selection.single and all(run.kind == Run.Kind.REFRESH for run in page.object_list)
        title = pgettext("of runs", "History")
        if selection.single:
            title = with_names(_("History of %(name)s"), name=selection.single.name)
        return self.render(
            title,
            parent=self.link_to(selection.single),
            table=RunTable(
                page.object_list,
                self.url,
                request.user,
                exclude=[*([] if several else ["database"]), *(["what"] if is_alike else [])],
            ),
            found=page.paginator.count,
            facets=facets(request.GET, selection.addresses, request.user),
            is_filtered=is_filtered(request.GET),
            clear_url=about_views(selection.addresses),
            pages=page_links(page, request.GET),
            page=page,
            chart=_chart(_to_draw(found, selection)),
            exports=[
                (form.upper(), self.url("runs_export", form=form) + with_parameters(request.GET))
                for form in FORMATS
            ],
        )


class HistoryExport(AdminView):
    """The runs of all pages of the history, as a file."""

    def get(self, request: HttpRequest, form: str) -> HttpResponseBase:
        require_form(form)
        found = narrow(request.GET, Selection.from_request(request.GET).addresses, request.user)
        name = f"runs-{from_field(timezone.now()):%Y-%m-%d}"
        records = (record(run, request.user) for run in found.iterator(AT_ONCE))
        return download(request, form, name, COLUMNS, records)


def _to_draw(found: QuerySet[Run], selection: Selection) -> QuerySet[Run]:
    """Return the runs of the chart. Of views these are refreshes: a sync takes its time for others, too."""
    return found.filter(kind=Run.Kind.REFRESH) if selection.addresses else found.exclude(kind=Run.Kind.EXPORT)


def _chart(found: QuerySet[Run]) -> dict[str, Any] | None:
    """Return the chart of the newest durations; None if there are fewer than two."""
    newest = list(found.filter(seconds__isnull=False)[:_IN_CHART])[::-1]
    if len(newest) < 2:
        return None
    points = [run_wording.point(run.seconds, run.state, _describe(run)) for run in newest]
    chart = draw_chart(points)
    occurring = {point.mark for point in points}
    subjects = {(run.kind, run.database, run.view_name) for run in newest}
    return {
        "drawn": chart,
        "is_trend": len(subjects) == 1,  # a line between the durations of different views would mean nothing
        "marks": marks(chart.shapes),
        "ticks": [(tick.y, round_duration(tick.seconds)) for tick in chart.ticks],
        "dates": _dates(chart, newest),
        "label": _label(points, is_logarithmic=chart.is_logarithmic),
        "legend": [
            (mark.value, path_of(mark, 8, 8, 4.5), word) for mark, word in LEGEND.items() if mark in occurring
        ],
    }


def _dates(chart: Chart, runs: Sequence[Run]) -> list[tuple[float, str, str]]:
    """Return what is written below the chart: where, a date, and the end of the text that is there.

    Within a day, they are times; within a week, dates with times.
    """
    span = runs[-1].queued_at - runs[0].queued_at
    form = "SHORT_DATETIME_FORMAT" if span < dt.timedelta(days=7) else "SHORT_DATE_FORMAT"
    if span < dt.timedelta(hours=20):
        form = "TIME_FORMAT"
    ends = ["start", *["middle"] * (len(chart.stops) - 2), "end"]
    dates = [
        (stop.x, exact(runs[stop.place].queued_at, form), end)
        for stop, end in zip(chart.stops, ends, strict=True)
    ]
    return [date for n, date in enumerate(dates) if n == 0 or date[1] != dates[n - 1][1]]


def _label(points: Sequence[Point], *, is_logarithmic: bool) -> str:
    count = ngettext(
        "The duration of the last run.", "The durations of the last %(count)s runs.", len(points)
    )
    span = _("They are between %(least)s and %(most)s.") % extremes(points)
    scale = _("The scale is logarithmic.") if is_logarithmic else ""
    return " ".join(filter(None, (count % {"count": number(len(points))}, span, failures(points), scale)))


def _describe(run: Run) -> str:
    facts = {
        "title": run_wording.title(run),
        "date": exact(run.queued_at, "SHORT_DATETIME_FORMAT"),
        "duration": duration(run.seconds),
        "state": run_wording.look_of_run(run.state).word,
    }
    return _("%(title)s, %(date)s: %(duration)s, %(state)s") % facts
