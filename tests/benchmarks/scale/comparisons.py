"""Comparing the rows of a view that changes, beside the FULL JOIN that does it by hand."""

from __future__ import annotations

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import Package
from tests.benchmarks.runs import Measured
from tests.benchmarks.scenarios import scenario
from tests.benchmarks.targets import times

from .compared import JOIN, KEYS, OURS
from .project import Project

_PROJECT = Project("readable", 20)
_SIZES = {1_000_000: 3, 5_000_000: 1}


def _register(rows: int, rounds: int) -> None:
    """(t) All are asked by turns in one process. The counts are checked in each round."""
    title = f"comparing {rows:,} rows, of which {rows // 200:,} change"

    @scenario("t", title, times(1.5, JOIN), most_rounds=rounds, alone=True)
    def compared(bench: Bench, package: Package) -> Measured:
        how = {"has_admin": True, "arguments": {"rows": rows, "times": 1 if rows > 1_000_000 else 3}}
        dsn = bench.scale.filled(package, _PROJECT, rows)
        figures = bench.scale.run(package, _PROJECT, "compare", dsn=dsn, **how).figures
        return Measured(figures[OURS], {JOIN: figures[JOIN], KEYS: figures[KEYS]})


for _rows, _rounds in _SIZES.items():
    _register(_rows, _rounds)
