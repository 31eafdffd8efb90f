"""Order among views: what must exist first, what is affected by a change, and what runs in a circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from .exceptions import CyclicDependencyError

N = TypeVar("N")


def creation_order(dependencies: Mapping[N, Collection[N]], describe: Callable[[N], str] = str) -> list[N]:
    """Order views so that each comes after what it reads; otherwise as they came.

    Args:
        dependencies: for each view, what it reads. Names outside the mapping are passed over.
        describe: says what a view is and where it is written, for the message.

    Raises:
        CyclicDependencyError: naming the circle.
    """
    sorter = TopologicalSorter(
        {n: [d for d in deps if d in dependencies] for n, deps in dependencies.items()}
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        # graphlib gives the circle against the direction of reading.
        circle: list[N] = error.args[1][::-1]
        path = " → ".join(str(name) for name in circle)
        where = ", ".join(describe(name) for name in circle[1:])
        raise CyclicDependencyError(
            f"These views read one another in a circle: {path}. Take one of the references out of {where}."
        ) from error


def reverse(dependencies: Mapping[N, Iterable[N]]) -> dict[N, set[N]]:
    """Turn “reads” into “is read by”."""
    dependents: defaultdict[N, set[N]] = defaultdict(set)
    for name, reads in dependencies.items():
        for read in reads:
            dependents[read].add(name)
    return dict(dependents)


def closure(edges: Mapping[N, Iterable[N]], start: Iterable[N]) -> set[N]:
    """Return everything that can be reached from ``start``, itself included."""
    reached: set[N] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += edges.get(name, ())
    return reached
