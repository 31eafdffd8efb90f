"""A change at the bottom of materialised ← plain ← materialised, under readers of every level."""

from __future__ import annotations

import pytest

from .facts import HERE, query
from .readers import reading
from .versions import LEVELS, Chain, reset, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: Building the bottom takes this long; whoever waited for it would show in the longest read.
BUILD = 1.0

# What a swap moved was moved by one transaction, or one savepoint of it.
_MOVED_BY = """
SELECT relname, xmin::text FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'views'::regnamespace
"""

#: Down, up, and all of it in one statement.
ORDERS = [LEVELS[::-1], LEVELS, ("top middle bottom",)]


def test_eight_readers_notice_nothing_of_a_change_at_the_bottom_of_three_levels(how_many):
    chain = (Chain(seconds=BUILD),)
    times = how_many(2, 40)
    reads = errors = longest = 0
    for _ in range(times):
        reset()
        sync("a", chain)
        with reading(8, ORDERS, new="b", repeatable=1) as met:
            sync("b", chain)
        reads, longest = reads + met.count, max(longest, met.longest)
        errors += len(met.errors)
        assert not met.errors, f"{met}: {met.errors[0]}"
        moved = query(HERE, _MOVED_BY)
        assert len(moved) == 3
        assert len({xmin for _, xmin in moved}) == 1, f"not from one transaction: {moved}"
        assert met.longest < BUILD, f"somebody waited for the build: {met}"
    said = f"{reads} reads, {errors} errors, longest read {longest * 1000:.0f} ms"
    print(f"\n{times} syncs that build for {BUILD:g} s, under 8 readers: {said}")
