"""Edges without circles. Pure."""

from __future__ import annotations

from collections.abc import Sequence

#: An edge between two vertices, which are numbers from 0.
Edge = tuple[int, int]


def without_circles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """Return edges that all lead from left to right, each once; those that close a circle are turned round.

    Edges from a vertex to itself are left out.

    Args:
        count: how many vertices there are.
        edges: the edges, in any order.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    entered = [False] * count
    for source, target in edges:
        after[source].append(target)
        entered[target] = entered[target] or source != target
    # Beginning where nothing leads to turns as few edges round as possible.
    starts = sorted(range(count), key=entered.__getitem__)
    done = _finishing_order(starts, after)
    turned = ((b, a) if done[a] < done[b] else (a, b) for a, b in edges if a != b)
    return list(dict.fromkeys(turned))


def _finishing_order(starts: Sequence[int], after: Sequence[Sequence[int]]) -> list[int]:
    """Return when a search in depth leaves each vertex. The target of an edge in no circle is left first."""
    left = [-1] * len(after)
    is_found = [False] * len(after)
    number = 0
    for start in starts:
        if is_found[start]:
            continue
        is_found[start] = True
        path = [(start, iter(after[start]))]
        while path:
            vertex, rest = path[-1]
            following = next((each for each in rest if not is_found[each]), None)
            if following is not None:
                is_found[following] = True
                path.append((following, iter(after[following])))
            else:
                path.pop()
                left[vertex] = number
                number += 1
    return left
