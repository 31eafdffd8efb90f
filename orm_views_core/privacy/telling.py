"""Says what the guard has found. What is passed on from view to view is said once, where it begins. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.sentences import Sentence, enumerated, says

from .guard import Finding


def told_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield findings without those of columns that only pass on what another finding is about.

    The others name these columns instead.
    """
    known = {finding.column for finding in findings}
    passing = {each.column: each for each in findings if each.roots and known.issuperset(each.roots)}
    passed_on: dict[RelationColumn, list[Sentence]] = defaultdict(list)
    for finding in passing.values():
        for root in _first(finding, passing):
            passed_on[root].append(finding.where)
    for finding in findings:
        if finding.column in passing:
            continue
        if places := passed_on.pop(finding.column, None):
            finding = finding._replace(
                what=says(
                    "%(what)s It is passed on to %(places)s.", what=finding.what, places=enumerated(places)
                ),
                advice=says("%(advice)s If you hide or expose it, do the same there.", advice=finding.advice),
            )
        yield finding


def _first(finding: Finding, passing: Mapping[RelationColumn, Finding]) -> Iterator[RelationColumn]:
    """Yield the columns where what a finding is about begins."""
    pending, seen = [*finding.roots], set[RelationColumn]()
    while pending:
        column = pending.pop()
        if column in seen:
            continue
        seen.add(column)
        if column in passing:
            pending += passing[column].roots
        else:
            yield column
