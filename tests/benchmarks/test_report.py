"""The benchmark's own sums: turns, failures, ratios and the table. Nothing is measured here."""

from __future__ import annotations

from tests.benchmarks.bench import Bench, MeasurementError, reason_of
from tests.benchmarks.limits import STEP, bisect
from tests.benchmarks.packages import OURS, PREDECESSOR, Package
from tests.benchmarks.report import table
from tests.benchmarks.runner import Entry, run_rounds
from tests.benchmarks.scenarios import Scenario


def measure_nothing(bench: Bench, package: Package) -> float:
    raise AssertionError("entries here have measures of their own")


SCENARIO = Scenario("some", "a scenario", measure_nothing)


def entry(title: str, *seconds: float, package: Package | None = None) -> Entry:
    times = iter(seconds)
    return Entry(SCENARIO, title, lambda: next(times), package)


def test_rounds_go_there_and_back() -> None:
    order: list[str] = []
    lines = [Entry(SCENARIO, name, lambda name=name: order.append(name) or 1.0) for name in "abc"]
    run_rounds(lines, rounds=3)
    assert "".join(order) == "abccbaabc"


def test_the_table_gives_medians_and_ratios_to_the_predecessor() -> None:
    lines = [
        entry("ours", 0.5, 0.6, 0.7, package=OURS),
        entry("theirs", 1.0, 2.0, 2.0, package=PREDECESSOR),
        entry("bare", 0.2, 0.2, 0.2),
    ]
    run_rounds(lines, rounds=3)
    assert table(lines) == [
        "                 median       min   ratio   of min   in each round",
        "a scenario",
        "  ours          0.600 s   0.500 s    0.30     0.50    0.30 to 0.50",
        "  theirs        2.000 s   1.000 s    1.00     1.00    1.00 to 1.00",
        "  floor: bare   0.200 s   0.200 s    0.10     0.20",
    ]


def test_a_failure_is_a_result_and_not_tried_again() -> None:
    attempts: list[str] = []

    def fail() -> float:
        attempts.append("once")
        raise MeasurementError("OperationalError: out of shared memory")

    theirs = Entry(SCENARIO, "theirs", fail, PREDECESSOR)
    ours = entry("ours", 1.0, 1.0, package=OURS)
    run_rounds([ours, theirs], rounds=2)
    assert attempts == ["once"]
    assert table([ours, theirs])[1:] == [
        "a scenario",
        "  ours   1.000 s   1.000 s",
        "  theirs: OperationalError: out of shared memory",
    ]


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


def test_bisect_finds_the_last_number_that_works() -> None:
    assert bisect(lambda views: views <= 17 * STEP, fails=80) == 17
    assert bisect(lambda views: False, fails=80) == 0
