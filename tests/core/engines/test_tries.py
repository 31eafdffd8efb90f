"""How long each try to get locks takes."""

from __future__ import annotations

from itertools import islice

import pytest

from orm_views_core.engines.postgresql.locking.tries import short_and_often, steady


def test_steady_tries_soon_take_as_long_as_they_may():
    assert [round(each.timeout, 3) for each in islice(steady(0.5), 5)] == [0.1, 0.2, 0.4, 0.5, 0.5]


def test_most_tries_of_the_swap_are_short_and_some_are_as_long_as_they_may_be():
    tries = list(islice(short_and_often(0.5), 400))
    short = [each for each in tries if each.timeout <= 0.012]
    longer = [i for i, each in enumerate(tries) if each.timeout > 0.012]
    assert [(i, round(tries[i].timeout, 3)) for i in longer] == [
        (12, 0.1),
        (37, 0.2),
        (86, 0.4),
        (183, 0.5),
        (280, 0.5),
        (377, 0.5),
    ]
    assert len({each.rest for each in short}) > 100, "the pauses are random"
    assert all(0.002 <= each.rest <= 0.008 for each in short)


@pytest.mark.parametrize("tries", [steady, short_and_often])
@pytest.mark.parametrize("longest", [0.001, 0.01, 0.06, 0.5])
def test_no_try_takes_longer_than_lock_timeout(tries, longest):
    assert max(each.timeout for each in islice(tries(longest), 200)) == longest
