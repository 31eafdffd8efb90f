"""In which order views are refreshed, and which views a failure skips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orm_views_core.exceptions import CyclicDependencyError
from orm_views_core.graph import closure
from orm_views_core.refresh.schedule import Schedule, narrow_down

READS = {"d": {"c"}, "c": {"b"}, "b": {"a"}, "e": {"a", "table"}, "a": {"table"}}


def test_a_plain_view_passes_on_new_rows_and_a_materialised_view_that_is_not_refreshed_does_not():
    assert narrow_down(READS, {"a", "b", "d"}, {"c"}) == {"a": set(), "b": {"a"}, "d": {"b"}}
    assert narrow_down(READS, {"a", "d"}, {"c"}) == {"a": set(), "d": set()}, "b keeps its rows"
    assert narrow_down(READS, {"a", "d"}, {"c", "b"}) == {"a": set(), "d": {"a"}}


def test_one_after_another_the_order_of_the_declarations_is_kept_as_far_as_possible():
    schedule = Schedule({"x": set(), "b": {"a"}, "a": set()})
    order = []
    while (name := schedule.take()) is not None:
        order.append(name)
        schedule.finish(name, ok=True)
    assert order == ["x", "a", "b"]


def test_nothing_can_be_taken_while_all_remaining_views_wait():
    schedule = Schedule({"a": set(), "b": {"a"}})
    assert schedule.take() == "a"
    assert schedule.take() is None
    schedule.finish("a", ok=True)
    assert schedule.take() == "b"


def test_the_view_that_begins_the_longest_chain_comes_first():
    waits_for = {"short": set(), "long": set(), "head": set(), "middle": {"head"}, "tail": {"middle"}}
    schedule = Schedule(waits_for, {"short": 1, "long": 5, "head": 2, "middle": 2, "tail": 2})
    assert [schedule.take() for _ in range(3)] == ["head", "long", "short"]


def test_a_failure_skips_the_views_that_wait_for_it_and_no_others():
    schedule = Schedule({"a": set(), "b": {"a"}, "c": {"b"}, "other": set(), "d": {"other"}})
    stopped = {}
    while (name := schedule.take()) is not None:
        stopped[name] = schedule.failed_before(name)
        schedule.finish(name, ok=name != "a" and not stopped[name])
    assert stopped == {"a": [], "b": ["a"], "c": ["b"], "other": [], "d": []}


def test_the_error_names_the_views_of_a_circle():
    with pytest.raises(CyclicDependencyError, match=r"(a → b → a|b → a → b)"):
        Schedule({"a": {"b"}, "b": {"a"}})


@given(st.data(), st.integers(1, 9), st.integers(1, 4))
def test_in_any_graph_each_view_is_taken_once_and_after_all_that_it_waits_for(data, count, jobs):
    waits_for = {n: data.draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)}
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    seconds = {n: data.draw(st.floats(0, 9)) for n in waits_for}
    schedule = Schedule(waits_for, seconds)
    taken, ended, running = [], set(), []
    while len(ended) < count:
        while len(running) < jobs and (name := schedule.take()) is not None:
            assert waits_for[name] <= ended
            taken.append(name)
            running.append(name)
        assert running, "nothing runs and nothing can be taken"
        name = running.pop(data.draw(st.integers(0, len(running) - 1)))
        stopped = bool(schedule.failed_before(name))
        assert stopped == bool((closure(waits_for, waits_for[name])) & bad)
        schedule.finish(name, ok=name not in bad and not stopped)
        ended.add(name)
    assert sorted(taken) == list(range(count))
