"""What is measured. A scenario is a small function here; a floor is what no package could be faster than.

    @scenario("b", "nothing changed, {views:,} plain views", at_most(0.35))
    def unchanged(bench: Bench, package: Package) -> Measured: ...

    @unchanged.floor("one catalog query")
    def catalog_query(bench: Bench) -> Measured: ...

Every round calls a scenario once for each package and each of its floors once. The letters are those of
docs/project/benchmarks.md, and what the command line takes; several scenarios may share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.bench import Bench, Home
from tests.benchmarks.packages import OURS, PREDECESSOR, Package
from tests.benchmarks.reader import Seen
from tests.benchmarks.readers import Readers, reading
from tests.benchmarks.runs import Measured, MeasurementError
from tests.benchmarks.targets import Target, at_most, no_stall, swaps, works
from tests.benchmarks.views import Kind, Views

Measure = Callable[[Bench, Package], Measured]
MeasureFloor = Callable[[Bench], Measured]


@dataclass(frozen=True)
class Scenario:
    """Something to measure with every package, and the floors to hold that against, by title.

    What no other package does is measured `alone`, and its first floor takes the predecessor's place. Memory
    has MB for its `unit`.
    """

    key: str
    title: str
    target: Target
    measure: Measure
    most_rounds: int
    alone: bool = False
    unit: str = "s"
    floors: dict[str, MeasureFloor] = field(default_factory=dict)

    def floor(self, title: str) -> Callable[[MeasureFloor], MeasureFloor]:
        """Register a function as a floor of this scenario."""

        def register(measure: MeasureFloor) -> MeasureFloor:
            self.floors[title] = measure
            return measure

        return register


SCENARIOS: list[Scenario] = []


def scenario(
    key: str, title: str, target: Target, most_rounds: int = 99, *, alone: bool = False, unit: str = "s"
) -> Callable[[Measure], Scenario]:
    """Make a function a scenario. What takes long has its `most_rounds`."""

    def register(measure: Measure) -> Scenario:
        SCENARIOS.append(Scenario(key, title, target, measure, most_rounds, alone, unit))
        return SCENARIOS[-1]

    return register


@scenario("a", "from empty, {views:,} plain views", at_most(0.8))
def from_empty(bench: Bench, package: Package) -> Measured:
    return bench.sync(bench.new_home(package, bench.sizes.plain), bench.sizes.plain)


@from_empty.floor("the same DDL by psql, in one transaction")
def by_psql(bench: Bench) -> Measured:
    return bench.create(bench.new_home(None, bench.sizes.plain), bench.sizes.plain)


@from_empty.floor("the same DDL in one string, on a bare connection")
def in_one(bench: Bench) -> Measured:
    return bench.create(bench.new_home(None, bench.sizes.plain), bench.sizes.plain, "send_in_one")


@scenario("b", "nothing changed, {views:,} plain views", at_most(0.35))
def unchanged(bench: Bench, package: Package) -> Measured:
    return bench.sync(bench.home(package, bench.sizes.plain))


@unchanged.floor("compiling the querysets, where ours runs")
def compiling(bench: Bench) -> Measured:
    return _compile(bench, bench.sizes.plain)


@unchanged.floor("compiling the querysets, where the predecessor runs")
def compiling_there(bench: Bench) -> Measured:
    return _compile(bench, bench.sizes.plain, PREDECESSOR)


@unchanged.floor("one catalog query")
def catalog_query(bench: Bench) -> Measured:
    return _read_catalog(bench, bench.sizes.plain)


@scenario("c", "nothing changed, 5 materialised views over {rows:,} rows", at_most(0.05), most_rounds=3)
def materialised_unchanged(bench: Bench, package: Package) -> Measured:
    return bench.sync(bench.home(package, bench.sizes.materialised))


@materialised_unchanged.floor("one catalog query")
def materialised_catalog_query(bench: Bench) -> Measured:
    return _read_catalog(bench, bench.sizes.materialised)


@scenario("d", "one of {views:,} plain views changed", at_most(0.4))
def one_changed(bench: Bench, package: Package) -> Measured:
    return _sync_changed(bench, bench.home(package, bench.sizes.plain))


@one_changed.floor("compiling, one catalog query, one CREATE OR REPLACE VIEW")
def replacing_one(bench: Bench) -> Measured:
    return _compile_read_replace(bench, bench.sizes.plain)


@scenario(
    "e",
    "longest stall of {readers} readers of a view on a materialised view over {rows:,} rows, which changes",
    no_stall(0.1),
    most_rounds=3,
)
def stall(bench: Bench, package: Package) -> Measured:
    home = bench.home(package, bench.sizes.read)
    assert home.views
    new = str(home.views.changed().variant)
    beside: dict[str, float] = {}
    troubles: Counter[str] = Counter()
    with reading(bench.server.dsn_of(home.database), Readers(bench.sizes.readers)) as seen:
        try:
            beside["the sync meanwhile"] = _sync_changed(bench, home).seconds
        except MeasurementError as error:
            troubles[f"the sync failed: {error}"] += 1
    counts = Counter({**_counts(seen), "reads of the new definition": seen.variants[new]})
    return Measured(seen.longest, beside, counts, _errors(seen) + troubles)


@stall.floor("the same readers, no sync")
def no_sync(bench: Bench) -> Measured:
    home = bench.home(None, bench.sizes.read)
    with reading(bench.server.dsn_of(home.database), Readers(bench.sizes.readers)) as seen:
        bench.run("wait", home.database, bench.sizes.read)
    return Measured(seen.longest, {}, _counts(seen), _errors(seen))


@scenario("f", "from empty, {many:,} plain views", works(), most_rounds=1)
def many_from_empty(bench: Bench, package: Package) -> Measured:
    return bench.sync(bench.new_home(package, bench.sizes.many_plain), bench.sizes.many_plain)


@many_from_empty.floor("the same DDL by psql, in one transaction")
def many_by_psql(bench: Bench) -> Measured:
    return bench.create(bench.new_home(None, bench.sizes.many_plain), bench.sizes.many_plain)


@scenario("f", "nothing changed, {many:,} plain views", works(), most_rounds=1)
def many_unchanged(bench: Bench, package: Package) -> Measured:
    return bench.sync(bench.home(package, bench.sizes.many_plain))


@many_unchanged.floor("compiling the querysets")
def many_compiling(bench: Bench) -> Measured:
    return _compile(bench, bench.sizes.many_plain)


@many_unchanged.floor("one catalog query")
def many_catalog_query(bench: Bench) -> Measured:
    return _read_catalog(bench, bench.sizes.many_plain)


@scenario("f", "one of {many:,} plain views changed", works(), most_rounds=1)
def many_one_changed(bench: Bench, package: Package) -> Measured:
    return _sync_changed(bench, bench.home(package, bench.sizes.many_plain))


@many_one_changed.floor("compiling, one catalog query, one CREATE OR REPLACE VIEW")
def many_replacing_one(bench: Bench) -> Measured:
    return _compile_read_replace(bench, bench.sizes.many_plain)


@scenario(
    "g",
    "refresh four materialised views over {rows:,} rows that stand alone and three in a row, 2 jobs",
    at_most(0.65),
    most_rounds=3,
    alone=True,
)
def side_by_side(bench: Bench, package: Package) -> Measured:
    return _refresh(bench, package, bench.sizes.refreshed, "refresh_side_by_side")


@side_by_side.floor("one after another")
def one_by_one(bench: Bench) -> Measured:
    return _refresh(bench, OURS, bench.sizes.refreshed, "refresh_one_by_one")


@scenario("h", "refresh one of them", at_most(1.03), alone=True)
def refresh_one(bench: Bench, package: Package) -> Measured:
    return _refresh(bench, package, bench.sizes.refreshed, "refresh_one")


@refresh_one.floor("the same REFRESH by psql, as it times it")
def refresh_by_psql(bench: Bench) -> Measured:
    return _refresh(bench, OURS, bench.sizes.refreshed, "refresh_one_by_psql")


@scenario(
    "i",
    "longest stall of {readers} readers while a materialised view over {rows:,} rows is refreshed",
    no_stall(0.1),
    most_rounds=3,
    alone=True,
)
def refresh_stall(bench: Bench, package: Package) -> Measured:
    home = bench.home(package, bench.sizes.read)
    beside = {}
    with reading(bench.server.dsn_of(home.database), Readers(bench.sizes.readers)) as seen:
        beside["the refresh meanwhile"] = _refresh(bench, package, bench.sizes.read, "refresh_one").seconds
    return Measured(seen.longest, beside, _counts(seen), _errors(seen))


refresh_stall.floor("the same readers, no refresh")(no_sync)


@scenario("r", "the lineage of {views:,} plain views, from nothing", at_most(2), alone=True)
def lineage(bench: Bench, package: Package) -> Measured:
    home = bench.home(package, bench.sizes.plain)
    return bench.run("read_lineage", home.database, bench.sizes.plain, package)


@lineage.floor("their sync from empty")
def synced(bench: Bench) -> Measured:
    return bench.sync(bench.new_home(OURS, bench.sizes.plain), bench.sizes.plain)


def _mixed(kind: Kind, groups: Sequence[tuple[int, int]]) -> None:
    """Register a scenario: all views are rebuilt while readers read several in a transaction, in any order.

    A reader may wait for twice as long as LOCK_TIMEOUT, which is half a second.

    Args:
        groups: how many readers read how many views.
    """
    most = max(views for _, views in groups)
    readers = [Readers(count, views, out_of=most) for count, views in groups]
    who = " and ".join(f"{count} readers of {views}" for count, views in groups)

    @scenario(
        "n",
        f"{who} in a transaction, in any order, of {most} {kind.split()[-1]} views, which change",
        swaps(3, stall=1),
        alone=True,
    )
    def mixed(bench: Bench, package: Package) -> Measured:
        home = bench.home(package, Views(kind, most))
        with reading(bench.server.dsn_of(home.database), *readers) as seen:
            seconds = _sync_changed(bench, home).seconds
        return Measured(seconds, {"longest stall of a reader": seen.longest}, _counts(seen), _errors(seen))

    @mixed.floor("no readers")
    def unread(bench: Bench) -> Measured:
        return _sync_changed(bench, bench.home(OURS, Views(kind, most)))


for _groups in ([(6, 2)], [(4, 3)], [(6, 2), (4, 3)]):
    _mixed("mixed plain", _groups)
    _mixed("mixed materialised", _groups)


def _refresh(bench: Bench, package: Package, views: Views, action: str) -> Measured:
    return bench.run(action, bench.home(package, views).database, views, package)


def _sync_changed(bench: Bench, home: Home) -> Measured:
    """Sync what it has with another definition of one view; every time with one that it has not had."""
    assert home.views
    return bench.sync(home, home.views.changed())


def _counts(seen: Seen) -> Counter[str]:
    return Counter({"errors": seen.errors.total(), "reads": seen.variants.total()})


def _errors(seen: Seen) -> Counter[str]:
    return Counter({f"a reader: {error}": count for error, count in seen.errors.items()})


def _compile(bench: Bench, views: Views, environment: Package = OURS) -> Measured:
    database = bench.home(None, views).database
    return bench.run("compile_querysets", database, views, environment=environment)


def _read_catalog(bench: Bench, views: Views) -> Measured:
    return bench.run("read_catalog", bench.home(None, views).database, views)


def _compile_read_replace(bench: Bench, views: Views) -> Measured:
    database = bench.home(None, views).database
    actions = ("compile_querysets", "read_catalog", "replace_one")
    return Measured(sum(bench.run(action, database, views.changed()).seconds for action in actions))
