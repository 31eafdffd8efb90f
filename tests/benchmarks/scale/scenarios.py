"""The scenarios that grow with the number of views; see `tests/benchmarks/scenarios.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.bench import Bench
from tests.benchmarks.packages import OURS, Package
from tests.benchmarks.runs import Measured
from tests.benchmarks.scenarios import scenario
from tests.benchmarks.targets import STOCK, Target, at_most, pages, works

from .process import Answer
from .project import Project

_CATALOG, _PLAN = "reading the catalogs of all views", "plan_views()"
_BESIDE = {_CATALOG: "catalog", _PLAN: "plan"}


def _register_import(count: int, target: Target) -> None:
    """(j) The processor time of a process until Django is set up, beyond that of one without views."""

    @scenario("j", f"importing {count:,} readable views", target, alone=True)
    def importing(bench: Bench, package: Package) -> Measured:
        return Measured(_import(bench, "readable", count, package))

    @importing.floor("importing as many unmanaged models with the same fields")
    def models(bench: Bench) -> Measured:
        return Measured(_import(bench, "models", count))


for _count in (250, 1_000, 2_000, 4_000):
    _register_import(_count, at_most(2.0) if _count >= 1_000 else works())


@scenario("j", "importing 4,000 readable views", at_most(1.2), alone=True)
def importing_many(bench: Bench, package: Package) -> Measured:
    return Measured(_import(bench, "readable", 4_000, package))


@importing_many.floor("1,000 of them, times what 4,000 models take of 1,000")
def importing_some(bench: Bench) -> Measured:
    growth = _import(bench, "models", 4_000) / _import(bench, "models", 1_000)
    return Measured(_import(bench, "readable", 1_000) * growth)


def _import(bench: Bench, kind: Any, count: int, package: Package = OURS) -> float:
    def processor(count: int) -> float:
        return bench.scale.run(package, Project(kind, count), has_views=kind != "models").processor

    return processor(count) - processor(0)


#: Each page with what it is held against.
PAGES: Mapping[str, tuple[str, Target]] = {
    "the list": ("list", pages(3, _CATALOG, 1.3)),
    "the list, searched": ("list?q=view11", pages(3, _CATALOG, 1.3)),
    "the page of a sync with nothing to do": ("sync", pages(1, _PLAN, 1.3)),
    "the graph of a view": ("graph?view=view10", pages(3, _CATALOG, 1.3)),
    "the page of a view": ("detail", pages(2)),
    "the page of its rows": ("preview", pages(2)),
    "the count of its rows": ("count", pages(2)),
    "the page of a run": ("run", pages(2)),
    "the history of 10,000 runs": ("runs", pages(2)),
}


def _register_page(title: str, page: str, target: Target) -> None:
    """(k) The time that a server takes for a page."""

    @scenario("k", f"{title}, with 1,000 views", target, alone=True)
    def whole(bench: Bench, package: Package) -> Measured:
        beside = [name for title, name in _BESIDE.items() if title in target.text]
        figures = _page(bench, package, 1_000, page, beside)
        measured = {title: figures[name] for title, name in _BESIDE.items() if name in figures}
        return Measured(figures["page"], {STOCK: figures["stock"], **measured})

    if page.startswith(("list", "sync", "graph")):
        return

    @scenario("k", f"{title}, with 2,000 views", at_most(1.3), alone=True, unit="stock pages")
    def with_many(bench: Bench, package: Package) -> Measured:
        return Measured(_stock_pages(bench, package, 2_000, page))

    @with_many.floor("with 200 views")
    def with_few(bench: Bench) -> Measured:
        return Measured(_stock_pages(bench, OURS, 200, page))


for _title, (_name, _target) in PAGES.items():
    _register_page(_title, _name, _target)


def _page(bench: Bench, package: Package, count: int, page: str, beside: Any = ()) -> Mapping[str, float]:
    project = Project("readable", count, some_stored=True)
    arguments = {"page": page, "beside": beside}
    how: dict[str, Any] = {"database": True, "has_admin": True, "arguments": arguments}
    return bench.scale.run(package, project, "page", **how).figures


def _stock_pages(bench: Bench, package: Package, count: int, page: str) -> float:
    """The time of a page, in stock pages of the same process."""
    figures = _page(bench, package, count, page)
    return figures["page"] / figures["stock"]


def _register_command(*command: str) -> None:
    """(l) The time of a command beyond that of the same command in a project without views."""

    @scenario("l", f"{' '.join(command)}, with 1,000 views", at_most(1.2), alone=True)
    def calling(bench: Bench, package: Package) -> Measured:
        whole = _command(bench, package, 1_000, *command, checks=True)
        return Measured(whole.elapsed - _command(bench, package, 0, *command, checks=True).elapsed)

    @calling.floor("importing them, and calling it in a process")
    def parts(bench: Bench) -> Measured:
        empty, full = (bench.scale.run(OURS, _commanded(count)).elapsed for count in (0, 1_000))
        call = _command(bench, OURS, 1_000, *command, checks=False).figures["call"]
        return Measured(full - empty + call)


for _words in (("show_views",), ("refresh_views", "view10"), ("sync_views", "--check")):
    _register_command(*_words)


def _command(bench: Bench, package: Package, count: int, *command: str, checks: bool) -> Answer:
    words = [word for word in command if count or word != "view10"]
    arguments = {"command": words, "checks": checks}
    return bench.scale.run(package, _commanded(count), "call", database=True, arguments=arguments)


def _commanded(count: int) -> Project:
    return Project("readable", count, some_stored=True)


@scenario("m", "memory of 2,000 readable views", at_most(1.3), alone=True, unit="MB")
def memory(bench: Bench, package: Package) -> Measured:
    return Measured(_memory(bench, "readable", package))


@memory.floor("of as many unmanaged models with the same fields")
def memory_of_models(bench: Bench) -> Measured:
    return Measured(_memory(bench, "models"))


def _memory(bench: Bench, kind: Any, package: Package = OURS) -> float:
    empty, full = (
        bench.scale.run(package, Project(kind, count), has_views=kind != "models").memory
        for count in (0, 2_000)
    )
    return full - empty


@scenario("m", "memory of a process after 500 syncs", at_most(1.02), most_rounds=1, alone=True, unit="MB")
def after_many_syncs(bench: Bench, package: Package) -> Measured:
    figures = bench.scale.run(package, Project("plain", 50), "sync_often", database=True).figures
    return Measured(figures["500"])


@after_many_syncs.floor("after 50 of them")
def after_some_syncs(bench: Bench) -> Measured:
    return Measured(bench.scale.run(OURS, Project("plain", 50), "sync_often", database=True).figures["50"])


#: What is done with 10,000 plain views: a command, or another action.
MANY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "check": ("call", {"command": ["check", "--database", "default"]}),
    "the first sync": ("call", {"command": ["sync_views"]}),
    "a sync with nothing to do": ("call", {"command": ["sync_views"]}),
    "a sync of one that has changed": ("change_one", {}),
    "show_views": ("call", {"command": ["show_views"]}),
    "the list": ("page", {"page": "list"}),
}


def _register_many(title: str, action: str, arguments: Mapping[str, Any]) -> None:
    """(o) 10,000 plain views beside 1,000: the time, and the memory of the process."""
    figure = "page" if action == "page" else "call"

    def answer(bench: Bench, package: Package, count: int) -> Answer:
        home, project, is_page = bench.lockable, Project("plain", count), action == "page"
        how: dict[str, Any] = {"has_admin": is_page, "arguments": arguments}
        if title == "the first sync":
            return home.run(package, project, action, dsn=home.with_tables(package, project), **how)
        return home.run(package, project, action, database=True, **how)

    @scenario("o", f"{title}, with 10,000 plain views", at_most(12), most_rounds=3, alone=True)
    def many(bench: Bench, package: Package) -> Measured:
        return Measured(answer(bench, package, 10_000).figures[figure])

    @many.floor("with 1,000")
    def some(bench: Bench) -> Measured:
        return Measured(answer(bench, OURS, 1_000).figures[figure])

    @scenario("o", f"memory: {title}, with 10,000", at_most(12), most_rounds=1, alone=True, unit="MB")
    def memory(bench: Bench, package: Package) -> Measured:
        return Measured(answer(bench, package, 10_000).memory)

    @memory.floor("with 1,000")
    def memory_of_some(bench: Bench) -> Measured:
        return Measured(answer(bench, OURS, 1_000).memory)


for _title, (_action, _arguments) in MANY.items():
    _register_many(_title, _action, _arguments)


def _register_migrations(title: str, figure: str, floor: str, target: Target) -> None:
    """(p) Five migrations of what 200 views read."""

    def answer(bench: Bench, package: Package, how: str) -> Measured:
        project = Project("readable", 200, some_stored=True)
        dsn = bench.scale.with_tables(package, project)
        found = bench.scale.run(package, project, "migrate", dsn=dsn, arguments={"how": how})
        return Measured(found.figures[figure])

    @scenario("p", title, target, alone=True)
    def together(bench: Bench, package: Package) -> Measured:
        return answer(bench, package, "with views")

    @together.floor(floor)
    def by_hand(bench: Bench) -> Measured:
        return answer(bench, OURS, "by hand")


_BY_HAND = "dropping all views, migrating, and syncing, by hand"
_register_migrations("5 migrations and 200 views", "total", _BY_HAND, works())
_register_migrations(
    "for how long readers wait", "without", "for how long there are no views, by hand", works()
)
