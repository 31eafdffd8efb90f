"""Durations of refreshes as small SVG pictures, and their description in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from orm_views_admin.trends import Trend

from . import run_wording
from .charts import Point, Shape, draw_sparkline
from .wording import duration, number


def sparkline(trend: Trend) -> SafeString:
    """Return a trend as an SVG picture; "" if it has fewer than two refreshes."""
    if len(trend) < 2:
        return SafeString("")
    points = [run_wording.point(refresh.seconds, refresh.state) for refresh in trend]
    drawn = draw_sparkline(points)
    return format_html(
        '<svg class="ov-spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<title>{2}</title><path class="ov-line-path" d="{3}"/>{4}</svg>',
        drawn.width,
        drawn.height,
        _describe(points),
        drawn.line,
        marks(drawn.shapes),
    )


def marks(shapes: Iterable[Shape]) -> SafeString:
    """Return marks as SVG paths with their titles."""
    return format_html_join(
        "",
        '<path class="ov-mark ov-mark-{}" d="{}"><title>{}</title></path>',
        ((shape.mark.value, shape.path, shape.title) for shape in shapes),
    )


def _describe(points: list[Point]) -> str:
    span = extremes(points)
    words = (
        gettext("The last %(count)s refreshes took from %(least)s to %(most)s.")
        if span
        else gettext("The durations of the last refreshes are unknown.")
    )
    return f"{words % {'count': number(len(points)), **span}} {failures(points)}".rstrip()


def extremes(points: Iterable[Point]) -> dict[str, str]:
    """Return the shortest and the longest duration, ``least`` and ``most``, in words.

    It is empty when no duration is known, as of runs that were skipped.
    """
    known = [point.seconds for point in points if point.seconds is not None]
    return {"least": duration(min(known)), "most": duration(max(known))} if known else {}


def failures(points: Iterable[Point]) -> str:
    """Return how many runs did not succeed, a sentence; "" if all did."""
    count = sum(not point.mark.is_good for point in points)
    words = ngettext("%(count)s did not succeed.", "%(count)s did not succeed.", count)
    return words % {"count": number(count)} if count else ""
