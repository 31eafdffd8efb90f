"""The projects and databases of these measurements, and the processes that run in them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.benchmarks.packages import Package
from tests.benchmarks.runs import ask
from tests.benchmarks.server import Server

from .process import Answer, Task
from .project import Project


class Home:
    """Writes each project once, and prepares a database for each that needs one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._folder = tempfile.TemporaryDirectory(prefix="orm-views-scale-")
        self.dsn_of = cache(self._prepare)
        self.folder_of = cache(self._write)
        self.filled = cache(self._fill)

    def close(self) -> None:
        """Remove the projects. The server drops its databases itself."""
        self._folder.cleanup()

    def run(self, package: Package, project: Project, action: str = "", **how: Any) -> Answer:
        """Run an action in a process of its own.

        Args:
            package: the checkout of ours that is measured.
            project: the project.
            action: see ``Task``.
            how: further values of the task; ``database=True`` stands for a database that has the views.
        """
        needs_database = how.pop("database", False)
        dsn = how.pop("dsn", "")
        if needs_database:
            dsn = self.dsn_of(package, project, how.get("has_admin", False))
        return self._start(package, Task(action, str(self.folder_of(project)), dsn, **how))

    def with_tables(self, package: Package, project: Project) -> str:
        """Return the connection string of a new database that has the tables, and no views."""
        dsn = self._server.dsn_of(self._server.create_database())
        self._start(package, Task("create_tables", str(self.folder_of(project)), dsn))
        return dsn

    def _fill(self, package: Package, project: Project, rows: int) -> str:
        """Return the connection string of a database with so many rows; it is filled once."""
        dsn = self._server.dsn_of(self._server.create_database())
        folder = str(self.folder_of(project))
        self._start(package, Task("fill", folder, dsn, has_admin=True, arguments={"rows": rows}))
        return dsn

    def _prepare(self, package: Package, project: Project, has_admin: bool) -> str:
        dsn = self._server.dsn_of(self._server.create_database())
        arguments = {"runs": 10_000 if has_admin else 0}
        folder = str(self.folder_of(project))
        self._start(package, Task("prepare", folder, dsn, has_admin=has_admin, arguments=arguments))
        return dsn

    def _write(self, project: Project) -> Path:
        folder = Path(self._folder.name) / f"{project.kind}{project.count}{'stored' * project.some_stored}"
        project.write(folder)
        return folder

    @staticmethod
    def _start(package: Package, task: Task) -> Answer:
        start = perf_counter()
        answer = ask(package, "tests.benchmarks.scale.process", json.dumps(asdict(task)))
        return Answer(**answer, elapsed=perf_counter() - start)
