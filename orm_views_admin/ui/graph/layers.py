"""Layers of vertices, in which an edge leads to the next layer only. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import pairwise

from .circles import Edge


class Layers:
    """The vertices of each layer, from top to bottom.

    An edge that spans several layers goes through a dummy vertex in each layer between.

    Args:
        ranks: the layer of each vertex.
        edges: the edges, from lower to higher ranks.

    Attributes:
        before: for each vertex, its neighbours in the layer to the left; dummy vertices follow the others.
        after: for each vertex, its neighbours in the layer to the right.
        chains: for each edge, its vertices from left to right.
        order: for each layer, its vertices from top to bottom.
        at: for each vertex, its position in its layer.
    """

    def __init__(self, ranks: Sequence[int], edges: Sequence[Edge]) -> None:
        self.before: list[list[int]] = [[] for _ in ranks]
        self.after: list[list[int]] = [[] for _ in ranks]
        self.ranks = list(ranks)
        self.chains = {edge: self._connect(*edge) for edge in edges}
        self.at = [0] * len(self.ranks)
        self.order: list[list[int]] = [[] for _ in range(max(self.ranks, default=-1) + 1)]
        self._begin()

    def _connect(self, source: int, target: int) -> list[int]:
        """Connect two vertices by a chain of dummy vertices; return the chain."""
        between = range(self.ranks[source] + 1, self.ranks[target])
        first = len(self.ranks)
        chain = [source, *range(first, first + len(between)), target]
        self.ranks += between
        self.before += [[] for _ in between]
        self.after += [[] for _ in between]
        for one, next_one in pairwise(chain):
            self.after[one].append(next_one)
            self.before[next_one].append(one)
        return chain

    def _begin(self) -> None:
        """Put the vertices into their layers as a search in depth finds them, so that neighbours are near."""
        is_found = [False] * len(self.ranks)
        for start in range(len(self.ranks)):
            pending = [start]
            while pending:
                vertex = pending.pop()
                if not is_found[vertex]:
                    is_found[vertex] = True
                    self.order[self.ranks[vertex]].append(vertex)
                    pending += self.before[vertex]
                    pending += self.after[vertex]
        for rank, layer in enumerate(self.order):
            self.arrange(rank, layer)

    def arrange(self, rank: int, layer: list[int]) -> None:
        """Put the vertices of a layer in an order."""
        self.order[rank] = layer
        at = self.at
        for position, vertex in enumerate(layer):
            at[vertex] = position

    def count_crossings(self) -> int:
        """Return how many pairs of edges cross between two layers."""
        at, crossings = self.at, 0
        for layer in self.order[:-1]:
            ends: list[int] = []  # of the edges so far, sorted
            for vertex in layer:
                own = [at[other] for other in self.after[vertex]]
                for end in own:
                    crossings += len(ends) - bisect.bisect_right(ends, end)
                for end in own:
                    bisect.insort(ends, end)
        return crossings
