"""What a scenario is to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.runs import Run


@dataclass(frozen=True)
class Target:
    """`is_met` is asked about our own run and the predecessor's, and says None when it cannot tell."""

    text: str
    is_met: Callable[[Run, Run | None], bool | None]

    def verdict(self, ours: Run, theirs: Run | None) -> str:
        met = False if ours.error else self.is_met(ours, theirs)
        return self.text if met is None else f"{self.text}: {'met' if met else 'not met'}"


def at_most(ratio: float) -> Target:
    """A part of the predecessor's time, or of the first floor's, the medians compared."""

    def is_met(ours: Run, theirs: Run | None) -> bool | None:
        return ours.median <= ratio * theirs.median if theirs else None

    return Target(f"{ratio:.2f}", is_met)


def no_stall(seconds: float) -> Target:
    """In every round, and nothing went wrong: no reader has seen an error, and the sync has succeeded."""

    def is_met(ours: Run, theirs: Run | None) -> bool:
        return ours.longest <= seconds and not ours.troubles

    return Target(f"{seconds * 1000:.0f} ms, 0 errors", is_met)


def swaps(seconds: float, stall: float) -> Target:
    """The median of the syncs, none of them given up; and no reader waited longer or has seen an error."""

    def is_met(ours: Run, theirs: Run | None) -> bool:
        stalls = [longest for each in ours.beside.values() for longest in each]
        return ours.median <= seconds and max(stalls) <= stall and not ours.troubles

    return Target(f"{seconds:g} s, stall {stall:g} s, 0 errors", is_met)


def works() -> Target:
    return Target("works", lambda ours, theirs: True)
