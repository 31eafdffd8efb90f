"""In which order views are refreshed, and what a failure stops. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Generic, TypeVar

from orm_views_core.graph import closure, creation_order, reverse

N = TypeVar("N", bound=Hashable)


def narrow_down(
    reads: Mapping[N, Collection[N]], chosen: Collection[N], through: Collection[N]
) -> dict[N, set[N]]:
    """Return, for each chosen view, the chosen ones whose new rows it sees.

    Args:
        reads: for each view, what it reads.
        chosen: those that are refreshed.
        through: the plain views, which pass on what they read. Another materialised view does not: its rows
            stay.
    """
    passing = {view: found for view, found in reads.items() if view in through}
    return {name: (closure(passing, reads.get(name, ())) & set(chosen)) - {name} for name in chosen}


class Schedule(Generic[N]):
    """What can be refreshed next, until all is done.

    Args:
        waits_for: for each view, those that have to be refreshed before it.
        seconds: how long each takes, as far as that is known. With it, what most has to wait for comes first.

    Raises:
        CyclicDependencyError: naming the circle.
    """

    def __init__(
        self, waits_for: Mapping[N, Collection[N]], seconds: Mapping[N, float] | None = None
    ) -> None:
        self._waits_for = waits_for
        order = creation_order(waits_for)
        self._rank = {name: (0.0, position) for position, name in enumerate(order)}
        if seconds is not None:
            self._put_the_longest_way_first(order, seconds)
        self._sorter = TopologicalSorter(waits_for)
        self._sorter.prepare()
        self._ready: list[N] = []
        self._failed: set[N] = set()

    def _put_the_longest_way_first(self, order: list[N], seconds: Mapping[N, float]) -> None:
        dependents = reverse(self._waits_for)
        way: dict[N, float] = {}
        for name in reversed(order):
            way[name] = seconds.get(name, 0.0) + max((way[d] for d in dependents.get(name, ())), default=0.0)
        self._rank = {name: (-way[name], position) for position, name in enumerate(order)}

    def take(self) -> N | None:
        """Return the next view to refresh; None while all the others wait for one that is not done."""
        self._ready += self._sorter.get_ready()
        self._ready.sort(key=self._rank.__getitem__)
        return self._ready.pop(0) if self._ready else None

    def failed_before(self, name: N) -> list[N]:
        """Return what a view waited for and did not get: then it is to be skipped."""
        return sorted(self._failed & set(self._waits_for[name]), key=self._rank.__getitem__)

    def finish(self, name: N, *, ok: bool) -> None:
        """Note that a view is done, or has failed or was skipped."""
        if not ok:
            self._failed.add(name)
        self._sorter.done(name)

    def __iter__(self) -> Iterator[N]:
        """Yield all views, one after another; the caller finishes each before it asks for the next."""
        while (name := self.take()) is not None:
            yield name
