"""A few views that stand alone, each of which has to be rebuilt whenever the variant changes."""

from __future__ import annotations

from tests.benchmarks.project.definitions import Definition


def definitions(count: int, variant: int, *, materialised: bool) -> list[Definition]:
    """Views whose columns change places from one variant to the next: CREATE OR REPLACE cannot do that."""
    columns = ["id", f"{variant} AS variant"]
    if variant % 2:
        columns.reverse()
    sql = f"SELECT {', '.join(columns)} FROM project_customer"
    return [Definition(f"Mixed{i}", sql=sql, key="id" if materialised else None) for i in range(count)]
