"""The order of the vertices in each layer, so that few edges cross. Pure.

Finding the fewest crossings is NP-hard. Sweeps put each vertex at the barycentre of its neighbours in the
layer before, from left to right and back. Then sifting moves single vertices to the best place in their
layer, with regard to both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from .layers import Layers

#: How often the layers are gone through from left to right and back, and then how often vertices are sifted.
#: ``python -m tests.benchmarks q`` tells what that costs.
SWEEPS, SIFTS = 8, 2
#: By how many places a vertex is sifted at most. So the time is linear in the number of vertices.
REACH = 24


def reduce_crossings(layers: Layers) -> None:
    """Order the vertices of layers so that few edges cross."""
    best, fewest = layers.order[:], layers.count_crossings()
    ranks = range(len(layers.order))
    for number in range(SWEEPS):
        if not fewest:
            break
        # Of vertices with the same barycentre, every second time the lower one comes first.
        is_reversed = number % 2 == 1
        _sweep(layers, ranks[1:], layers.before, is_reversed)
        _sweep(layers, ranks[-2::-1], layers.after, is_reversed)
        crossings = layers.count_crossings()
        if crossings < fewest:
            best, fewest = layers.order[:], crossings
    for rank, layer in enumerate(best):
        layers.arrange(rank, layer)
    for number in range(SIFTS):
        if not fewest:
            break
        saved = sum(_sift(layers, rank) for rank in (ranks if number % 2 == 0 else reversed(ranks)))
        if not saved:
            break
        fewest -= saved


def _sweep(layers: Layers, ranks: Iterable[int], beside: Sequence[Sequence[int]], is_reversed: bool) -> None:
    """Sort each layer by the barycentres of neighbours on one side. Vertices without any keep their place.

    Args:
        layers: the layers.
        ranks: the layers to sort, one after another.
        beside: the neighbours of each vertex.
        is_reversed: whether those with the same barycentre change their order.
    """
    at = layers.at
    for rank in ranks:
        layer = layers.order[rank]
        keys = {}
        for vertex in layer:
            if others := beside[vertex]:
                keys[vertex] = sum([at[other] for other in others]) / len(others)
        movable = [vertex for vertex in layer if vertex in keys]
        if is_reversed:
            movable.reverse()
        movable.sort(key=keys.__getitem__)
        following = iter(movable)
        layers.arrange(rank, [next(following) if vertex in keys else vertex for vertex in layer])


def _sift(layers: Layers, rank: int) -> int:
    """Move vertices of a layer to where their edges cross fewer others; return how many less it is."""
    before, after, at = layers.before, layers.after, layers.at
    layer = layers.order[rank]
    width = len(layers.order[rank - 1]) if rank else 0
    width_after = len(layers.order[rank + 1]) if rank + 1 < len(layers.order) else 0
    # Positions in the layer after are counted on from those in the layer before, so that one list has both.
    ends = {
        vertex: [at[other] for other in before[vertex]] + [at[other] + width for other in after[vertex]]
        for vertex in layer
    }
    saved = 0
    for vertex in sorted(layer, key=lambda each: -len(ends[each])):
        costs = _costs([at[other] for other in before[vertex]], width)
        costs += _costs([at[other] for other in after[vertex]], width_after)
        get, position = costs.__getitem__, layer.index(vertex)
        # What it costs to be above the nearest other vertices instead of below them.
        higher = layer[max(0, position - REACH) : position]
        lower = layer[position + 1 : position + 1 + REACH]
        up = [*accumulate([sum(map(get, ends[other])) for other in reversed(higher)])]
        down = [*accumulate([sum(map(get, ends[other])) for other in lower])]
        highest, lowest = min(up, default=0), -max(down, default=0)
        if min(highest, lowest) >= 0:
            continue
        saved -= min(highest, lowest)
        goes_up = highest <= lowest
        place = position - 1 - up.index(highest) if goes_up else position + 1 + down.index(-lowest)
        layer.insert(place, layer.pop(position))
    if saved:
        layers.arrange(rank, layer)
    return saved


def _costs(ends: Sequence[int], width: int) -> list[int]:
    """Return what an edge of another vertex costs, by the position that it ends at in a neighbouring layer.

    It is the number of edges of a vertex that it crosses if the vertex is above the other one, minus the
    number that it crosses if the vertex is below.

    Args:
        ends: the positions at which the edges of the vertex end.
        width: how many positions there are.
    """
    costs: list[int] = []
    cost = len(ends)
    for end in sorted(ends):
        # An edge that ends at the same position as one of the vertex never crosses that.
        costs += [cost] * (end - len(costs))
        costs.append(cost - 1)
        cost -= 2
    return costs + [cost] * (width - len(costs))
