"""`python -m tests.benchmarks`: run the scenarios and print the table."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import monotonic

from tests.benchmarks import graphs
from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, PACKAGES, before
from tests.benchmarks.report import report
from tests.benchmarks.runner import block
from tests.benchmarks.scale import comparisons, exports, previews
from tests.benchmarks.scale import scenarios as scale
from tests.benchmarks.scenarios import SCENARIOS
from tests.benchmarks.server import start_server
from tests.benchmarks.views import Sizes

_ = comparisons, exports, graphs, previews, scale  # their scenarios have registered themselves
DESCRIPTION = "Measure syncing views beside the predecessor and django-pgviews-redux, and print the table."


def main() -> None:
    options = parse_arguments()
    if options.against:
        packages = [OURS, before(options.against.resolve())]
    else:
        packages = [package for package in PACKAGES if package.module in options.packages]
    for package in packages:
        package.interpreter()  # makes its environment first, or says at once why it cannot
    load, *_ = os.getloadavg()
    start = monotonic()
    with start_server() as server:
        previewed = Sizes.previewed if options.rows == Sizes.rows else options.rows
        bench = Bench(server, Sizes(options.views, options.many, options.rows, previewed))
        with bench.clean():
            blocks = [
                block(bench, scenario, packages, options.rounds)
                for scenario in SCENARIOS
                if scenario.key in options.scenarios
            ]
            for each in blocks:
                each.run()
            print(report(command(), bench, load, (monotonic() - start) / 60, blocks))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=DESCRIPTION)
    keys = list(dict.fromkeys(scenario.key for scenario in SCENARIOS))
    parser.add_argument("scenarios", nargs="*", default=keys, metavar="scenario", help=", ".join(keys))
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often everything is measured, at most (default: 5)"
    )
    for name, of_what in {
        "views": "plain views there are",
        "many": "plain views are many",
        "rows": f"rows the large table has, and {Sizes.previewed:,} are previewed unless this is given",
    }.items():
        default = getattr(Sizes, name)
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"how many {of_what} (default: {default:,})"
        )
    modules = [package.module for package in PACKAGES]
    parser.add_argument(
        "--packages", nargs="+", default=modules, choices=modules, help="default: all of them"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="measure this checkout and another one by turns, and nothing else",
    )
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(keys):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return options


def command() -> str:
    return " ".join(["python -m tests.benchmarks", *sys.argv[1:]])


if __name__ == "__main__":
    main()
