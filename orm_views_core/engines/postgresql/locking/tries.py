"""How long each try to get locks may take, and how long to rest after it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

#: Seconds between two tries: long enough for the queue of readers to drain.
PAUSE = 0.2

_FIRST = 0.1  # seconds; doubled from try to try, because a short wait is usually enough

# A reader that holds one view and waits for another one, which we have locked, makes a try fail. Waiting
# longer does not help: it holds its view until we give up. With readers of two or three views in a
# transaction, in any order, one try in ten or fifty succeeds. So tries are short, and pauses random. The
# longer tries between are for readers that read one view for long.
_SHORT, _SHORTEST_REST, _LONGEST_REST = 0.012, 0.002, 0.008  # seconds
_LONGER, _IN_A_ROW = 0.1, 12  # both are doubled, so that longer tries take a small part of the time


class Try(NamedTuple):
    """One try: for how many seconds it may wait in total, and for how many to rest if it fails."""

    timeout: float
    rest: float


def steady(longest: float) -> Iterator[Try]:
    """Yield tries that soon take as long as they may, for work that locks one relation or costs much."""
    timeout = _FIRST
    while True:
        yield Try(min(longest, timeout), PAUSE)
        timeout *= 2


def short_and_often(longest: float) -> Iterator[Try]:
    """Yield many short tries, and now and then a longer one, for work that locks several relations."""
    longer, in_a_row = _LONGER, _IN_A_ROW
    while True:
        for _ in range(in_a_row):
            rest = random.uniform(_SHORTEST_REST, _LONGEST_REST)  # noqa: S311 - guards nothing
            yield Try(min(longest, _SHORT), rest)
        yield Try(min(longest, longer), PAUSE)
        if longer < longest:
            longer, in_a_row = 2 * longer, 2 * in_a_row
