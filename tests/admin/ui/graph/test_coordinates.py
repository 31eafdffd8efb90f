"""Values in an order as near to the wanted ones as they can be."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orm_views_admin.ui.graph.coordinates import increasing
from orm_views_admin.ui.graph.packing import pack

VALUES = st.lists(
    st.tuples(st.integers(-1000, 1000), st.sampled_from([0.1, 1.0, 4.0])), min_size=1, max_size=12
)


@given(VALUES)
def test_values_that_increase_are_the_nearest_to_what_is_wanted(pairs):
    """The nearest ones are known in closed form: a maximum of minima of means."""
    wanted, weights = zip(*pairs, strict=True)

    def mean(first, last):
        part = pairs[first : last + 1]
        return sum(value * weight for value, weight in part) / sum(weight for _, weight in part)

    count = len(pairs)
    nearest = [
        max(min(mean(first, last) for last in range(n, count)) for first in range(n + 1))
        for n in range(count)
    ]
    assert increasing(wanted, weights) == pytest.approx(nearest)


def test_nothing_and_what_increases_already_stay():
    assert increasing([], []) == []
    assert increasing([1, 2, 3], [1, 1, 1]) == [1, 2, 3]


@given(st.lists(st.tuples(st.integers(1, 1500), st.integers(1, 500)), max_size=12))
def test_pictures_in_rows_are_not_over_one_another(sizes):
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(pack(sizes), sizes, strict=True)]
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert max((right for _, _, right, _ in boxes), default=0) <= max([860, *(w for w, _ in sizes)])
