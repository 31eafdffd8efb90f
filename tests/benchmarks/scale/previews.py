"""The preview of a view of very many rows, beside the query that it sends and a stock changelist."""

from __future__ import annotations

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import Package
from tests.benchmarks.runs import Measured
from tests.benchmarks.scenarios import scenario
from tests.benchmarks.targets import beside

from .previewed import ASKED
from .project import Project

_PROJECT = Project("readable", 20)


def _register(title: str) -> None:
    """(o) A page of the preview. All three are asked by turns in one process."""

    @scenario("o", f"a preview of {{previewed:,}} rows, {title}", beside(1.3), most_rounds=3, alone=True)
    def preview(bench: Bench, package: Package) -> Measured:
        rows = bench.sizes.previewed
        how = {"has_admin": True, "arguments": {"title": title, "rows": rows}}
        dsn = bench.scale.filled(package, _PROJECT, rows)
        figures = bench.scale.run(package, _PROJECT, "preview", dsn=dsn, **how).figures
        return Measured(
            figures["page"],
            {
                "the same query with LIMIT, without a page": figures["query"],
                "a stock changelist page of 50 users": figures["stock"],
            },
        )


for _title in ASKED:
    _register(_title)
