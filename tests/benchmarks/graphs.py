"""How long it takes to lay out a graph, in a process of its own: a task in, an answer out, both JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from time import perf_counter

from tests.admin.ui.graph.crossings import count_dots, count_ours, lay_out_by_dot
from tests.admin.ui.graph.samples import KINDS
from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import Package
from tests.benchmarks.runs import Measured, MeasurementError, ask
from tests.benchmarks.scenarios import scenario
from tests.benchmarks.targets import within

NODES, EDGES = 300, 500


def main() -> None:
    """Lay out a graph of a kind; answer with the milliseconds that it takes and how often edges cross."""
    from orm_views_admin.ui.graph.layout import Size, lay_out

    count, edges = KINDS[json.load(sys.stdin)["kind"]](0, NODES, EDGES)
    sizes = dict.fromkeys(range(count), Size(160, 44))
    began = perf_counter()
    layout = lay_out(sizes, edges)
    milliseconds = (perf_counter() - began) * 1000
    json.dump({"milliseconds": milliseconds, "crossings": count_ours(layout).crossings}, sys.stdout)


def _register(kind: str) -> None:
    """(q) A graph, beside graphviz, which is started for it."""

    title = f"lay out a graph of {NODES} nodes and {EDGES} edges, {kind}"

    @scenario("q", title, within(100), alone=True, unit="ms")
    def laid_out(bench: Bench, package: Package) -> Measured:
        answer = ask(package, "tests.benchmarks.graphs", json.dumps({"kind": kind}))
        return Measured(answer["milliseconds"], counts=_crossings(answer["crossings"]))

    @laid_out.floor("graphviz's dot, with its start")
    def by_dot(bench: Bench) -> Measured:
        if not shutil.which("dot"):
            raise MeasurementError("graphviz is not installed")
        graph = KINDS[kind](0, NODES, EDGES)
        began = perf_counter()
        try:
            layout = lay_out_by_dot(graph)
        except subprocess.CalledProcessError as error:
            raise MeasurementError(error.stderr) from error
        milliseconds = (perf_counter() - began) * 1000
        return Measured(milliseconds, counts=_crossings(count_dots(layout).crossings))


def _crossings(count: int) -> Counter[str]:
    return Counter({"crossings, all rounds together": count})


for _kind in KINDS:
    _register(_kind)

if __name__ == "__main__":
    main()
