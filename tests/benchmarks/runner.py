"""Runs scenarios in rounds, so that whatever else the machine is busy with hits every package alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Protocol

from tests.benchmarks.bench import Bench, MeasurementError
from tests.benchmarks.packages import Package
from tests.benchmarks.scenarios import Scenario


class Measurement(Protocol):
    def __call__(self) -> float: ...


@dataclass
class Entry:
    """One line of the report: a package or a floor in one scenario, and its time in every round."""

    scenario: Scenario
    title: str
    measure: Measurement
    package: Package | None = None
    seconds: list[float] = field(default_factory=list)
    error: str | None = None

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def fastest(self) -> float:
        return min(self.seconds)

    def measure_once(self) -> None:
        """Add a round's time. An entry that fails once is not tried again: failing is its result."""
        if self.error:
            return
        try:
            self.seconds.append(self.measure())
        except MeasurementError as error:
            self.error = str(error)


def entries(bench: Bench, scenario: Scenario, packages: Iterable[Package]) -> list[Entry]:
    """The lines of a scenario: its packages, then its floors."""
    lines = [
        Entry(scenario, package.distribution, partial(scenario.measure, bench, package), package)
        for package in packages
    ]
    lines += [Entry(scenario, title, partial(measure, bench)) for title, measure in scenario.floors.items()]
    return lines


def run_rounds(lines: Sequence[Entry], rounds: int) -> None:
    """Measure every line once per round, in one order and the reverse by turns."""
    for number in range(rounds):
        for line in lines if number % 2 == 0 else reversed(lines):
            line.measure_once()
            result = line.error or f"{line.seconds[-1]:.3f} s"
            progress = f"{line.scenario.title}, round {number + 1} of {rounds}, {line.title}: {result}"
            print(progress, file=sys.stderr, flush=True)
