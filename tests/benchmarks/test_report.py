"""The benchmark's own sums: turns, failures, ratios, targets and the table. Nothing is measured here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import psycopg2
import pytest

from tests.benchmarks.packages import OURS, PREDECESSOR, Package, before
from tests.benchmarks.reader import Seen, kind_of
from tests.benchmarks.report import table
from tests.benchmarks.runner import Block, Entry
from tests.benchmarks.runs import Measured, MeasurementError, Run, reason_of
from tests.benchmarks.targets import STOCK, Target, at_most, no_stall, pages, swaps, within, works

NO_ERRORS = Counter({"errors": 0})


def block(*entries: Entry, rounds: int = 1, target: Target | None = None) -> Block:
    made = Block("(x) a scenario", target or works(), rounds, entries)
    made.run()
    return made


def entry(title: str, *results: float | Measured, package: Package | None = None) -> Entry:
    each = iter(result if isinstance(result, Measured) else Measured(result) for result in results)
    return Entry(title, lambda: next(each), package)


def failing(reason: str) -> Callable[[], Measured]:
    def fail() -> Measured:
        raise MeasurementError(reason)

    return fail


def test_rounds_go_there_and_back() -> None:
    order: list[str] = []
    block(*(Entry(name, lambda name=name: order.append(name) or Measured(1.0)) for name in "abc"), rounds=3)
    assert "".join(order) == "abccbaabc"


def test_the_table_gives_medians_ratios_to_the_predecessor_and_a_verdict() -> None:
    made = block(
        entry("ours", 0.5, 0.6, 0.7, package=OURS),
        entry("theirs", 1.0, 2.0, 2.0, package=PREDECESSOR),
        entry("floor: bare", 0.2, 0.2, 0.2),
        rounds=3,
        target=at_most(0.35),
    )
    assert table([made]) == [
        "                 median       min       max   ratio   in each round   target",
        "(x) a scenario; 3 rounds",
        "  ours          0.600 s   0.500 s   0.700 s    0.30    0.30 to 0.50   0.35: met",
        "  theirs        2.000 s   1.000 s   2.000 s    1.00    1.00 to 1.00",
        "  floor: bare   0.200 s   0.200 s   0.200 s    0.10",
    ]


def test_what_was_measured_and_counted_beside_follows_in_lines_of_its_own() -> None:
    made = block(
        entry("ours", *(Measured(0.05, {"the sync": 2.0}, NO_ERRORS) for _ in range(2)), package=OURS),
        entry(
            "theirs",
            Measured(2.0, {"the sync": 3.0}, Counter(errors=1), Counter({"Deadlock": 1})),
            Measured(4.0, {}, Counter(errors=1200), Counter({"Deadlock": 1200})),
            package=PREDECESSOR,
        ),
        rounds=2,
        target=no_stall(0.1),
    )
    assert table([made]) == [
        "                median       min       max   ratio    in each round   target",
        "(x) a scenario; 2 rounds",
        "  ours         0.050 s   0.050 s   0.050 s   0.017   0.013 to 0.025   100 ms, 0 errors: met",
        "    the sync   2.000 s   2.000 s   2.000 s",
        "    0 errors",
        "  theirs       3.000 s   2.000 s   4.000 s    1.00     1.00 to 1.00",
        "    the sync   3.000 s   3.000 s   3.000 s",
        "    1,201 errors",
        "    Deadlock (1,201)",
    ]


def test_a_failure_is_a_result_and_not_tried_again() -> None:
    attempts: list[str] = []

    def fail() -> Measured:
        attempts.append("once")
        raise MeasurementError("OperationalError: out of shared memory")

    made = block(
        entry("ours", 1.0, 1.0, package=OURS),
        Entry("theirs", fail, PREDECESSOR),
        rounds=2,
        target=at_most(0.5),
    )
    assert attempts == ["once"]
    assert table([made])[1:] == [
        "(x) a scenario; 2 rounds",
        "  ours   1.000 s   1.000 s   1.000 s                           0.50",
        "  theirs: OperationalError: out of shared memory",
    ]


def test_our_own_failure_misses_every_target() -> None:
    made = block(Entry("ours", failing("ValueError: no"), OURS))
    assert table([made])[1:] == [
        "(x) a scenario; 1 round",
        "  ours: ValueError: no   (target works: not met)",
    ]


def _swaps(seconds: list[float], stall: float, **troubles: int) -> Run:
    return Run([Measured(each, {"stall": stall}, troubles=Counter(troubles)) for each in seconds])


@pytest.mark.parametrize(
    ("target", "ours", "theirs", "verdict"),
    [
        (at_most(0.4), Run.of([3.9, 4.0, 9.0]), Run.of([10.0]), "0.40: met"),
        (at_most(0.4), Run.of([4.1]), Run.of([10.0]), "0.40: not met"),
        (at_most(0.4), Run.of([4.1]), None, "0.40"),
        (no_stall(0.1), Run.of([0.01, 0.09]), None, "100 ms, 0 errors: met"),
        (no_stall(0.1), Run.of([0.01, 0.11]), None, "100 ms, 0 errors: not met"),
        (no_stall(0.1), Run([Measured(0.01, troubles=Counter(oops=1))]), None, "100 ms, 0 errors: not met"),
        (swaps(3, 1), _swaps([0.1, 9.0, 3.0], 0.9), None, "3 s, stall 1 s, 0 errors: met"),
        (swaps(3, 1), _swaps([0.1, 9.0, 3.1], 0.9), None, "3 s, stall 1 s, 0 errors: not met"),
        (swaps(3, 1), _swaps([0.1], 1.1), None, "3 s, stall 1 s, 0 errors: not met"),
        (swaps(3, 1), _swaps([0.1], 0.1, oops=1), None, "3 s, stall 1 s, 0 errors: not met"),
        (works(), Run.of([4.1]), None, "works: met"),
        (within(100), Run.of([99.0, 100.0, 300.0]), Run.of([1.0]), "100 ms: met"),
        (within(100), Run.of([101.0]), Run.of([200.0]), "100 ms: not met"),
        (pages(2), Run([Measured(0.1, {STOCK: 0.05})]), None, "2 stock pages: 2.00, met"),
        (pages(1), Run([Measured(0.1, {STOCK: 0.05})]), None, "1 stock page: 2.00, not met"),
        (
            pages(3, "reading", 1.3),
            Run([Measured(0.30, {STOCK: 0.05, "reading": 0.1})]),
            None,
            "3 stock pages beyond 1.3 times reading: 3.40, not met",
        ),
    ],
)
def test_targets(target: Target, ours: Run, theirs: Run | None, verdict: str) -> None:
    assert target.verdict(ours, theirs) == verdict


def test_readers_add_up_and_the_same_error_is_counted_once_whatever_its_numbers() -> None:
    kinds = {
        kind_of(psycopg2.InternalError(f"could not open relation with OID {n}\nHINT: no")) for n in (1, 23)
    }
    assert kinds == {"InternalError: could not open relation with OID …"}
    seen = Seen(0.1, Counter({"0": 3}), Counter())
    seen.add(Seen(0.3, Counter({"0": 1, "1": 2}), Counter(kinds)))
    assert (seen.longest, seen.variants, seen.errors.total()) == (0.3, Counter({"0": 4, "1": 2}), 1)


def test_the_reason_is_the_last_exception_and_not_its_hint() -> None:
    output = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
psycopg2.errors.OutOfMemory: out of shared memory
HINT:  You might need to increase "max_locks_per_transaction".

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 1, in <module>
    sync()
django.db.utils.OperationalError: out of shared memory
HINT:  You might need to increase "max_locks_per_transaction".
"""
    assert reason_of(output) == "django.db.utils.OperationalError: out of shared memory"


def test_what_is_measured_alone_is_held_against_its_first_floor() -> None:
    entries = [
        entry("ours", 2.04, 2.0, package=OURS),
        entry("floor: by psql", 2.0, 2.0),
        entry("floor: another", 1.0, 1.0),
    ]
    made = Block("(h) alone", at_most(1.03), 2, entries, alone=True)
    made.run()
    assert [line.split("   ")[-1] for line in table([made])[2:3]] == ["1.03: met"]
    assert "1.00 to 1.02" in table([made])[2]


def test_another_checkout_is_what_times_are_held_against(tmp_path) -> None:
    ours = entry("ours", 0.5, package=OURS)
    old = entry("before", 1.0, package=before(tmp_path))
    assert block(entry("theirs", 4.0, package=PREDECESSOR), ours, old).yardstick is old.run
    assert before(tmp_path) != OURS
    assert not OURS.is_before
