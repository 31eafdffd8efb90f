"""What the suite prints at its end, of tests that are tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

#: Under this name, the report of a test has a row of the table of migrations and views.
CELLS = "migrations and views"
#: The row of each operation: for each kind of view, what ``migrate`` does, and what ``migrate_views`` does.
_rows: dict[str, dict[str, tuple[str, str]]] = {}


def note(properties: list[tuple[str, Any]]) -> None:
    """Note what the report of a test says."""
    for name, value in properties:
        if name == CELLS:
            operation, cells = value
            _rows[operation] = cells


def lines() -> Iterator[str]:
    """Yield how many cells are right; with TABLE=1 in the environment, the whole table before."""
    if not _rows:
        return
    if os.environ.get("TABLE"):
        kinds = next(iter(_rows.values()))
        width = max(map(len, _rows))
        yield "operation".ljust(width) + "".join(f"  {kind:<24}" for kind in kinds)
        for operation, cells in _rows.items():
            yield operation.ljust(width) + "".join(f"  {b + ' → ' + n:<24.60}" for b, n in cells.values())
    counts = Counter(now for cells in _rows.values() for _, now in cells.values())
    yield f"{len(_rows)} operations: " + ", ".join(f"{n} {what}" for what, n in counts.most_common())
    lost = Counter(before for cells in _rows.values() for before, _ in cells.values())
    yield "plain migrate: " + ", ".join(f"{n} {what}" for what, n in lost.most_common())
