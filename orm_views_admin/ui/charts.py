"""Charts of durations: functions from numbers to SVG paths.

The shape of a mark shows the result as well as its colour does, so that a chart can be read without seeing
colours (WCAG 2.2, 1.4.1 Use of Color).
"""

from __future__ import annotations

import bisect
import enum
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Mark(enum.Enum):
    """The mark of a run in a chart; the value is the last part of its CSS class.

    DONE is a disc, JOINED a ring, FAILED a cross, STOPPED a square, OPEN a dash.
    """

    DONE = "done"
    JOINED = "joined"
    FAILED = "failed"
    STOPPED = "stopped"
    OPEN = "open"

    @property
    def is_good(self) -> bool:
        """Whether the run has succeeded, by itself or coalesced with another one."""
        return self in {Mark.DONE, Mark.JOINED}


@dataclass(frozen=True)
class Point:
    """A run in a chart.

    Attributes:
        seconds: its duration; None if it is unknown.
        title: a text that is shown at its mark.
    """

    seconds: float | None
    mark: Mark
    title: str = ""


@dataclass(frozen=True)
class Shape:
    """A mark as an SVG path."""

    mark: Mark
    path: str
    title: str = ""


@dataclass(frozen=True)
class Tick:
    """A horizontal line of the chart at a number of seconds."""

    seconds: float
    y: float


class Stop(NamedTuple):
    """A mark below which its date is written: its place among the marks, and its x coordinate."""

    place: int
    x: float


@dataclass(frozen=True)
class Chart:
    """Durations in the order of time.

    Attributes:
        width: the width of the grid of all paths.
        height: the height of that grid; dates are below it.
        left: where the marks begin; the numbers of the ticks are left of it.
        line: the path through the successful runs.
        is_logarithmic: whether the scale is logarithmic.
    """

    width: int
    height: int
    line: str
    shapes: tuple[Shape, ...]
    left: int = 0
    ticks: tuple[Tick, ...] = ()
    is_logarithmic: bool = False
    stops: tuple[Stop, ...] = ()


#: Distances between ticks in seconds: round numbers of milliseconds, seconds, minutes and hours.
_STEPS = (
    *(n * 10**e for e in (-3, -2, -1) for n in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30),
    *(60 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600 * n for n in (1, 2, 3, 6, 12, 24, 48, 96)),
)
_DECADES = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000)
#: The scale is logarithmic if the longest duration is more than this many times the shortest.
_TOO_FAR_APART = 100
_SHORTEST = 0.001
_MOST_TICKS = 4
_MOST_STOPS = 4


def draw_chart(points: Sequence[Point], width: int = 720, height: int = 180, left: int = 72) -> Chart:
    """Return the chart of some runs, the oldest first."""
    top, bottom, edge = 10, height - 10, 12
    known = [max(point.seconds, _SHORTEST) for point in points if point.seconds is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    is_logarithmic = bool(known) and high / low > _TOO_FAR_APART
    marks = _decades(low, high) if is_logarithmic else _even(high)
    y_of = _scale(marks[0], marks[-1], top, bottom, _log if is_logarithmic else float)
    at = _places(points, left + edge, width - edge, bottom, y_of)
    ticks = tuple(Tick(seconds, round(y_of(seconds), 1)) for seconds in marks)
    shapes = tuple(_shapes(at, points, size=4.5))
    line = _line(at, points)
    return Chart(width, height, line, shapes, left, ticks, is_logarithmic, tuple(_stops(at)))


def draw_sparkline(points: Sequence[Point], width: int = 64, height: int = 18) -> Chart:
    """Return a chart as small as a word, without ticks, of some runs, the oldest first.

    Only the last run and unsuccessful ones have marks.
    """
    known = [point.seconds for point in points if point.seconds is not None]
    high = max(known, default=0) or 1
    at = _places(points, 4, width - 4, height - 4, _scale(0, high, 4, height - 4, float))
    shapes = [
        shape
        for i, shape in enumerate(_shapes(at, points, size=2.5), 1)
        if i == len(points) or not shape.mark.is_good
    ]
    return Chart(width, height, _line(at, points), tuple(shapes))


def _places(
    points: Sequence[Point], left: float, right: float, bottom: float, y_of: Callable[[float], float]
) -> list[tuple[float, float]]:
    """Return the coordinates of points at equal horizontal distances, the last one at the right end."""
    step = (right - left) / max(1, len(points) - 1)
    return [
        (right - step * rank, bottom if point.seconds is None else y_of(point.seconds))
        for rank, point in zip(reversed(range(len(points))), points, strict=True)
    ]


def _stops(at: Sequence[tuple[float, float]]) -> Iterator[Stop]:
    """Yield the first mark, the last one, and some at about equal distances between them."""
    count = min(len(at), _MOST_STOPS)
    for n in range(count):
        index = round(n * (len(at) - 1) / max(1, count - 1))
        yield Stop(index, round(at[index][0], 1))


def _log(seconds: float) -> float:
    return math.log10(max(seconds, _SHORTEST))


def _scale(
    low: float, high: float, top: float, bottom: float, measure: Callable[[float], float]
) -> Callable[[float], float]:
    """Return the function from a duration to its y coordinate."""
    low, height = measure(low), measure(high) - measure(low)
    return lambda value: bottom - (bottom - top) * (measure(value) - low) / height


def _even(high: float) -> list[float]:
    """Return evenly spaced ticks from 0 to at least the longest duration."""
    step = next((s for s in _STEPS if s * _MOST_TICKS >= high), math.ceil(high / _MOST_TICKS))
    return [round(step * i, 3) for i in range(max(1, math.ceil(high / step)) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return ticks of a logarithmic scale that enclose the shortest and the longest duration."""
    first = max(0, bisect.bisect_right(_DECADES, low) - 1)
    last = min(len(_DECADES) - 1, bisect.bisect_left(_DECADES, high))
    return [*_DECADES[first : last + 1]]


def _line(at: Iterable[tuple[float, float]], points: Iterable[Point]) -> str:
    done = [
        place
        for place, point in zip(at, points, strict=True)
        if point.seconds is not None and point.mark is Mark.DONE
    ]
    if len(done) < 2:
        return ""
    return "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(done))


def _shapes(at: Iterable[tuple[float, float]], points: Iterable[Point], size: float) -> list[Shape]:
    return [
        Shape(point.mark, path_of(point.mark, x, y, size), point.title)
        for (x, y), point in zip(at, points, strict=True)
    ]


def path_of(mark: Mark, x: float, y: float, r: float) -> str:
    """Return the path of a mark; r is the distance from its centre to its edge."""
    if mark.is_good:
        half = f"a{r:.1f} {r:.1f} 0 1 1"
        return f"M{x - r:.1f} {y:.1f}{half} {2 * r:.1f} 0{half} {-2 * r:.1f} 0z"
    if mark is Mark.FAILED:
        return f"M{x - r:.1f} {y - r:.1f}l{2 * r:.1f} {2 * r:.1f}m0 {-2 * r:.1f}l{-2 * r:.1f} {2 * r:.1f}"
    if mark is Mark.STOPPED:
        return f"M{x - r:.1f} {y - r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z"
    return f"M{x - r:.1f} {y:.1f}h{2 * r:.1f}"
