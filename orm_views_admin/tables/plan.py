"""The tables that are shown before something is started: the steps of a sync, and the views of a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.disclosure import text_for
from orm_views_admin.ui import wording
from orm_views_admin.ui.sql_markup import DiffLine, diff_lines, highlight_sql
from orm_views_core.plan.steps import Step

from .base import NUMBER, AdminTable, FormattedColumn, LinkingTable
from .entries import Entry


@dataclass(frozen=True)
class ShownStep:
    """A row of the steps: a step with its number in the plan, as a user may read it."""

    number: int
    step: Step
    user: Any

    @property
    def lost(self) -> list[str]:
        """What the step loses, and why."""
        return [text_for(self.user, lost) for lost in self.step.lost]

    @property
    def sql(self) -> SafeString:
        return highlight_sql(self.step.sql)

    @cached_property
    def difference(self) -> list[DiffLine]:
        """The diff between the installed and the expected definition."""
        before = self.step.installed.definition if self.step.installed else None
        after = self.step.expected.definition if self.step.expected else None
        return diff_lines(before, after) if before and after else []


class StepTable(AdminTable):
    """The steps of a plan."""

    row_header = "target"

    number = tables.Column(_("No."), attrs=NUMBER)
    action = FormattedColumn(wording.action_badge, _("Action"), accessor="step__action")
    target = tables.TemplateColumn(
        template_name="orm_views_admin/includes/step.html",
        accessor="step__target",
        verbose_name=_("View"),
        attrs={"td": {"class": "ov-main"}},
    )
    blocks = tables.Column(_("Blocks"), accessor="step__blocks")
    usual = FormattedColumn(wording.duration, _("Last build"), accessor="step__usual_seconds", attrs=NUMBER)


class RefreshTable(LinkingTable):
    """The views that a refresh computes anew, in order."""

    label = _("Views to refresh")
    row_header = "title"

    number = tables.Column(_("No."), empty_values=(), attrs=NUMBER)
    title = tables.Column(_("View"))
    how = tables.Column(_("How"), accessor="status__why_not_concurrently", empty_values=())
    rows = FormattedColumn(wording.row_count, _("Rows"), accessor="status__installed__rows", attrs=NUMBER)
    size = FormattedColumn(wording.size, _("Size"), accessor="status__installed__size", attrs=NUMBER)
    refreshed = FormattedColumn(wording.moment, _("Last refresh"))
    seconds = FormattedColumn(wording.duration, _("Usual duration"), attrs=NUMBER)

    def render_number(self, bound_row: Any) -> int:
        return int(bound_row.row_counter) + 1

    def render_title(self, value: str, record: Entry) -> SafeString:
        return format_html('<a href="{}">{}</a>', self._url("detail", record.address), value)

    def render_how(self, value: str) -> object:
        if not value:
            return _("concurrently: readers go on reading")
        return _("readers wait, because %(reason)s") % {"reason": value}
