"""What a scenario is to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.runs import Run

STOCK = "a stock changelist of 100 users"


@dataclass(frozen=True)
class Target:
    """`is_met` is asked about our own run and the predecessor's, and says None when it cannot tell.

    `figure`, if there is one, is what is held against the text.
    """

    text: str
    is_met: Callable[[Run, Run | None], bool | None]
    figure: Callable[[Run], float] | None = None

    def verdict(self, ours: Run, theirs: Run | None) -> str:
        met = False if ours.error else self.is_met(ours, theirs)
        if met is None:
            return self.text
        reached = f"{self.figure(ours):.2f}, " if self.figure and not ours.error else ""
        return f"{self.text}: {reached}{'met' if met else 'not met'}"


def at_most(ratio: float) -> Target:
    """A part of the predecessor's time, or of the first floor's, the medians compared."""

    def is_met(ours: Run, theirs: Run | None) -> bool | None:
        return ours.median <= ratio * theirs.median if theirs else None

    return Target(f"{ratio:.2f}", is_met)


def within(milliseconds: float) -> Target:
    """So many milliseconds at most, whatever others take."""
    return Target(f"{milliseconds:g} ms", lambda ours, theirs: ours.median <= milliseconds)


def memory(megabytes: float) -> Target:
    """So many MB at most."""
    return Target(f"{megabytes:g} MB", lambda ours, theirs: ours.longest <= megabytes)


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


def pages(stock: float, beside: str = "", times: float = 0) -> Target:
    """At most so many stock pages, and so many times what else was measured beside them."""

    def is_met(ours: Run, theirs: Run | None) -> bool:
        return figure(ours) <= stock

    def figure(ours: Run) -> float:
        rest = times * median(ours.beside[beside]) if beside else 0
        return (ours.median - rest) / median(ours.beside[STOCK])

    text = f"{stock:g} stock page{'s' * (stock != 1)}" + (
        f" beyond {times:g} times {beside}" if beside else ""
    )
    return Target(text, is_met, figure)


def beside(times: float) -> Target:
    """At most so many times what was measured beside, all of it together."""

    def is_met(ours: Run, theirs: Run | None) -> bool:
        return figure(ours) <= times

    def figure(ours: Run) -> float:
        return ours.median / sum(median(each) for each in ours.beside.values())

    return Target(f"{times:g} times both", is_met, figure)


def times(ratio: float, beside: str) -> Target:
    """At most so many times what was measured beside."""

    def figure(ours: Run) -> float:
        return ours.median / median(ours.beside[beside])

    return Target(f"{ratio:g} times it", lambda ours, theirs: figure(ours) <= ratio, figure)


def works() -> Target:
    return Target("works", lambda ours, theirs: True)
