"""Prints how long syncs of many views take: ``python -m tests.engines.sqlite.linear``."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

COUNTS = (250, 500, 1000)


def measure(count: int, reads: Callable[[int], str]) -> list[float]:
    """Return how many seconds some steps take with so many views."""
    from django.db import connections

    from orm_views_core.views.registry import registry

    from .files import ALIAS, File, declare, states, sync

    with tempfile.TemporaryDirectory() as directory, registry.isolated() as registered:
        path = Path(directory) / "many.sqlite3"
        connections.settings[ALIAS] = {**connections.settings["default"], "NAME": str(path)}
        file = File(path)
        file.run("CREATE TABLE item (id integer PRIMARY KEY, code text)")
        taken = []

        def timed(work: Callable[[], object]) -> None:
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)

        views = [declare(f"View{n}", f"SELECT id, code FROM {reads(n)}") for n in range(count)]
        timed(sync)
        timed(sync)
        timed(states)
        timed(lambda: sync(force=True))
        for view in views:
            registered.unregister(view)
        timed(lambda: sync(allow_drop_all=True))
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]
    return taken


def main() -> None:
    """Measure, and print a table."""
    shapes: dict[str, Callable[[int], str]] = {
        "each reads a table": lambda n: "item",
        "chains of ten": lambda n: f"views.view{n - 1}" if n % 10 else "item",
    }
    for shape, reads in shapes.items():
        print(f"{shape:<20} {'create':>8} {'nothing':>8} {'show':>8} {'replace':>8} {'drop':>8}  seconds")
        for count in COUNTS:
            print(f"{count:>20}", *(f"{seconds:8.3f}" for seconds in measure(count, reads)))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.engines.settings"
    import django

    django.setup()
    main()
