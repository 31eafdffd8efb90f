"""In which order views are refreshed, and which ones a failure prevents. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from graphlib import TopologicalSorter
from typing import Generic, TypeVar

from orm_views_core.graph import closure, creation_order, reverse

N = TypeVar("N", bound=Hashable)


def narrow_down(
    reads: Mapping[N, Collection[N]], chosen: Collection[N], through: Collection[N]
) -> dict[N, set[N]]:
    """Return, for each chosen view, the other chosen views whose new rows it sees.

    Args:
        reads: for each view, what it reads.
        chosen: the views that are refreshed.
        through: the plain views. A plain view passes on the new rows of what it reads. A materialised view
            that is not refreshed does not, because it keeps its rows.
    """
    passing = {view: sources for view, sources in reads.items() if view in through}
    return {name: (closure(passing, reads.get(name, ())) & set(chosen)) - {name} for name in chosen}


class Schedule(Generic[N]):
    """The views that can be refreshed next, until all of them have been.

    Args:
        waits_for: for each view, those that have to be refreshed before it.
        seconds: how many seconds each view takes, where that is known. The view that the longest remaining
            work has to wait for comes first. Without any durations the order is that of ``waits_for``.

    Raises:
        CyclicDependencyError: when views wait for one another in a circle; it names them.
    """

    def __init__(
        self, waits_for: Mapping[N, Collection[N]], seconds: Mapping[N, float] | None = None
    ) -> None:
        self._waits_for = waits_for
        self._rank = _ranks(waits_for, seconds or {})
        self._sorter = TopologicalSorter(waits_for)
        self._sorter.prepare()
        self._ready: list[N] = []
        self._failed: set[N] = set()

    def take(self) -> N | None:
        """Return the next view to refresh; None while all remaining views wait for one that is not done."""
        self._ready += self._sorter.get_ready()
        self._ready.sort(key=self._rank.__getitem__)
        return self._ready.pop(0) if self._ready else None

    def failed_before(self, name: N) -> list[N]:
        """Return the views that a view waited for and that failed. If there are any, the view is skipped."""
        return sorted(self._failed & set(self._waits_for[name]), key=self._rank.__getitem__)

    def finish(self, name: N, *, ok: bool) -> None:
        """Note that a view was refreshed, or that it failed or was skipped."""
        if not ok:
            self._failed.add(name)
        self._sorter.done(name)


def _ranks(waits_for: Mapping[N, Collection[N]], seconds: Mapping[N, float]) -> dict[N, tuple[float, int]]:
    """Return a sort key for each view: first the seconds of the longest chain that begins with it."""
    order, dependents = creation_order(waits_for), reverse(waits_for)
    chain: dict[N, float] = {}
    for name in reversed(order):
        chain[name] = seconds.get(name, 0.0) + max((chain[d] for d in dependents.get(name, ())), default=0.0)
    return {name: (-chain[name], position) for position, name in enumerate(order)}
