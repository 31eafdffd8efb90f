"""Comparing the rows of a view that changes, and the joins that it is held against, in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OURS = "compare"
JOIN = "the FULL JOIN with a count for each column, by hand"
KEYS = "the FULL JOIN of the keys only"
#: How many rows there are for each one in which a column changes, and which ones these are.
_CHANGES = {"amount": (400, 0), "paid": (500, 1), "number": (2_000, 3)}

_BEFORE = "SELECT id, customer_id, number, amount, placed, paid FROM scaled_purchase"
_AFTER = """
SELECT id, customer_id, CASE WHEN id % 2000 = 3 THEN number || 'x' ELSE number END AS number,
       CASE WHEN id % 400 = 0 THEN amount + 1 ELSE amount END AS amount, placed,
       CASE WHEN id % 500 = 1 THEN NOT paid ELSE paid END AS paid
FROM scaled_purchase
"""
_COLUMNS = ("customer_id", "number", "amount", "placed", "paid")


def what_to_compare(rows: int) -> dict[str, Callable[[], object]]:
    """Declare a view, sync it, and declare it anew. Return its comparison, and the joins."""
    from django.db import connections

    from orm_views_core.comparison import compare_views
    from orm_views_core.sync import plan_views, sync_views
    from orm_views_core.views import PostgresViewFromSQL

    view: Any = type(
        "Compared", (PostgresViewFromSQL,), {"sql": _BEFORE, "__module__": "scaled.postgres_views"}
    )
    sync_views(views=["compared"])
    view.sql = _AFTER
    (plan,) = plan_views(["default"], views=["compared"])
    changed = {column: rows // many for column, (many, _) in _CHANGES.items()}

    def compare() -> None:
        (found,) = compare_views(plan).views
        assert not found.why_not, found.why_not
        assert not found.is_estimate
        assert found.counts is not None
        assert dict(found.counts.by_column) == changed, found.counts
        total = (found.counts.changed, found.counts.added, found.counts.removed, found.counts.new)
        assert total == (sum(changed.values()), 0, 0, rows), found.counts
        assert len(found.samples) == 20

    def join(counts: str) -> Callable[[], None]:
        def ask() -> None:
            with connections["default"].cursor() as cursor:
                joined = f"({_BEFORE}) AS o FULL JOIN ({_AFTER}) AS n ON o.id = n.id"
                cursor.execute(f"SELECT count(*), {counts} FROM {joined}")
                assert cursor.fetchone()[0] == rows

        return ask

    by_column = ", ".join(f"count(*) FILTER (WHERE o.{c} IS DISTINCT FROM n.{c})" for c in _COLUMNS)
    only_keys = "count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE n.id IS NULL)"
    return {OURS: compare, JOIN: join(f"{only_keys}, {by_column}"), KEYS: join(only_keys)}
