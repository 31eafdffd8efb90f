"""Graphs of views: the order of creation, circles, dependents and everything that can be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from orm_views_core.sentences import says

from .exceptions import CyclicDependencyError
from .quoting import unquoted

N = TypeVar("N")


def creation_order(dependencies: Mapping[N, Collection[N]], describe: Callable[[N], str] = str) -> list[N]:
    """Sort views so that each comes after the views that it reads. Otherwise their order stays.

    Args:
        dependencies: for each view, what it reads. Names that are no key of the mapping are ignored.
        describe: returns the label, file and line of a view, for the message.

    Raises:
        CyclicDependencyError: views read each other in a circle. The message names them.
    """
    sorter = TopologicalSorter(
        {n: [d for d in deps if d in dependencies] for n, deps in dependencies.items()}
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        # graphlib returns the circle in the opposite direction.
        circle: list[N] = error.args[1][:0:-1]
        first = min(range(len(circle)), key=lambda position: str(circle[position]))
        circle = [*circle[first:], *circle[:first]]  # the message does not depend on where the search began
        path = " → ".join(str(name) for name in [*circle, circle[0]])
        where = ", ".join(describe(name) for name in circle)
        circular = CyclicDependencyError(
            unquoted(
                says(
                    "These views read each other in a circle: %(path)s. Remove one of the references "
                    "from %(where)s.",
                    path=path,
                    where=where,
                )
            )
        )
        circular.names = circle
        raise circular from error


def reverse(dependencies: Mapping[N, Iterable[N]]) -> dict[N, set[N]]:
    """Return the dependents of each name from the names that it reads."""
    dependents: defaultdict[N, set[N]] = defaultdict(set)
    for name, reads in dependencies.items():
        for read in reads:
            dependents[read].add(name)
    return dict(dependents)


def closure(edges: Mapping[N, Iterable[N]], start: Iterable[N]) -> set[N]:
    """Return the names that can be reached from ``start``, including those of ``start``."""
    reached: set[N] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += edges.get(name, ())
    return reached
