"""The last refreshes of views: what sparklines are drawn of, and how long a refresh usually takes."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_core.names import ViewName

from . import run_wording
from .charts import Mark, Point, Shape, draw_sparkline
from .wording import duration

LAST = 10
#: Older ones say nothing about today, and are not read.
_SINCE = dt.timedelta(days=90)


@dataclass(frozen=True)
class Trend:
    """The last refreshes of a view that have ended, the oldest first."""

    points: tuple[Point, ...]

    @property
    def usual_seconds(self) -> float | None:
        """The median of those that succeeded."""
        done = [p.seconds for p in self.points if p.mark is Mark.DONE and p.seconds is not None]
        return statistics.median(done) if done else None


def read_trends(address: ViewAddress | None = None) -> dict[ViewAddress, Trend]:
    """Return the trend of every view that has one, or of one view, in one query."""
    runs = Run.objects.filter(kind=Run.Kind.REFRESH, queued_at__gte=timezone.now() - _SINCE).exclude(
        state__in=Run.ACTIVE
    )
    if address is not None:
        runs = runs.filter(about(address))
    newest = Window(
        RowNumber(),
        partition_by=[F("database"), F("schema"), F("name")],
        order_by=[F("queued_at").desc(), F("pk").desc()],
    )
    last = (
        runs.annotate(position=newest)
        .filter(position__lte=LAST)
        .order_by("-position")
        .values_list("database", "schema", "name", "seconds", "state")
    )
    points: defaultdict[ViewAddress, list[Point]] = defaultdict(list)
    for database, schema, name, seconds, state in last:
        points[ViewAddress(database, ViewName(schema, name))].append(run_wording.point(seconds, state))
    return {address: Trend(tuple(found)) for address, found in points.items()}


def about(address: ViewAddress) -> Q:
    """Return the condition for the runs of a view."""
    return Q(database=address.database, schema=address.name.schema, name=address.name.name)


def sparkline(trend: Trend) -> SafeString:
    """Return a trend as SVG; "" where a single run shows none."""
    if len(trend.points) < 2:
        return SafeString("")
    drawn = draw_sparkline(trend.points)
    return format_html(
        '<svg class="ov-spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<title>{2}</title><path class="ov-line-path" d="{3}"/>{4}</svg>',
        drawn.width,
        drawn.height,
        _said(trend),
        drawn.line,
        marks(drawn.shapes),
    )


def marks(shapes: tuple[Shape, ...]) -> SafeString:
    """Return marks as SVG, each with its title where it has one."""
    return format_html_join(
        "",
        '<path class="ov-mark ov-mark-{}" d="{}">{}</path>',
        (
            (
                shape.mark.value,
                shape.path,
                format_html("<title>{}</title>", shape.title) if shape.title else "",
            )
            for shape in shapes
        ),
    )


def _said(trend: Trend) -> str:
    """Say in words what the picture shows."""
    known = [point.seconds for point in trend.points if point.seconds is not None]
    wrong = sum(point.mark not in {Mark.DONE, Mark.JOINED} for point in trend.points)
    said = gettext("The last %(count)s refreshes took from %(least)s to %(most)s.") % {
        "count": len(trend.points),
        "least": duration(min(known, default=0.0)),
        "most": duration(max(known, default=0.0)),
    }
    if not wrong:
        return said
    failed = ngettext("%(count)s did not succeed.", "%(count)s did not succeed.", wrong) % {"count": wrong}
    return f"{said} {failed}"
