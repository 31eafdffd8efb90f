"""`python -m tests.benchmarks`: run the scenarios and print the table."""

from __future__ import annotations

import argparse
import os
import sys

from tests.benchmarks.bench import Bench
from tests.benchmarks.limits import largest_sync
from tests.benchmarks.packages import PACKAGES
from tests.benchmarks.report import report
from tests.benchmarks.runner import entries, run_rounds
from tests.benchmarks.scenarios import SCENARIOS
from tests.benchmarks.server import start_server

DESCRIPTION = "Measure syncing views beside the predecessor, and print the table."


def main() -> None:
    options = parse_arguments()
    packages = [package for package in PACKAGES if package.module in options.packages]
    for package in packages:
        package.interpreter()  # makes its environment first, or says at once why it cannot
    load, *_ = os.getloadavg()
    with start_server() as server:
        bench = Bench(server, options.views)
        with bench.prepared():
            if options.limit:
                for package in packages:
                    print(largest_sync(bench, package, options.limit))
                print(server.description())
                return
            lines = [line for key in options.scenarios for line in entries(bench, SCENARIOS[key], packages)]
            run_rounds(lines, options.rounds)
            print(report(command(), bench, load, options.rounds, lines))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=DESCRIPTION)
    parser.add_argument(
        "scenarios", nargs="*", default=list(SCENARIOS), metavar="scenario", help=", ".join(SCENARIOS)
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (default: 7)")
    parser.add_argument("--views", type=int, default=1000, help="how many views there are (default: 1000)")
    modules = [package.module for package in PACKAGES]
    parser.add_argument(
        "--packages", nargs="+", default=modules, choices=modules, help="default: all of them"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="MOST",
        help="instead, find how many views, up to MOST, fit the lock table",
    )
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return options


def command() -> str:
    return " ".join(["python -m tests.benchmarks", *sys.argv[1:]])


if __name__ == "__main__":
    main()
