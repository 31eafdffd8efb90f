"""A total order for sorted pages, so that each row is on one page, and a cell is where its page shows it.

PostgreSQL returns rows that are equal in the sort keys in any order, and in another one for each LIMIT.
https://www.postgresql.org/docs/current/queries-limit.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.explain import explain

from .cells import in_statement
from .columns import TypedColumn

# What an index on one table returns needs no sort. Ties then come as they are in the index, on each page of
# such a plan. A parallel scan has no order of ties.
_INDEX_ONLY = {"Limit", "Index Scan", "Index Only Scan", "Subquery Scan", "Result"}
# For a deep page the planner would sort instead, and ties would come in another order.
_KEEP_INDEX = "SELECT pg_catalog.set_config('enable_sort', 'off', true)"

# PostgreSQL computes the expensive columns of a plain view for the rows of the page only, unless rows are
# sorted by them. So the planner is asked what the tie-breakers cost. It takes about a second for 100,000.
_RATIO, _ALLOWANCE = 1.3, 1000


def tie_breakers(
    columns: Mapping[str, TypedColumn], used: Collection[str], masked: Collection[str], *, is_stored: bool
) -> list[list[str]]:
    """Return what may be sorted by after the sort keys, as SQL, best first.

    Masked columns are left out: the order of rows would tell their values.

    Args:
        columns: all columns of a view.
        used: the columns that are sort keys.
        masked: those whose values stay in the database.
        is_stored: whether it is a materialised view. It has a place for each row, until it is refreshed.
    """
    if is_stored:
        return [["ctid"]]
    ordered = [
        (in_statement(name), typed)
        for name, typed in columns.items()
        if typed.comparison and name not in used and name not in masked
    ]
    # A long value is stored elsewhere, and each comparison reads it. It is compared only where all columns
    # before it are equal, so numbers and what has a fixed length, which is at most 64 bytes, come first.
    short = [name for name, typed in ordered if typed.is_short]
    long = [name for name, typed in ordered if not typed.is_short]
    # The first column of a view is often its key.
    candidates = [short + long, short, short[:1]]
    return [each for number, each in enumerate(candidates) if each and each not in candidates[:number]]


def with_total_order(
    cursor: CursorWrapper,
    keys: Sequence[str],
    candidates: Sequence[Sequence[str]],
    first_page: Callable[[Sequence[str]], tuple[str, Sequence[Any]]],
) -> list[str]:
    """Return sort keys with the tie-breakers that cost little. It decides the same for each page.

    The order is not total if all of them cost much, or if rows differ only in columns without an order.

    Args:
        cursor: in the transaction in which the view is locked.
        keys: the sort keys, as SQL.
        candidates: as :func:`tie_breakers` returns them.
        first_page: returns the statement of the first page in an order, and its parameters.
    """
    if not keys or not candidates:
        return list(keys)
    plain = explain(cursor, *first_page(keys))
    if set(_nodes(plain)) <= _INDEX_ONLY and _is_by_index(plain):
        cursor.execute(_KEEP_INDEX)
        return list(keys)
    limit = plain["Total Cost"] * _RATIO + _ALLOWANCE
    for tie_breaker in candidates:
        tried = [*keys, *tie_breaker]
        if explain(cursor, *first_page(tried))["Total Cost"] <= limit:
            return tried
    return list(keys)


def _nodes(plan: Mapping[str, Any]) -> Iterator[str]:
    yield plan["Node Type"]
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _is_by_index(plan: Mapping[str, Any]) -> bool:
    return any(node.startswith("Index") for node in _nodes(plan))
