"""Two versions of the same views: materialised ← plain ← materialised, and what tells them apart.

Every row says of which version its view is, and of which versions what it reads is. So a reader can tell
whether what it got is one version whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orm_views_core.sync import SyncResult, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry

from .facts import HERE, query

VERSIONS = ("a", "b")
LEVELS = ("bottom", "middle", "top")
ROWS = 300

#: Counts how often the bottom of the first chain was built.
BUILDS = "base.builds"

RESET = f"""
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS views, theirs, base CASCADE;
CREATE SCHEMA base;
CREATE SEQUENCE {BUILDS};
CREATE TABLE base.t AS SELECT n::bigint AS id, n % 10 AS tenth FROM generate_series(1, {ROWS}) n;
"""


@dataclass(frozen=True)
class Chain:
    """Three views above one another, and how long the lowest takes to build, in seconds."""

    number: int = 0
    seconds: float = 0.0

    def declare(self, version: str) -> None:
        """Declare the three classes as they are in a version of the code."""
        n = self.number
        build = f"(SELECT nextval('{BUILDS}'))" if n == 0 else "0"
        self._declare(
            f"bottom{n}",
            f"SELECT id, tenth, '{version}'::text AS bottom, {build} AS build FROM base.t"
            + (f" CROSS JOIN (SELECT pg_sleep({self.seconds})) AS slow" if self.seconds else ""),
            PostgresMaterialisedViewMixin,
            pk_field="id",
        )
        # The columns of the plain view are not the same either, so it cannot be replaced in place.
        extra = "tenth" if version == "a" else "tenth::text AS tenth"
        self._declare(
            f"middle{n}", f"SELECT id, {extra}, bottom, '{version}'::text AS middle FROM views.bottom{n}"
        )
        self._declare(
            f"top{n}",
            f"SELECT min(id) AS id, bottom, middle, '{version}'::text AS top FROM views.middle{n} "
            "GROUP BY tenth, bottom, middle",
            PostgresMaterialisedViewMixin,
            pk_field="id",
        )

    @staticmethod
    def _declare(name: str, sql: str, *bases: type, **attributes: Any) -> None:
        type(name, (*bases, PostgresViewFromSQL), {"__module__": __name__, "sql": sql, **attributes})


def reset() -> None:
    """Start with tables and without views."""
    query(HERE, RESET)


def sync(version: str, chains: tuple[Chain, ...], **options: Any) -> SyncResult:
    """Sync a version of the code."""
    with registry.isolated():
        for chain in chains:
            chain.declare(version)
        (result,) = sync_views(databases=[HERE], **options)
    return result


_COLUMNS = {"bottom": "bottom", "middle": "concat(bottom, middle)", "top": "concat(bottom, middle, top)"}
_COUNTS = {"bottom": ROWS, "middle": ROWS, "top": 10}


def read_statement(levels: str, number: int = 0) -> str:
    """Return the query whose answer is one row: which versions the rows are of, and how many rows there are.

    Args:
        levels: one level, or several to be read in one statement, as in "top middle".
        number: the chain's.
    """
    rows = " UNION ALL ".join(
        f"SELECT {_COLUMNS[level]} FROM views.{level}{number}" for level in levels.split()
    )
    return f"SELECT count(*), array_agg(DISTINCT versions) FROM ({rows}) AS found (versions)"


def version_read(levels: str, row: tuple[int, list[str]]) -> str:
    """Return the version that a reader got.

    Raises:
        AssertionError: when it is not one version whole.
    """
    count, found = row
    version = found[0][0] if found else ""
    whole = {version * (LEVELS.index(level) + 1) for level in levels.split()}
    assert set(found or ()) == whole, f"{levels}: a mix of versions: {found}"
    expected = sum(_COUNTS[level] for level in levels.split())
    assert count == expected, f"{levels}: {count} rows instead of {expected}"
    return version
