"""A file of SQLite, seen by the project and by others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections

from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import ViewFromSQL

ALIAS = "fresh"


@dataclass(frozen=True)
class File:
    """A file.

    Attributes:
        path: where it is.
    """

    path: Path

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement through the connection of the project."""
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def elsewhere(self, timeout: float = 0) -> Iterator[sqlite3.Connection]:
        """Give a connection that is not the project's. It waits for locks for some seconds."""
        with closing(sqlite3.connect(self.path, timeout=timeout, isolation_level=None)) as other:
            yield other

    def texts(self, *kinds: str) -> dict[str, str]:
        """Return the texts of all views, or of other kinds, as another process sees them."""
        with self.elsewhere() as other:
            wanted = kinds or ("view",)
            marks = ", ".join("?" * len(wanted))
            sql = f"SELECT name, sql FROM sqlite_master WHERE type IN ({marks})"
            return dict(other.execute(sql, wanted).fetchall())

    def is_whole(self) -> bool:
        """Return whether SQLite finds nothing wrong with it."""
        with self.elsewhere() as other:
            return other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def declare(class_name: str, sql: str, /, *bases: type, **attributes: Any) -> type:
    """Declare a view of the file."""
    body = {"__module__": __name__, "sql": sql, "database": ALIAS, **attributes}
    return type(class_name, (*bases, ViewFromSQL), body)


def sync(**options: Any) -> list[str]:
    """Sync the file; return what was done, a line for each step."""
    (result,) = sync_views(databases=[ALIAS], **options)
    return [f"{each.step.action.verb} {each.step.target}" for each in result.steps]


def plan(**options: Any) -> list[str]:
    """Return what a sync would do, a line for each step."""
    (made,) = plan_views(databases=[ALIAS], **options)
    return [f"{step.action.verb} {step.target}" for step in made.steps]


def states() -> dict[str, str]:
    """Return the state of each view of the file."""
    (found,) = get_statuses([ALIAS])
    return {str(view.name): view.state.value for view in found.views}


def reasons() -> dict[str, str]:
    """Return why each view of the file has its state."""
    (found,) = get_statuses([ALIAS])
    return {str(view.name): str(view.reason) for view in found.views}
