"""How many views a package can sync again before the server runs out of lock slots.

A transaction holds a lock on everything that it creates and drops until it ends, in a table whose size is set
when the server starts. So the number depends on the server's settings, and on nobody else being at work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.benchmarks.bench import Bench, MeasurementError
from tests.benchmarks.packages import Package

STEP = 50


def largest_sync(bench: Bench, package: Package, most: int) -> str:
    """A sentence: the largest number of views, in steps of 50, that syncs from empty and again."""
    reasons: dict[int, str] = {}

    def works(views: int) -> bool:
        reason = reasons[views] = _attempt(bench, package, views)
        print(f"{package.distribution}, {views:,} views: {reason or 'works'}", file=sys.stderr, flush=True)
        return not reason

    if works(most):
        return f"{package.distribution} syncs {most:,} views from empty and again; no more were tried"
    largest = bisect(works, most // STEP) * STEP
    fails = largest + STEP
    return f"{package.distribution} syncs {largest:,} views, and fails at {fails:,}: {reasons[fails]}"


def bisect(works: Callable[[int], bool], fails: int) -> int:
    """The largest number of steps that works, given one that fails."""
    succeeds = 0
    while fails - succeeds > 1:
        middle = (succeeds + fails) // 2
        if works(middle * STEP):
            succeeds = middle
        else:
            fails = middle
    return succeeds


def _attempt(bench: Bench, package: Package, views: int) -> str:
    """Why it fails, or nothing if it does not."""
    bench.views = views
    try:
        with bench.database() as database:
            for _ in ("from empty", "again"):
                bench.run("sync", database, package)
            bench.check_views(database, package)
    except MeasurementError as error:
        return str(error)
    return ""
