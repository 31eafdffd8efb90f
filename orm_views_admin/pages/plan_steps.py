"""A step of a plan as the sync page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from orm_views_admin.ui.sql_markup import DiffLine, diff_lines, highlight_sql
from orm_views_core.plan.steps import Step


@dataclass(frozen=True)
class ShownStep:
    """A step with its number in the plan, its highlighted SQL and the diff of its definition."""

    number: int
    step: Step
    sql: SafeString
    difference: list[DiffLine]


def show_step(number: int, step: Step) -> ShownStep:
    """Return a step as the page shows it."""
    before = step.installed.definition if step.installed else None
    after = step.expected.definition if step.expected else None
    difference = diff_lines(before, after) if before and after else []
    return ShownStep(number, step, highlight_sql(step.sql), difference)
