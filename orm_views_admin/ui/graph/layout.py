"""Lays a graph out in layers from left to right. Pure.

Sugiyama, Tagawa and Toda, Methods for Visual Understanding of Hierarchical System Structures, IEEE
Transactions on Systems, Man, and Cybernetics 11(2), 1981.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from .circles import Edge, without_circles
from .coordinates import find_middles
from .layers import Layers
from .ordering import reduce_crossings
from .packing import pack
from .ranks import find_ranks

N = TypeVar("N", bound=Hashable)

#: The room between two boxes of a column, and between two columns.
GAP, ASIDE = 18, 48
#: The room between two columns grows by this part of the greatest height that an edge between them spans.
_SLOPE, _WIDEST_ASIDE = 0.1, 160


class Size(NamedTuple):
    """The size of a node."""

    width: float
    height: float


class Point(NamedTuple):
    """A point; y increases downwards."""

    x: float
    y: float


class Box(NamedTuple):
    """Where a node is; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route(Generic[N]):
    """How an edge is drawn.

    Attributes:
        points: where it leads through. By turns it slopes to the next point, as between two columns, and
            leads level to the next one, as through a column.
        is_backwards: whether the points lead from the target to the source, because the edge closes a circle.
    """

    source: N
    target: N
    points: tuple[Point, ...]
    is_backwards: bool = False


@dataclass(frozen=True)
class Layout(Generic[N]):
    """A graph that is laid out.

    Attributes:
        boxes: where each node is. The order is that of reading: from left to right, then from top to bottom.
        routes: how each edge is drawn.
    """

    boxes: Mapping[N, Box]
    routes: Sequence[Route[N]]
    width: float
    height: float


def lay_out(sizes: Mapping[N, Size], edges: Iterable[tuple[N, N]]) -> Layout[N]:
    """Lay a graph out.

    Args:
        sizes: the size of each node. In the layout it is as wide as the widest one of its column.
        edges: pairs of a source and a target. A target is to the right of its source, unless the edge closes
            a circle. Edges from a node to itself are left out.
    """
    wanted = list(dict.fromkeys((source, target) for source, target in edges if source != target))
    parts = [_lay_out_part(nodes, sizes, among) for nodes, among in _connected(list(sizes), wanted)]
    places = pack([(part.width, part.height) for part in parts])
    boxes: dict[N, Box] = {}
    routes: list[Route[N]] = []
    for part, (x, y) in zip(parts, places, strict=True):
        for node, box in part.boxes.items():
            boxes[node] = box._replace(x=box.x + x, y=box.y + y)
        for route in part.routes:
            points = tuple(Point(point.x + x, point.y + y) for point in route.points)
            routes.append(Route(route.source, route.target, points, route.is_backwards))
    return Layout(
        boxes,
        routes,
        max((box.x + box.width for box in boxes.values()), default=0),
        max((y + part.height for part, (_, y) in zip(parts, places, strict=True)), default=0),
    )


def _connected(nodes: Sequence[N], edges: Collection[tuple[N, N]]) -> list[tuple[list[N], list[tuple[N, N]]]]:
    """Return the parts of a graph that are connected, the largest first, each with its nodes and edges."""
    beside: dict[N, list[N]] = {node: [] for node in nodes}
    for source, target in edges:
        beside[source].append(target)
        beside[target].append(source)
    part_of: dict[N, int] = {}
    parts: list[tuple[list[N], list[tuple[N, N]]]] = []
    for start in nodes:
        if start in part_of:
            continue
        found, number = [start], len(parts)
        part_of[start] = number
        for node in found:
            new = [other for other in dict.fromkeys(beside[node]) if other not in part_of]
            part_of |= dict.fromkeys(new, number)
            found += new
        parts.append((found, []))
    for edge in edges:
        parts[part_of[edge[0]]][1].append(edge)
    return sorted(parts, key=lambda part: -len(part[0]))


def _lay_out_part(nodes: Sequence[N], sizes: Mapping[N, Size], edges: Sequence[tuple[N, N]]) -> Layout[N]:
    """Lay out a connected part of a graph."""
    numbers = {node: number for number, node in enumerate(nodes)}
    numbered = [(numbers[source], numbers[target]) for source, target in edges]
    forwards = without_circles(len(nodes), numbered)
    layers = Layers(find_ranks(len(nodes), forwards), forwards)
    reduce_crossings(layers)
    middles = find_middles(layers, [sizes[node].height for node in nodes], GAP)
    columns = _columns(layers, [sizes[node].width for node in nodes], middles)
    boxes = {}
    for (left, right), layer in zip(columns, layers.order, strict=True):
        for vertex in layer:
            if vertex < len(nodes):
                height = sizes[nodes[vertex]].height
                # Whole numbers: they are shorter, and level lines are sharp.
                top = round(middles[vertex] - height / 2)
                boxes[nodes[vertex]] = Box(left, top, right - left, height)
    routes = []
    for (source, target), edge in zip(edges, numbered, strict=True):
        is_backwards = edge not in layers.chains
        points = _points(layers, edge[::-1] if is_backwards else edge, middles, columns)
        routes.append(Route(source, target, points, is_backwards))
    bottoms = [box.y + box.height for box in boxes.values()]
    return Layout(boxes, routes, columns[-1][1], max(*bottoms, *map(round, middles)))


def _columns(layers: Layers, widths: Sequence[float], middles: Sequence[float]) -> list[tuple[float, float]]:
    """Return where each layer begins and ends. Steep edges get more room between two layers."""
    columns: list[tuple[float, float]] = []
    left = 0.0
    for layer in layers.order:
        width = max((widths[vertex] for vertex in layer if vertex < len(widths)), default=0)
        columns.append((left, left + width))
        spans = [abs(middles[vertex] - middles[other]) for vertex in layer for other in layers.after[vertex]]
        left += width + round(min(ASIDE + _SLOPE * max(spans, default=0), _WIDEST_ASIDE))
    return columns


def _points(
    layers: Layers, edge: Edge, middles: Sequence[float], columns: Sequence[tuple[float, float]]
) -> tuple[Point, ...]:
    """Return the points that an edge leads through; see :class:`Route`."""
    points = [
        Point(x, round(middles[vertex]))
        for vertex in layers.chains[edge]
        for x in columns[layers.ranks[vertex]]
    ]
    return tuple(points[1:-1])
