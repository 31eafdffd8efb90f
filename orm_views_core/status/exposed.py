"""What the guard of personal columns finds in views, as a part of their status."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.definition import Definitions
from orm_views_core.names import ViewName
from orm_views_core.privacy.marks import are_used

from .diagnosis import with_findings
from .states import ViewStatus

if TYPE_CHECKING:
    from orm_views_core.privacy.guard import Finding


def judged_statuses(
    connection: BaseDatabaseWrapper,
    definitions: Definitions,
    statuses: list[ViewStatus],
    only: Collection[ViewName] | None,
) -> list[ViewStatus]:
    """Return statuses with what the guard of personal columns has found. Without marks, nothing is sent.

    Args:
        connection: the database.
        definitions: what the classes of the views say.
        statuses: those of the views.
        only: the views, if they are not all that the database has.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    if not are_used():
        return statuses
    # With the guard come the rules of PostgreSQL, which only who marks something needs.
    from orm_views_core.privacy.api import judge_views

    findings = judge_views(connection, only, definitions)
    problems, warnings = _by_view(findings.problems), _by_view(findings.warnings)
    return [
        with_findings(status, problems[status.name], warnings[status.name]) if status.name else status
        for status in statuses
    ]


def _by_view(findings: Iterable[Finding]) -> Mapping[ViewName, list[Finding]]:
    found: defaultdict[ViewName, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.column.relation].append(finding)
    return found
