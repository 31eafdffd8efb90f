"""What a scenario works with: a database for each package, and workers that run in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property

from tests.benchmarks.packages import OURS, Package
from tests.benchmarks.runs import Measured, MeasurementError, ask
from tests.benchmarks.scale import home as scale
from tests.benchmarks.server import Server, execute, start_server
from tests.benchmarks.views import Sizes, Views
from tests.benchmarks.worker import Task


@dataclass
class Home:
    """The database of one package, or of none, for one set of views; and the views that it has, if any."""

    database: str
    package: Package | None
    views: Views | None = None


class Bench:
    """Databases that start out with the tables and no views, and measurements in them."""

    def __init__(self, server: Server, sizes: Sizes) -> None:
        self.server = server
        self.sizes = sizes
        self.templates: dict[int, str] = {}
        self.homes: dict[tuple[Package | None, str, int], Home] = {}
        self.versions: dict[Package, dict[str, str]] = {}
        self._exits = ExitStack()
        self.stored: dict[Views, dict[Package, dict[str, str]]] = {}

    @cached_property
    def scale(self) -> scale.Home:
        """The projects with many views."""
        return self._exits.enter_context(closing(scale.Home(self.server)))

    @cached_property
    def lockable(self) -> scale.Home:
        """The same on a server with room for the locks of 10,000 views."""
        server = self._exits.enter_context(start_server("max_locks_per_transaction = 256"))
        self._exits.callback(server.drop_all)
        return self._exits.enter_context(closing(scale.Home(server)))

    @contextmanager
    def clean(self) -> Iterator[None]:
        """Drop every database in the end."""
        with self._exits:
            self._exits.callback(self.server.drop_all)
            yield

    def new_home(self, package: Package | None, views: Views) -> Home:
        """A fresh database, with the tables and no views, in place of the one that it had."""
        key = package, views.kind, views.count
        if key in self.homes:
            self.server.drop_database(self.homes.pop(key).database)
        home = self.homes[key] = Home(self.server.create_database(self._template(views)), package)
        self.server.settle(home.database)
        return home

    def home(self, package: Package | None, views: Views) -> Home:
        """The package's database, in which it has synced the views already, in whatever variant."""
        home = self.homes.get((package, views.kind, views.count)) or self.new_home(package, views)
        if home.views is None:
            fill = self.sync if package else self.create
            fill(home, views)
        self.server.settle(home.database)
        return home

    def sync(self, home: Home, views: Views | None = None) -> Measured:
        """Have the home's package sync these views; those that it has already, if none are named."""
        views = views or home.views
        assert views, "what it has is not known: name the views"
        return self._fill(home, views, "sync")

    def create(self, home: Home, views: Views, action: str = "send_by_psql") -> Measured:
        """Create these views without any package, by one of the worker's actions that do so."""
        return self._fill(home, views, action)

    def run(
        self,
        action: str,
        database: str,
        views: Views,
        package: Package | None = None,
        environment: Package | None = None,
    ) -> Measured:
        """Have a new process carry out one of the worker's actions.

        It runs where the package runs, or without one where `environment` runs.
        """
        where = package or environment or OURS
        task = Task(action, self.server.dsn_of(database), views, package.module if package else None)
        answer = ask(where, "tests.benchmarks.worker", json.dumps(asdict(task)))
        self.versions[where] = answer["versions"]
        return Measured(float(answer["seconds"]))

    def agreement(self, views: Views) -> int:
        """How many of these views every package left with the very same stored definition."""
        each = list(self.stored[views].values())
        return sum(len({stored.get(name) for stored in each}) == 1 for name in each[0])

    def _fill(self, home: Home, views: Views, action: str) -> Measured:
        home.views = None  # not known, if this fails
        measured = self.run(action, home.database, views, home.package)
        self._check_views(home, views)
        home.views = views
        return measured

    def _template(self, views: Views) -> str:
        """A database with the tables, from which others are copied; the large table is made once a run."""
        if views.rows not in self.templates:
            template = self.server.create_database()
            self.run("create_tables", template, views)
            self.server.settle(template)
            self.templates[views.rows] = template
        return self.templates[views.rows]

    def _check_views(self, home: Home, views: Views) -> None:
        """See that it made every view, and remember how PostgreSQL stored them."""
        query = """
            SELECT class.relname, pg_get_viewdef(class.oid)
            FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
            WHERE namespace.nspname = 'views' AND class.relkind IN ('v', 'm')
        """
        stored = dict(execute(self.server.dsn_of(home.database), query))
        if len(stored) != views.count:
            raise MeasurementError(f"it left {len(stored)} views, not {views.count}")
        if home.package:
            self.stored.setdefault(views, {})[home.package] = stored
