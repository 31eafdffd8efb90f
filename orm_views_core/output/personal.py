"""What the guard of personal columns finds, as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orm_views_core.lineage.written import write_relation
from orm_views_core.privacy.guard import Finding, Findings
from orm_views_core.privacy.telling import told_once

from .lineage import column_as_dict


def findings_lines(alias: str, findings: Findings, *, with_notes: bool = False) -> Iterator[str]:
    """Yield what a sync of a database would be refused for, and what else somebody should look at.

    Args:
        alias: the database.
        findings: what the guard has found in it.
        with_notes: also which personal columns decide the rows of views.
    """
    if problems := [*told_once(findings.problems)]:
        count = len(problems)
        yield f"A sync of database '{alias}' would be refused, for {count} reason{'s' if count > 1 else ''}:"
        yield from (f"  ! {problem}" for problem in problems)
    else:
        yield f"No view of database '{alias}' shows what is personal without saying so."
    yield from (f"  Warning: {warning}" for warning in findings.warnings)
    if with_notes:
        yield from (f"  Note: {note}" for note in findings.notes)


def findings_as_dict(findings: Findings) -> dict[str, Any]:
    """Return the same for JSON, and the columns that others than the owners of their views may read.

    A column has the personal columns only that it is made of.
    """
    return {
        "problems": [_as_dict(problem) for problem in findings.problems],
        "warnings": [_as_dict(warning) for warning in findings.warnings],
        "notes": list(findings.notes),
        "columns": [
            column_as_dict(name, exposure.column.column, exposure)
            for name, exposures in sorted(findings.exposed.items())
            for exposure in exposures.values()
        ],
    }


def _as_dict(finding: Finding) -> dict[str, str]:
    view, column = finding.column
    return {
        "view": write_relation(view),
        "column": column,
        "what": finding.what,
        "advice": finding.advice,
    }
