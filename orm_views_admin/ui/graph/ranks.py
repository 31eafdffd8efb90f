"""The layer of each vertex, so that all edges together are as short as possible. Pure.

This is the network simplex method. A tree of edges that span one layer each connects all vertices. Taking an
edge out of the tree leaves two parts, which can be moved apart or together; that pays off where more edges
lead against the edge than along it. All edges count the same, so that this difference is the sum, over one of
the parts, of the edges that leave a vertex minus those that enter it.

Gansner, Koutsofios, North and Vo, A Technique for Drawing Directed Graphs, IEEE Transactions on Software
Engineering 19(3), 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from .circles import Edge

#: For each vertex, the tree is changed so often at most. Usually a sixteenth of that is enough. After each
#: change the ranks are valid.
_MOST_CHANGES = 4


def find_ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """Return the layer of each vertex, from 0. Every edge leads to a later layer.

    Args:
        count: how many vertices there are; they are connected.
        edges: the edges, without circles.
    """
    ranks = _Ranks(count, edges)
    ranks.span()
    for _ in range(_MOST_CHANGES * count):
        if not ranks.improve():
            break
    first = min(ranks.rank, default=0)
    return [rank - first for rank in ranks.rank]


class _Ranks:
    """Valid ranks, and a tree that connects all vertices by edges that span one layer."""

    def __init__(self, count: int, edges: Sequence[Edge]) -> None:
        self.before: list[list[int]] = [[] for _ in range(count)]
        self.after: list[list[int]] = [[] for _ in range(count)]
        for source, target in edges:
            self.after[source].append(target)
            self.before[target].append(source)
        self.pull = [len(self.after[v]) - len(self.before[v]) for v in range(count)]
        self.tree: list[set[int]] = [set() for _ in range(count)]
        self.rank = [0] * count
        self._begin()

    def _begin(self) -> None:
        """Give each vertex the first layer that it can have, then move those that shorten edges alone."""
        order = list(TopologicalSorter(dict(enumerate(self.before))).static_order())
        rank = self.rank
        for vertex in order:
            rank[vertex] = 1 + max((rank[each] for each in self.before[vertex]), default=-1)
        for vertex in reversed(order):
            if self.pull[vertex] > 0:
                rank[vertex] = min(rank[each] for each in self.after[vertex]) - 1
        for vertex in order:
            if self.pull[vertex] < 0:
                rank[vertex] = max(rank[each] for each in self.before[vertex]) + 1

    def span(self) -> None:
        """Make the tree: grow it along edges that span one layer, and move it to where the next one does."""
        rank = self.rank
        members = [0] if rank else []
        is_member = [False] * len(rank)
        grown = 0
        while members:
            is_member[members[grown]] = True
            while grown < len(members):
                vertex = members[grown]
                grown += 1
                for other in (*self.after[vertex], *self.before[vertex]):
                    if not is_member[other] and abs(rank[other] - rank[vertex]) == 1:
                        is_member[other] = True
                        members.append(other)
                        self._tie(vertex, other)
            nearest = self._nearest(members, is_member, self.after, 1)
            nearest = min(nearest, self._nearest(members, is_member, self.before, -1), key=lambda it: it[0])
            distance, vertex, other = nearest
            if other < 0:
                return
            step = distance if rank[other] > rank[vertex] else -distance
            for each in members:
                rank[each] += step
            members.append(other)
            self._tie(vertex, other)

    def _nearest(
        self, part: Sequence[int], is_inside: Sequence[bool], beside: Sequence[Sequence[int]], sign: int
    ) -> tuple[int, int, int]:
        """Return how far a part can be moved to one side, and the edge that is then as short as possible.

        Args:
            part: the vertices of the part.
            is_inside: for each vertex, whether it belongs to the part.
            beside: the neighbours of each vertex on that side.
            sign: 1 for the right side, -1 for the left one.
        """
        rank = self.rank
        best = (len(rank) + 1, -1, -1)
        for vertex in part:
            for other in beside[vertex]:
                if not is_inside[other]:
                    distance = sign * (rank[other] - rank[vertex]) - 1
                    if distance < best[0]:
                        best = (distance, vertex, other)
        return best

    def _tie(self, one: int, other: int) -> None:
        self.tree[one].add(other)
        self.tree[other].add(one)

    def improve(self) -> bool:
        """Exchange the edge of the tree against which most edges lead; return whether there was one."""
        rank, tree = self.rank, self.tree
        parent = [-1] * len(rank)
        order = [0]
        for vertex in order:
            for other in tree[vertex]:
                if other != parent[vertex]:
                    parent[other] = vertex
                    order.append(other)
        sums = self.pull[:]
        worst, cut = 0, -1
        for vertex in reversed(order[1:]):
            above = parent[vertex]
            sums[above] += sums[vertex]
            value = sums[vertex] if rank[vertex] < rank[above] else -sums[vertex]
            if value < worst:
                worst, cut = value, vertex
        if cut < 0:
            return False
        above = parent[cut]
        part = [cut]
        is_inside = [False] * len(rank)
        is_inside[cut] = True
        for vertex in part:
            below = [other for other in tree[vertex] if other != parent[vertex]]
            for other in below:
                is_inside[other] = True
            part += below
        sign = -1 if rank[cut] < rank[above] else 1
        distance, vertex, other = self._nearest(
            part, is_inside, self.after if sign > 0 else self.before, sign
        )
        for each in part:
            rank[each] += sign * distance
        tree[cut].remove(above)
        tree[above].remove(cut)
        self._tie(vertex, other)
        return True
