"""The table that a run ends in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, Package
from tests.benchmarks.runner import Block, Entry
from tests.benchmarks.runs import Run

HEADINGS = ("", "median", "min", "max", "ratio", "in each round", "target")

Row = Sequence[str]
"""A cell for each heading; or only the first, which then is a line of its own."""


def report(command: str, bench: Bench, load: float, minutes: float, blocks: Sequence[Block]) -> str:
    """Where it ran, then a block for each scenario.

    `load` is the machine's load average before that: on a busy machine trust the minima.
    """
    parts = [
        f"$ {command}",
        "",
        bench.server.description(),
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f} before",
        *(f"{package.distribution}: {_versions(bench, package)}" for package in bench.versions),
        *_agreements(bench),
        f"{minutes:.0f} minutes in all",
    ]
    return "\n".join([*parts, "", *table(blocks)])


def table(blocks: Iterable[Block]) -> list[str]:
    """An aligned table: what each line measured, and what part of its block's yardstick that was."""
    rows: list[Row] = [HEADINGS]
    for block in blocks:
        theirs = block.yardstick
        rows.append([f"{block.title}; {block.rounds} round{'s' if block.rounds > 1 else ''}"])
        for entry in block.entries:
            target = block.target.verdict(entry.run, theirs) if entry.package == OURS else ""
            rows += _rows(entry, theirs, target, block.unit)
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[column]) for row in full) for column in range(len(HEADINGS))]
    return [_align(row, widths) for row in rows]


def _align(row: Row, widths: Sequence[int]) -> str:
    """Titles and targets to the left, figures to the right."""
    if len(row) == 1:
        return row[0]
    title, *figures, target = row
    cells = [title.ljust(widths[0]), *map(str.rjust, figures, widths[1:]), target]
    return "   ".join(cells).rstrip()


def _rows(entry: Entry, theirs: Run | None, target: str, unit: str) -> list[Row]:
    """An entry's line, and those of what was measured and counted beside it."""
    run = entry.run
    if run.error:
        return [[f"  {entry.title}: {run.error}" + (f"   (target {target})" if target else "")]]
    ratios = ["", ""]
    if theirs:
        ratios = [_ratio(run.median, theirs.median), _range(run, theirs) if entry.package else ""]
    rows: list[Row] = [[f"  {entry.title}", *_times(run, unit), *ratios, target]]
    for title, seconds in run.beside.items():
        rows.append([f"    {title}", *_times(Run.of(seconds), unit), "", "", ""])
    if run.counts:
        rows.append(["    " + ", ".join(f"{count:,} {what}" for what, count in run.counts.items())])
    rows += [[f"    {what} ({count:,})"] for what, count in run.troubles.items()]
    return rows


def _times(run: Run, unit: str) -> list[str]:
    return [f"{seconds:.3f} {unit}" for seconds in (run.median, run.fastest, run.longest)]


def _range(ours: Run, theirs: Run) -> str:
    """From the best to the worst round, each time held against the predecessor's in the same round."""
    pairs = list(zip(ours.seconds, theirs.seconds, strict=True))
    ranked = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    return f"{_ratio(*ranked[0])} to {_ratio(*ranked[-1])}"


def _ratio(one: float, other: float) -> str:
    """With two digits that say something."""
    ratio = one / other
    return f"{ratio:.3f}" if ratio < 0.0995 else f"{ratio:.2f}"


def _versions(bench: Bench, package: Package) -> str:
    return ", ".join(f"{name} {version}" for name, version in bench.versions[package].items())


def _agreements(bench: Bench) -> list[str]:
    """Of each set of views that several packages made, how many they left with the same definition."""
    return [
        f"stored alike by {len(stored)} packages: {bench.agreement(views):,} of {views}"
        for views, stored in bench.stored.items()
        if len(stored) > 1 and views.variant == 0
    ]
