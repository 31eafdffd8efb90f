"""What is measured. A scenario is a small function here; a floor is what no package could be faster than.

    @scenario("again", "sync again, nothing changed")
    def again(bench: Bench, package: Package) -> float: ...

    @floor("again", "one catalog query")
    def catalog_query(bench: Bench) -> float: ...

Every round calls a scenario once for each package and each of its floors once. A call works on a fresh
database and returns seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, PREDECESSOR, Package

Measure = Callable[[Bench, Package], float]
MeasureFloor = Callable[[Bench], float]


@dataclass(frozen=True)
class Scenario:
    """Something to measure with every package, and the floors to hold that against, by title."""

    key: str
    title: str
    measure: Measure
    floors: dict[str, MeasureFloor] = field(default_factory=dict)


SCENARIOS: dict[str, Scenario] = {}


def scenario(key: str, title: str) -> Callable[[Measure], Measure]:
    """Register a function as the scenario of that key."""

    def register(measure: Measure) -> Measure:
        SCENARIOS[key] = Scenario(key, title, measure)
        return measure

    return register


def floor(key: str, title: str) -> Callable[[MeasureFloor], MeasureFloor]:
    """Register a function as a floor of the scenario of that key."""

    def register(measure: MeasureFloor) -> MeasureFloor:
        SCENARIOS[key].floors[title] = measure
        return measure

    return register


@scenario("empty", "sync from empty")
def from_empty(bench: Bench, package: Package) -> float:
    with bench.database() as database:
        seconds = bench.run("sync", database, package)
        bench.check_views(database, package)
    return seconds


@floor("empty", "bare connection, a statement at a time")
def bare_statements(bench: Bench) -> float:
    with bench.database() as database:
        return bench.run("send_statements", database)


@floor("empty", "bare connection, all in one string")
def bare_script(bench: Bench) -> float:
    with bench.database() as database:
        return bench.run("send_script", database)


@scenario("again", "sync again, nothing changed")
def again(bench: Bench, package: Package) -> float:
    with bench.database() as database:
        bench.run("sync", database, package)
        bench.settle(database)
        seconds = bench.run("sync", database, package)
        bench.check_views(database, package)
    return seconds


@floor("again", "compiling the querysets, where ours runs")
def compiling(bench: Bench) -> float:
    with bench.database() as database:
        return bench.run("compile_querysets", database, environment=OURS)


@floor("again", "compiling the querysets, where theirs runs")
def compiling_there(bench: Bench) -> float:
    with bench.database() as database:
        return bench.run("compile_querysets", database, environment=PREDECESSOR)


@floor("again", "reading all views back in one query")
def catalog_query(bench: Bench) -> float:
    with bench.database() as database:
        bench.run("send_statements", database)
        bench.settle(database)
        return bench.run("read_catalog", database)
