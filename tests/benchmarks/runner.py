"""Runs scenarios in rounds, so that whatever else the machine is busy with hits every package alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, PREDECESSOR, Package
from tests.benchmarks.runs import Measured, MeasurementError, Run
from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.targets import Target, at_most


@dataclass
class Entry:
    """One line of the report: a package or a floor, and what came of measuring it."""

    title: str
    measure: Callable[[], Measured]
    package: Package | None = None
    run: Run = field(default_factory=Run)

    def measure_once(self) -> None:
        """Add a round. An entry that fails once is not tried again: failing is its result."""
        if self.run.error:
            return
        try:
            self.run.results.append(self.measure())
        except MeasurementError as error:
            self.run.error = str(error)


@dataclass(frozen=True)
class Block:
    """One block of the report: a scenario, and a line for each package and each floor."""

    title: str
    target: Target
    rounds: int
    entries: Sequence[Entry]
    alone: bool = False
    unit: str = "s"

    @property
    def yardstick(self) -> Run | None:
        """What times are held against: the predecessor's, or the first floor of what is measured alone.

        Where another checkout of ours is measured too, it is that one's.
        """
        of = next((e.package for e in self.entries if e.package and e.package.is_before), None)
        of = of or (None if self.alone else PREDECESSOR)
        return next((e.run for e in self.entries if e.package == of and not e.run.error), None)

    def run(self) -> None:
        """Measure every entry once per round, in one order and the reverse by turns."""
        for number in range(self.rounds):
            for entry in self.entries if number % 2 == 0 else reversed(self.entries):
                entry.measure_once()
                result = entry.run.error or f"{entry.run.seconds[-1]:.3f} {self.unit}"
                progress = f"{self.title}, round {number + 1} of {self.rounds}, {entry.title}: {result}"
                print(progress, file=sys.stderr, flush=True)


def block(bench: Bench, scenario: Scenario, packages: Sequence[Package], rounds: int) -> Block:
    entries = [
        Entry(package.distribution, partial(scenario.measure, bench, package), package)
        for package in packages
        if package.module == OURS.module or not scenario.alone
    ]
    title = f"({scenario.key}) {scenario.title.format(**asdict(bench.sizes))}"
    if any(package.is_before for package in packages):
        return Block(title, at_most(1.05), rounds, entries, scenario.alone, scenario.unit)
    entries += [Entry(f"floor: {title}", partial(floor, bench)) for title, floor in scenario.floors.items()]
    rounds = min(rounds, scenario.most_rounds)
    return Block(title, scenario.target, rounds, entries, scenario.alone, scenario.unit)
