"""The last refreshes of views: sparklines, and how long a refresh usually takes."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_core.database.sync_state import SyncState
from orm_views_core.names import ViewName

from . import run_wording
from .charts import Mark, Point, Shape, draw_sparkline
from .wording import duration

#: The number of refreshes in a trend.
LAST = 10
#: Older refreshes are not read: they say little about the present duration.
_SINCE = dt.timedelta(days=90)


@dataclass(frozen=True)
class Trend:
    """The last finished refreshes of a view, the oldest first."""

    points: tuple[Point, ...]


def usual_seconds(trend: Trend | None, state: SyncState | None = None) -> float | None:
    """Return how many seconds a refresh of a view usually takes; None if that is unknown.

    It is the median of the successful refreshes in the view's trend. Without any, it is the duration of the
    last refresh according to the view's sync state, if that is given.
    """
    succeeded = [point.seconds for point in trend.points if point.mark is Mark.DONE] if trend else []
    if known := [seconds for seconds in succeeded if seconds is not None]:
        return statistics.median(known)
    return state.seconds if state else None


def read_trends(address: ViewAddress | None = None) -> dict[ViewAddress, Trend]:
    """Return the trends of all views that have one, or of one view, with one query."""
    runs = Run.objects.filter(kind=Run.Kind.REFRESH, queued_at__gte=timezone.now() - _SINCE).exclude(
        state__in=Run.ACTIVE
    )
    if address is not None:
        runs = runs.filter(about(address))
    rank = Window(
        RowNumber(),
        partition_by=[F("database"), F("schema"), F("name")],
        order_by=[F("queued_at").desc(), F("pk").desc()],
    )
    last = runs.annotate(rank=rank).filter(rank__lte=LAST).order_by("-rank")
    points: defaultdict[ViewAddress, list[Point]] = defaultdict(list)
    for run in last.values_list("database", "schema", "name", "seconds", "state", named=True):
        view = ViewAddress(run.database, ViewName(run.schema, run.name))
        points[view].append(run_wording.point(run.seconds, run.state))
    return {view: Trend(tuple(found)) for view, found in points.items()}


def about(address: ViewAddress) -> Q:
    """Return the condition for the runs of a view."""
    return Q(database=address.database, schema=address.name.schema, name=address.name.name)


def sparkline(trend: Trend) -> SafeString:
    """Return a trend as an SVG picture; "" if it has fewer than two refreshes."""
    if len(trend.points) < 2:
        return SafeString("")
    drawn = draw_sparkline(trend.points)
    return format_html(
        '<svg class="ov-spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<title>{2}</title><path class="ov-line-path" d="{3}"/>{4}</svg>',
        drawn.width,
        drawn.height,
        _describe(trend),
        drawn.line,
        marks(drawn.shapes),
    )


def marks(shapes: Iterable[Shape]) -> SafeString:
    """Return marks as SVG paths, each with its title if it has one."""
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


def _describe(trend: Trend) -> str:
    """Return the content of a sparkline in words."""
    known = [point.seconds for point in trend.points if point.seconds is not None]
    span = gettext("The last %(count)s refreshes took from %(least)s to %(most)s.") % {
        "count": len(trend.points),
        "least": duration(min(known, default=0.0)),
        "most": duration(max(known, default=0.0)),
    }
    return f"{span} {failures(trend.points)}".rstrip()


def failures(points: Iterable[Point]) -> str:
    """Return how many runs did not succeed, a sentence; "" if all did."""
    count = sum(not point.mark.is_good for point in points)
    words = ngettext("%(count)s did not succeed.", "%(count)s did not succeed.", count)
    return words % {"count": count} if count else ""
