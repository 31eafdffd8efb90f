"""Exports of a million rows: the memory that they take, and the time of CSV beside that of a bare COPY."""

from __future__ import annotations

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, Package
from tests.benchmarks.runs import Measured
from tests.benchmarks.scenarios import scenario
from tests.benchmarks.targets import memory, times

from .exported import COPY, EXPORT, FORMS, MEMORY, ROWS
from .project import Project

_PROJECT = Project("readable", 20)


def _figures(bench: Bench, package: Package, form: str, times: int) -> dict[str, float]:
    how = {"has_admin": True, "arguments": {"form": form, "times": times}}
    dsn = bench.scale.filled(package, _PROJECT, ROWS)
    return bench.scale.run(package, _PROJECT, "export", dsn=dsn, **how).figures


def _register(form: str) -> None:
    """(s) What a process needs beside what it has when the library of the format is imported."""
    title = f"memory: an export of {ROWS:,} rows, {form}"

    @scenario("s", title, memory(60), most_rounds=1, alone=True, unit="MB")
    def needed(bench: Bench, package: Package) -> Measured:
        figures = _figures(bench, package, form, 1)
        return Measured(figures[MEMORY])


for _form in FORMS:
    _register(_form)


@scenario("s", f"an export of {ROWS:,} rows, csv", times(2, COPY), most_rounds=3, alone=True)
def csv(bench: Bench, package: Package) -> Measured:
    figures = _figures(bench, package or OURS, "csv", 3)
    return Measured(figures[EXPORT], {COPY: figures[COPY]})
