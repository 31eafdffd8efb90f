"""The table that a run ends in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from itertools import groupby

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import PREDECESSOR, Package
from tests.benchmarks.runner import Entry

Row = tuple[str, str, str, str, str, str]

HEADINGS: Row = ("", "median", "min", "ratio", "of min", "in each round")


def report(command: str, bench: Bench, load: float, rounds: int, lines: Sequence[Entry]) -> str:
    """Where it ran, then a block for each scenario.

    `load` is the machine's load average before that: on a busy machine trust the minima.
    """
    parts = [
        f"$ {command}",
        "",
        f"{bench.views:,} plain views, half raw SQL and half querysets; {rounds} rounds",
        bench.server.description(),
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f} before",
        *(f"{package.distribution}: {_versions(bench, package)}" for package in bench.versions),
    ]
    if len(bench.stored) > 1:
        parts.append(f"stored alike by every package: {bench.agreement():,} of {bench.views:,} views")
    return "\n".join([*parts, "", *table(lines)])


def table(lines: Iterable[Entry]) -> list[str]:
    """An aligned table: every line's median and minimum, and what part of the predecessor's time it took."""
    rows = [HEADINGS]
    for title, group in groupby(lines, key=lambda line: line.scenario.title):
        block = list(group)
        baseline = next((line for line in block if line.package == PREDECESSOR and not line.error), None)
        rows.append((title, "", "", "", "", ""))
        rows += [_row(line, baseline) for line in block]
    measured = [row for row in rows if row[1]]
    widths = [max(len(row[column]) for row in measured) for column in range(len(HEADINGS))]
    return [_align(row, widths) if row[1] else row[0] for row in rows]


def _align(row: Row, widths: Sequence[int]) -> str:
    """Titles to the left, figures to the right."""
    first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "   ".join([row[0].ljust(len(first)), *others]).rstrip()


def _row(line: Entry, baseline: Entry | None) -> Row:
    title = f"  {line.title}" if line.package else f"  floor: {line.title}"
    if line.error:
        return (f"{title}: {line.error}", "", "", "", "", "")
    times = (title, f"{line.median:.3f} s", f"{line.fastest:.3f} s")
    if baseline is None:
        return (*times, "", "", "")
    ratios = (f"{line.median / baseline.median:.2f}", f"{line.fastest / baseline.fastest:.2f}")
    return (*times, *ratios, _range(line, baseline) if line.package else "")


def _range(line: Entry, baseline: Entry) -> str:
    """From the best to the worst round, each time held against the predecessor's in the same round."""
    ratios = [ours / theirs for ours, theirs in zip(line.seconds, baseline.seconds, strict=True)]
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def _versions(bench: Bench, package: Package) -> str:
    return ", ".join(f"{name} {version}" for name, version in bench.versions[package].items())
