"""Counts how often edges cross, in the same way in our layouts and in those of graphviz.

An edge is the polyline of where it is in each column that it leads through. Between two columns, two edges
cross if they are in one order in the first column and in the other order in the second one.
"""

from __future__ import annotations

import bisect
import itertools
import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orm_views_admin.ui.graph.layout import Layout

from .samples import Graph

#: Places that are no further apart than this, of a point or a pixel, are the same.
_SAME = 0.01
#: A curve is looked at in so many points.
_STEPS = 32


class Counted(NamedTuple):
    """What there is in a layout.

    Attributes:
        crossings: how often edges cross.
        columns: between how many pairs of neighbouring columns the edges lead, all edges together.
    """

    crossings: int
    columns: int


def count_ours(layout: Layout[int]) -> Counted:
    """Count the crossings of a layout of ours."""
    between: defaultdict[float, list[tuple[float, float]]] = defaultdict(list)
    for route in layout.routes:
        for one, other in zip(route.points[::2], route.points[1::2], strict=True):
            between[round(one.x, 3)].append((one.y, other.y))
    return _count(between.values())


def lay_out_by_dot(graph: Graph, width: float = 2.2, height: float = 0.6) -> str:
    """Return graphviz's layout from left to right, as JSON. What it says about its work goes to stderr.

    Args:
        graph: the graph.
        width: the width of each node, in inches.
        height: the height of each node.
    """
    return _dot(graph, width, height).stdout


def crossings_that_dot_reports(graph: Graph) -> int:
    """Return how many crossings graphviz counts itself."""
    reported = re.findall(r"mincross \S+: (\d+) crossings", _dot(graph, 2.2, 0.6, "-v").stderr)
    return sum(map(int, reported[-1:]))


def _dot(graph: Graph, width: float, height: float, *options: str) -> subprocess.CompletedProcess[str]:
    count, edges = graph
    shape = f"shape=box, fixedsize=true, width={width}, height={height}"
    source = f"digraph {{ rankdir=LR; node [{shape}];"
    source += "".join(f"{node};" for node in range(count))
    source += "".join(f"{one}->{other};" for one, other in edges) + "}"
    return subprocess.run(
        ["dot", "-Tjson", *options], input=source, capture_output=True, text=True, check=True
    )


def count_dots(layout: str) -> Counted:
    """Count the crossings of a layout of graphviz's. Its columns are where the middles of nodes are."""
    drawn = json.loads(layout)
    middles = {node["_gvid"]: _point(node["pos"]) for node in drawn["objects"]}
    columns = sorted({round(x) for x, _ in middles.values()})
    between: defaultdict[float, list[tuple[float, float]]] = defaultdict(list)
    for edge in drawn["edges"]:
        (first, start), (last, end) = middles[edge["tail"]], middles[edge["head"]]
        curve = _flatten(edge["pos"])
        inner = columns[columns.index(round(first)) + 1 : columns.index(round(last))]
        heights = [start, *(_height_at(curve, x) for x in inner), end]
        for x, pair in zip([round(first), *inner], itertools.pairwise(heights), strict=True):
            between[x].append(pair)
    return _count(between.values())


def _point(text: str) -> tuple[float, float]:
    x, y = map(float, text.split(","))
    return x, y


def _flatten(spline: str) -> list[tuple[float, float]]:
    """Return points on a spline of graphviz's: maybe an end after "e,", a point, and three for each curve."""
    points = [_point(each) for each in spline.split() if not each.startswith("e,")]
    flat = []
    for number in range(0, len(points) - 3, 3):
        for step in range(_STEPS + 1):
            t = step / _STEPS
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
            curve = points[number : number + 4]
            x, y = (sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1))
            flat.append((x, y))
    return flat


def _height_at(curve: Sequence[tuple[float, float]], x: float) -> float:
    for (x1, y1), (x2, y2) in itertools.pairwise(curve):
        if x1 <= x <= x2:
            return y1 + (y2 - y1) * (x - x1) / ((x2 - x1) or 1)
    raise AssertionError(f"the edge does not get to {x}")


def _count(between: Iterable[Sequence[tuple[float, float]]]) -> Counted:
    """Count the pairs that are in another order on the right than on the left."""
    crossings = columns = 0
    for pairs in between:
        columns += len(pairs)
        ends: list[float] = []
        for _, several in itertools.groupby(sorted(pairs), key=lambda pair: round(pair[0] / _SAME)):
            own = [end for _, end in several]
            crossings += sum(len(ends) - bisect.bisect_right(ends, end + _SAME) for end in own)
            for end in own:
                bisect.insort(ends, end)
    return Counted(crossings, columns)
