"""The tables that are shown before something is started: the steps of a sync, and the views of a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording
from orm_views_admin.ui.sql_markup import DiffLine, diff_lines, highlight_sql
from orm_views_core.plan.steps import Step

from .base import NUMBER, AdminTable, FormattedColumn, LabelledTable


@dataclass(frozen=True)
class ShownStep:
    """A row of the steps: a step with its number in the plan."""

    number: int
    step: Step

    @property
    def sql(self) -> SafeString:
        return highlight_sql(self.step.sql)

    @cached_property
    def difference(self) -> list[DiffLine]:
        """The diff between the installed and the expected definition."""
        before = self.step.installed.definition if self.step.installed else None
        after = self.step.expected.definition if self.step.expected else None
        return diff_lines(before, after) if before and after else []


class StepTable(LabelledTable):
    """The steps of a plan."""

    row_header = "target"

    number = tables.Column(verbose_name=_("No."), attrs=NUMBER)
    action = FormattedColumn(wording.action_badge, accessor="step__action", verbose_name=_("Action"))
    target = tables.TemplateColumn(
        template_name="orm_views_admin/includes/step.html",
        accessor="step__target",
        verbose_name=_("View"),
        attrs={"td": {"class": "ov-main"}},
    )
    blocks = tables.Column(accessor="step__blocks", verbose_name=_("Blocks"))
    usual = FormattedColumn(
        wording.duration, accessor="step__usual_seconds", verbose_name=_("Usual duration"), attrs=NUMBER
    )


class RefreshTable(AdminTable):
    """The views that a refresh computes anew, in order.

    Each row is a mapping with the view's number, its entry and the URL of its page.
    """

    label = _("Views to refresh")
    row_header = "name"

    number = tables.Column(verbose_name=_("No."), attrs=NUMBER)
    name = tables.Column(accessor="entry__title", verbose_name=_("View"))
    how = tables.Column(
        accessor="entry__status__why_not_concurrently", verbose_name=_("How"), empty_values=()
    )
    rows = FormattedColumn(
        lambda value: f"~ {wording.number(value)}",
        accessor="entry__status__installed__rows",
        verbose_name=_("Rows"),
        attrs=NUMBER,
    )
    size = FormattedColumn(wording.size, accessor="entry__size", verbose_name=_("Size"), attrs=NUMBER)
    refreshed = FormattedColumn(wording.moment, accessor="entry__refreshed", verbose_name=_("Last refresh"))
    seconds = FormattedColumn(
        wording.duration, accessor="entry__seconds", verbose_name=_("Usual duration"), attrs=NUMBER
    )

    def render_name(self, value: str, record: dict[str, Any]) -> SafeString:
        return format_html('<a href="{}">{}</a>', record["url"], value)

    def render_how(self, value: str) -> object:
        if not value:
            return _("concurrently: readers go on reading")
        return _("readers wait, because %(reason)s") % {"reason": value}
