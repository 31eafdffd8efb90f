"""Order among views: a view after what it reads, and circles named."""

from __future__ import annotations

import pytest

from orm_views_core.exceptions import CyclicDependencyError
from orm_views_core.graph import closure, creation_order, reverse


def test_each_comes_after_all_that_it_reads():
    reads = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": [], "e": ["d"]}
    order = creation_order(reads)
    assert sorted(order) == sorted(reads)
    assert all(order.index(read) < order.index(reader) for reader, those in reads.items() for read in those)


def test_what_is_independent_stays_in_its_order():
    assert creation_order(dict.fromkeys("zebra", ())) == list("zebra")


def test_names_outside_are_passed_over():
    assert creation_order({"a": ["a_table"], "b": ["a", "another_table"]}) == ["a", "b"]


def test_nothing_has_an_empty_order():
    assert creation_order({}) == []


@pytest.mark.parametrize(
    ("reads", "path"),
    [
        ({"a": ["a"]}, "a → a"),
        ({"a": ["b"], "b": ["a"]}, "a → b → a"),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, "a → b → c → a"),
    ],
)
def test_a_circle_is_named_in_the_direction_of_reading(reads, path):
    with pytest.raises(CyclicDependencyError, match=f"in a circle: {path}\\. "):
        creation_order(reads)


def test_reversing_gives_the_readers():
    assert reverse({"a": [], "b": ["a"], "c": ["a", "b"]}) == {"a": {"b", "c"}, "b": {"c"}}


def test_reversing_twice_gives_the_same_for_whatever_reads_something():
    reads = {"b": {"a"}, "c": {"a", "b"}}
    assert reverse(reverse(reads)) == reads


def test_a_closure_has_its_start_and_all_that_can_be_reached_even_in_a_circle():
    edges = {"a": ["b"], "b": ["c"], "c": ["a"], "x": ["y"]}
    assert closure(edges, ["a"]) == {"a", "b", "c"}
    assert closure(edges, ["not there"]) == {"not there"}
    assert closure(edges, []) == set()


def test_a_chain_of_thousands_is_no_recursion():
    count = 5000
    reads = {i: [i - 1] for i in range(count)}
    assert creation_order(reads)[-1] == count - 1
    assert len(closure(reads, [count - 1])) == count + 1
