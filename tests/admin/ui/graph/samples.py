"""Graphs to lay out: such as views make, and random ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

Graph = tuple[int, list[tuple[int, int]]]
"""How many nodes there are, which are numbers from 0, and the edges. None leads to a lower number."""


def views(seed: int, count: int = 300, edges: int = 500) -> Graph:
    """Tables, and views that read one to three of what was there before them, some tables more often."""
    chance = random.Random(seed)
    tables = count // 5
    hubs = chance.sample(range(tables), min(4, tables))
    found: set[tuple[int, int]] = set()
    for view in range(tables, count):
        for _ in range(chance.choices([1, 2, 3], [50, 35, 15])[0]):
            if chance.random() < 0.12:
                read = chance.choice(hubs)
            else:
                read = chance.randrange(max(0, view - 60) if chance.random() < 0.5 else 0, view)
            found.add((read, view))
    return count, _exactly(sorted(found), count, edges, chance)


def stages(seed: int, count: int = 300, edges: int = 500, depth: int = 7) -> Graph:
    """Views in stages: each reads something of the stage before it, or of one or two before that."""
    chance = random.Random(seed)
    stage = sorted(min(depth - 1, int(chance.random() ** 1.3 * depth)) for _ in range(count))
    members = [[node for node in range(count) if stage[node] == number] for number in range(depth)]
    hubs = [chance.choice(members[0]) for _ in range(3)]
    found: set[tuple[int, int]] = set()
    while len(found) < edges:
        view = chance.randrange(count)
        if stage[view]:
            before = max(0, stage[view] - chance.choices([1, 2, 3], [75, 18, 7])[0])
            read = chance.choice(hubs if chance.random() < 0.08 else members[before])
            found.add((read, view))
    return count, sorted(found)


def at_random(seed: int, count: int = 300, edges: int = 500) -> Graph:
    """Any edges between any nodes."""
    return count, _exactly([], count, edges, random.Random(seed))


def _exactly(
    found: list[tuple[int, int]], count: int, edges: int, chance: random.Random
) -> list[tuple[int, int]]:
    """Return as many edges as are wanted: some of those found, or random ones in addition."""
    kept = set(chance.sample(found, min(edges, len(found))))
    while len(kept) < edges:
        source, target = sorted(chance.sample(range(count), 2))
        kept.add((source, target))
    return sorted(kept)


KINDS: Mapping[str, Callable[..., Graph]] = {"views": views, "stages": stages, "at random": at_random}
