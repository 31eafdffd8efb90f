"""What came of Django's tests over views: the counts, and a reason for each test that failed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

#: The apps of Django's tests that have models and query them.
APPS = (Path(__file__).parent / "apps.txt").read_text().split()

#: As many tests have to query a view.
WANTED = 2700


class Reason(NamedTuple):
    """Why tests fail that are right of a table.

    Attributes:
        what: the reason.
        error: a regular expression that is found in the error.
    """

    what: str
    error: str


REASONS = [
    Reason(
        "dumpdata leaves views out, unless they are named",
        r"^fixtures\.|^m2m_through_regress\.tests\.(M2MThroughSerialization|ThroughLoadData)",
    ),
    Reason("loaddata cannot set the sequence below a view", r"test_dumpdata_uses_default_manager"),
    Reason(
        "full_clean() does not know constraints with conditions or expressions; PostgreSQL does",
        r"_constraints?(_expression)?\n[\s\S]*AssertionError: ValidationError not raised",
    ),
    Reason(
        "the test looks for a table's name in SQL, or into the joins of a query",
        r"not found in |Col\(|KeyError: 'aggregation_book'|len\(qs\.query\.alias_map\)|_generated_of\n",
    ),
    Reason(
        "a relation is counted with its join: Django leaves it out for its own class of managers only",
        r"_join_optimization\n",
    ),
    Reason("the test expects an order of rows that nothing asks for", r"FilteredRelationTests\.test_union\n"),
    Reason("a generated column is a column like others", r"test_output_field_db_collation\n"),
]
OURS = "no known reason: ours"


def reason_of(test: str, error: str) -> str:
    """Return why a test fails over views."""
    return next((each.what for each in REASONS if re.search(each.error, f"{test}\n{error}")), OURS)


def run(source: str, labels: list[str], report: Path, **environment: str) -> Any:
    """Run tests in a process of their own, and return its report."""
    report.unlink(missing_ok=True)
    said = {**os.environ, **environment, "DJANGO_SUITE_REPORT": str(report)}
    subprocess.run([sys.executable, "-m", "tests.django_suite", source, *labels], env=said, check=False)
    return json.loads(report.read_text())


def main(source: str, folder: str, *labels: str) -> int:
    """Run the tests over views, run those that fail over tables, and print what came of them.

    Args:
        source: the folder of Django's source.
        folder: where the reports are written.
        labels: the tests; those of ``APPS`` by default.
    """
    report = run(source, [*(labels or APPS)], Path(folder) / "views.json")
    tests: dict[str, dict[str, Any]] = report["tests"]
    failed = [name for name, test in tests.items() if test["outcome"] == "failed"]
    tables: Any = {"tests": {}}
    if failed:
        tables = run(source, failed, Path(folder) / "tables.json", DJANGO_SUITE_TABLES="1")
    queried, ours = summarise(report, tables)
    return int(ours > 0 or (not labels and queried < WANTED))


def summarise(report: Any, tables: Any) -> tuple[int, int]:
    """Print what came of the tests. Return how many query a view, and how many fail because of it.

    Args:
        report: that of the tests over views.
        tables: that of those which fail, over tables.
    """
    tests: dict[str, dict[str, Any]] = report["tests"]
    failed = [name for name, test in tests.items() if test["outcome"] == "failed"]
    queried = {name: test for name, test in tests.items() if test["queries"]}
    without = {name for name in failed if tables["tests"].get(name, {}).get("outcome") == "failed"}
    why_failed = {
        name: "it fails over tables too" if name in without else reason_of(name, tests[name]["error"])
        for name in failed
    }
    reasons = Counter(why_failed.values())
    print(f"{len(report['views'])} models are views, {len(report['kept'])} are tables:")
    for why, number in Counter(report["kept"].values()).most_common():
        print(f"{number:7} {why}")
    print(f"{len(tests)} test methods, {len(queried)} of which query a view:")
    for outcome, number in Counter(test["outcome"] for test in queried.values()).most_common():
        print(f"{number:7} {outcome}")
    print(f"{len(failed)} test methods that fail:")
    for why, number in reasons.most_common():
        print(f"{number:7} {why}")
    for name in failed:
        if why_failed[name] == OURS:
            print(f"ours: {name}")
    return len(queried), reasons[OURS]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
