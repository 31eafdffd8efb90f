"""Comparing what was read of a view with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.lineage import ColumnLineage, RelationColumn, ViewLineage
from orm_views_core.names import ViewName

from .notation import Sources

#: A true source is in none of the sets of a column.
MISSED = "missed"
#: What is shown is said to be computed from, or the other way round.
WRONG_GRADE = "wrong grade"
#: Something is said to be a source that is none.
TOO_MANY = "too many"
#: What the view uses is not what it should be.
WRONG_USES = "wrong uses"


class Finding(NamedTuple):
    """One difference. ``column`` is "" for what the view uses."""

    kind: str
    view: ViewName
    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind:<11}  {self.view}{f'.{self.column}' if self.column else ''}: {self.what}"


@dataclass
class Tally:
    """The differences of many views, and how many views and columns were compared."""

    views: int = 0
    columns: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count other views, too."""
        self.views += other.views
        self.columns += other.columns
        self.findings += other.findings

    def columns_with(self, *kinds: str) -> int:
        """Return the number of columns that have differences of some kinds; for WRONG_USES, of views."""
        return len({(each.view, each.column) for each in self.findings if each.kind in kinds})

    def row(self) -> dict[str, int]:
        """Return the counts that are printed."""
        exact = self.columns - self.columns_with(MISSED, WRONG_GRADE, TOO_MANY)
        kinds = {kind: self.columns_with(kind) for kind in (MISSED, WRONG_GRADE, TOO_MANY, WRONG_USES)}
        return {"views": self.views, "columns": self.columns, "exact": exact, **kinds}


def compare_column(view: ViewName, true: Sources, got: ColumnLineage) -> Iterator[Finding]:
    """Yield how an output column differs."""

    def finding(kind: str, what: Iterable[object]) -> Iterator[Finding]:
        if named := ", ".join(sorted(map(str, what))):
            yield Finding(kind, view, got.column, named)

    true_sources = true.shows | true.computed_from
    yield from finding(MISSED, [*(true_sources - got.sources), *(true.through - set(got.through))])
    wrong = (true.shows & got.computed_from) | (true.computed_from & got.shows)
    yield from finding(WRONG_GRADE, wrong)
    # What it may show says nothing of how. It is one source too many even where it is true.
    too_many = (got.sources - true_sources) | got.may_show
    yield from finding(TOO_MANY, [*too_many, *(set(got.through) - true.through)])


def compare_uses(
    view: ViewName, true: frozenset[RelationColumn], sources: frozenset[RelationColumn], got: ViewLineage
) -> Iterator[Finding]:
    """Yield how what the view uses differs. Whether the sources of its columns are in it is left open."""
    said = got.uses | {source for column in got.columns for source in column.sources}
    if missing := true - said:
        yield Finding(WRONG_USES, view, "", "not said: " + ", ".join(sorted(map(str, missing))))
    if wrong := got.uses - true - sources:
        yield Finding(WRONG_USES, view, "", "not true: " + ", ".join(sorted(map(str, wrong))))


def table(rows: dict[str, dict[str, int]]) -> Iterator[str]:
    """Yield the lines of a table: the counts below their names, with what each row is about before."""
    names = list(next(iter(rows.values())))
    width = max(map(len, rows))
    yield " " * width + "".join(f"  {name:>11}" for name in names)
    for label, counts in rows.items():
        yield label.ljust(width) + "".join(f"  {counts[name]:>11,}" for name in names)
