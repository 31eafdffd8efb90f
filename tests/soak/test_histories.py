"""Random histories of edits and of work by hand: a sync always ends where one from empty would."""

from __future__ import annotations

import os
from collections import Counter
from typing import NamedTuple

import hypothesis
import pytest
from hypothesis import strategies as st

from .byhand import BY_HAND
from .edits import EDITS, add_view
from .world import World

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "warehouse"])

#: Operations to do without, separated by commas: to look for one bug behind another.
WITHOUT = set(os.environ.get("SOAK_WITHOUT", "").split(","))


class Op(NamedTuple):
    """What is done, and three numbers that pick what to: a history is a list of these."""

    what: str
    a: int = 0
    b: int = 0
    c: int = 0

    def __repr__(self) -> str:
        return f"Op({self.what!r}, {self.a}, {self.b}, {self.c})"


SYNC = Op("sync")
_numbers = st.integers(0, 11)


def _ops(names: list[str]) -> st.SearchStrategy[Op]:
    return st.builds(
        Op, st.sampled_from([n for n in names if n not in WITHOUT]), _numbers, _numbers, _numbers
    )


_by_hand = _ops([*BY_HAND])
_edits = _ops([*EDITS])
_first = st.lists(_ops(["add_view"]), min_size=3, max_size=6)
_round = st.tuples(
    st.lists(_by_hand, min_size=1, max_size=5),
    st.lists(_edits, min_size=1, max_size=4),
    _ops(["sync"] * 6 + ["insert_rows"]),
)


def _as_history(parts: tuple[list[Op], list[tuple[list[Op], list[Op], Op]]]) -> list[Op]:
    first, rounds = parts
    return [*first, SYNC, *(op for by_hand, edits, sync in rounds for op in (*by_hand, *edits, sync))]


histories = st.tuples(_first, st.lists(_round, min_size=2, max_size=4)).map(_as_history)


def carry_out(history: list[Op], world: World, done: Counter[str] | None = None) -> None:
    """Do what a history says.

    Raises:
        AssertionError: when a sync does not end where it should, with everything that led there.
    """
    told = []
    try:
        for op in history:
            told.append(f"… {op}")
            said = _do(op, world)
            told[-1] = f"{op.what}: {said}"
            if said is None:
                told.pop()
            elif done is not None:
                done[op.what] += 1
    except Exception as error:
        happened = "\n".join(f"{i:3}. {line}" for i, line in enumerate(told, start=1))
        replay = "\n".join(f"    {op!r}," for op in history)
        raise AssertionError(
            f"{type(error).__name__}: {error}\n\nWhat happened:\n{happened}\n\nTo replay it:\n{replay}"
        ) from error


def _do(op: Op, world: World) -> str | None:
    if op.what == "sync":
        return world.sync()
    if op.what == "insert_rows":
        return world.insert_rows(op.a, op.b, op.c)
    if op.what in BY_HAND:
        return BY_HAND[op.what](world, op.a, op.b, op.c)
    return EDITS[op.what](world.code, op.a, op.b, op.c)


def test_whatever_happened_before_a_sync_ends_where_one_from_empty_would(people, how_many, seed):
    done: Counter[str] = Counter()
    count = how_many(6, 600)
    print(f"\n{count} histories, SOAK_SEED={seed}")

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(histories)
    def run(history: list[Op]) -> None:
        world = World(*people)
        done["histories"] += 1
        carry_out(history, world, done)
        done["syncs that named what was in the way"] += world.blocked

    run()
    print("\n".join(f"{number:6} {what}" for what, number in done.most_common()))


def test_a_history_can_be_replayed(people):
    world = World(*people)
    carry_out([Op("add_view", 1), Op("add_view", 0, 0), SYNC, Op("rename_column", 0), SYNC], world)
    assert len(world.code.views) == 2
    assert add_view.__name__ in EDITS
