"""A step of a plan as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from orm_views_admin.ui.sql_markup import DiffLine, diff_lines, highlight_sql
from orm_views_core.plan.steps import Action, Step


@dataclass(frozen=True)
class ShownStep:
    """A step with its SQL highlighted and its difference worked out."""

    number: int
    step: Step
    sql: SafeString
    difference: list[DiffLine]

    @property
    def action(self) -> Action:
        return self.step.action

    @property
    def target(self) -> str:
        return self.step.target

    @property
    def indirect(self) -> bool:
        return self.step.indirect

    @property
    def blocks(self) -> str:
        return self.step.blocks

    @property
    def is_built_aside(self) -> bool:
        return self.step.built_at is not None

    @property
    def usual_seconds(self) -> Any:
        return self.step.usual_seconds


def show_step(number: int, step: Step) -> ShownStep:
    """Return what the page shows of a step."""
    before = step.installed.definition if step.installed else None
    after = step.expected.definition if step.expected else None
    return ShownStep(
        number, step, highlight_sql(step.sql), diff_lines(before, after) if before and after else []
    )
