"""What a scenario works with: fresh databases, workers that run in them, and a check of what they made."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from tests.benchmarks.packages import OURS, ROOT, Package
from tests.benchmarks.server import Server, execute
from tests.benchmarks.worker import Task


class MeasurementError(Exception):
    """A measurement that failed; the message is the one that the worker ended with."""


class Bench:
    """Databases that start out with the tables and no views, and measurements in them."""

    def __init__(self, server: Server, views: int) -> None:
        self.server = server
        self.views = views
        self.template: str | None = None
        self.versions: dict[Package, dict[str, str]] = {}
        self.stored: dict[Package, dict[str, str]] = {}

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Keep a template with the tables, from which every database is copied."""
        with self.server.database() as self.template:
            self.run("create_tables", self.template)
            yield

    @contextmanager
    def database(self) -> Iterator[str]:
        """A fresh database's name, for as long as the block lasts."""
        assert self.template, "databases are copied from a template: see prepared()"
        with self.server.database(self.template) as name:
            self.settle(name)
            yield name

    def settle(self, database: str) -> None:
        """Finish the server's chores, so that what is timed next does not pay for what came before."""
        self.server.settle(database)

    def run(
        self, action: str, database: str, package: Package | None = None, environment: Package | None = None
    ) -> float:
        """Have a new process carry out one of the worker's actions; returns the seconds that it measured.

        It runs where the package runs, or without one where `environment` runs.
        """
        where = package or environment or OURS
        task = Task(action, self.server.dsn_of(database), self.views, package.module if package else None)
        process = subprocess.run(
            [where.interpreter(), "-m", "tests.benchmarks.worker"],
            cwd=ROOT,
            input=json.dumps(asdict(task)),
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            raise MeasurementError(reason_of(process.stderr))
        answer = json.loads(process.stdout)
        self.versions[where] = answer["versions"]
        return float(answer["seconds"])

    def check_views(self, database: str, package: Package) -> None:
        """See that the package made every view, and remember how PostgreSQL stored them."""
        query = """
            SELECT class.relname, pg_get_viewdef(class.oid)
            FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
            WHERE namespace.nspname = 'views' AND class.relkind = 'v'
        """
        stored = dict(execute(self.server.dsn_of(database), query))
        if len(stored) != self.views:
            raise MeasurementError(f"it made {len(stored)} views, not {self.views}")
        self.stored[package] = stored

    def agreement(self) -> int:
        """How many views every package left with the very same stored definition."""
        each = list(self.stored.values())
        return sum(len({stored[name] for stored in each}) == 1 for name in each[0]) if each else 0


def reason_of(output: str) -> str:
    """The line that names the exception: the first one after the last traceback's frames."""
    last = output.rpartition("Traceback (most recent call last):\n")[2]
    return next((line for line in last.splitlines() if line and not line[0].isspace()), "it gave no reason")
