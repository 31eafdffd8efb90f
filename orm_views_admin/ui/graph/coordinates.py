"""The vertical coordinates of vertices in layers, so that edges are short and straight. Pure.

The order in the layers is kept. In each layer the vertices are put as near to their neighbours as the room
that they need allows: the sum of the squared distances is the least. That is an isotonic regression, which
pooling adjacent violators solves exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .layers import Layers

#: How often the layers are gone through from left to right and back.
_SWEEPS = 3
#: The weight of a dummy vertex, of another one, and of one without neighbours, which stays where it is. So
#: long edges are straight rather than short ones.
_STRAIGHT, _USUAL, _FREE = 4.0, 1.0, 0.1


def find_middles(layers: Layers, heights: Sequence[float], gap: float) -> list[float]:
    """Return the vertical coordinate of the middle of each vertex. The highest upper edge is at 0.

    Args:
        layers: the layers with their order.
        heights: the height of each vertex. Dummy vertices follow them and have no height.
        gap: the room between two vertices of a layer. Between two dummy vertices it is half of that.
    """
    middles = _Middles(layers, heights, gap)
    ranks = range(len(layers.order))
    for _ in range(_SWEEPS):
        middles.sweep(ranks, layers.before)
        middles.sweep(ranks[::-1], layers.after)
    both = [before + after for before, after in zip(layers.before, layers.after, strict=True)]
    for order in (ranks, ranks[::-1]):
        middles.sweep(order, both)
    for chain in layers.chains.values():
        middles.straighten(chain[1:-1])
    top = min((middle - height / 2 for middle, height in zip(middles.of, heights, strict=False)), default=0)
    return [middle - top for middle in middles.of]


class _Middles:
    """The middles of vertices, and how far apart they have to be.

    Attributes:
        of: the middle of each vertex.
        rooms: for each layer, how far below its first vertex each of its vertices has to be at least.
    """

    def __init__(self, layers: Layers, heights: Sequence[float], gap: float) -> None:
        self.layers = layers
        self.count = len(heights)
        self.of = [0.0] * len(layers.at)
        self.rooms = [self._rooms(layer, heights, gap) for layer in layers.order]
        for layer, offsets in zip(layers.order, self.rooms, strict=True):
            for vertex, offset in zip(layer, offsets, strict=True):
                self.of[vertex] = offset - offsets[-1] / 2

    def _rooms(self, layer: Sequence[int], heights: Sequence[float], gap: float) -> list[float]:
        offsets = [0.0]
        half = [heights[vertex] / 2 if vertex < self.count else 0 for vertex in layer]
        for above, below in pairwise(half):
            offsets.append(offsets[-1] + above + below + (gap if above or below else gap / 2))
        return offsets

    def sweep(self, ranks: Iterable[int], beside: Sequence[Sequence[int]]) -> None:
        """Move the vertices of each layer as near to their neighbours as they can be.

        Args:
            ranks: the layers, one after another.
            beside: the neighbours of each vertex that count.
        """
        of = self.of
        for rank in ranks:
            layer, offsets = self.layers.order[rank], self.rooms[rank]
            wanted, weights = [], []
            for vertex, offset in zip(layer, offsets, strict=True):
                if others := beside[vertex]:
                    wanted.append(sum([of[other] for other in others]) / len(others) - offset)
                    weights.append(_USUAL if vertex < self.count else _STRAIGHT)
                else:
                    wanted.append(of[vertex] - offset)
                    weights.append(_FREE)
            for vertex, offset, place in zip(layer, offsets, increasing(wanted, weights), strict=True):
                of[vertex] = offset + place

    def straighten(self, dummies: Sequence[int]) -> None:
        """Put the dummy vertices of an edge at one height, if there is room for that."""
        if len(dummies) < 2:
            return
        wanted = sum([self.of[vertex] for vertex in dummies]) / len(dummies)
        least = max(self._limit(vertex, -1) for vertex in dummies)
        most = min(self._limit(vertex, 1) for vertex in dummies)
        if least <= most:
            for vertex in dummies:
                self.of[vertex] = min(max(wanted, least), most)

    def _limit(self, vertex: int, step: int) -> float:
        """Return how far a vertex can be moved towards the one above it (step is -1) or below it (1)."""
        rank, position = self.layers.ranks[vertex], self.layers.at[vertex]
        layer, offsets = self.layers.order[rank], self.rooms[rank]
        if not 0 <= position + step < len(layer):
            return step * math.inf
        return self.of[layer[position + step]] - (offsets[position + step] - offsets[position])


def increasing(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return values none of which is less than the one before, as near to the wanted ones as they can be.

    Args:
        wanted: the wanted values.
        weights: how much each of them counts.
    """
    # Values that follow one another and become the same one: the value, its weight, and how many they are.
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        length = 1
        while pools and pools[-1][0] >= value:
            above, its_weight, its_length = pools.pop()
            value = (above * its_weight + value * weight) / (its_weight + weight)
            weight, length = its_weight + weight, its_length + length
        pools.append((value, weight, length))
    return [value for value, _, length in pools for _ in range(length)]
