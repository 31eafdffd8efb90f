"""What came of measuring one thing in every round."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.benchmarks.packages import Package


@dataclass(frozen=True)
class Measured:
    """The seconds that were measured, and whatever was measured, was counted or went wrong beside them."""

    seconds: float
    beside: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)


def ask(package: Package, module: str, task: str) -> Any:
    """Have a new process do a task where a package runs; return its answer.

    Both are JSON, on standard input and output.
    """
    process = subprocess.run(
        [package.interpreter(), "-m", module],
        cwd=package.checkout,
        input=task,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise MeasurementError(reason_of(process.stderr))
    return json.loads(process.stdout)


class MeasurementError(Exception):
    """A measurement that failed; the message is the one that the worker ended with."""


@dataclass
class Run:
    """The measurements of one thing, one a round, until one fails: then that is the result."""

    results: list[Measured] = field(default_factory=list)
    error: str | None = None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Run:
        return cls([Measured(each) for each in seconds])

    @property
    def seconds(self) -> list[float]:
        return [result.seconds for result in self.results]

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def fastest(self) -> float:
        return min(self.seconds)

    @property
    def longest(self) -> float:
        return max(self.seconds)

    @property
    def beside(self) -> dict[str, list[float]]:
        """What was measured beside, in each round."""
        titles = dict.fromkeys(title for result in self.results for title in result.beside)
        return {
            title: [result.beside[title] for result in self.results if title in result.beside]
            for title in titles
        }

    @property
    def counts(self) -> Counter[str]:
        """What was counted, in all rounds together."""
        return _total(result.counts for result in self.results)

    @property
    def troubles(self) -> Counter[str]:
        """What went wrong, in all rounds together."""
        return _total(result.troubles for result in self.results)


def _total(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)  # which, unlike a sum, keeps what was counted and is 0
    return total


def reason_of(output: str) -> str:
    """The line that names the exception: the first one after the last traceback's frames."""
    last = output.rpartition("Traceback (most recent call last):\n")[2]
    return next((line for line in last.splitlines() if line and not line[0].isspace()), "it gave no reason")
