"""The tables that are shown before something is started: the steps of a sync, and the views of a refresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import text_for, without_unseen
from orm_views_admin.trends import StepKey
from orm_views_admin.ui import wording
from orm_views_admin.ui.sql_markup import (
    FORMAT_LIMIT,
    DiffLine,
    Folded,
    format_sql,
    highlight_sql,
)
from orm_views_core.plan.steps import Action, Plan, Step
from orm_views_core.sentences import translate

from .base import NUMBER, AdminTable, FormattedColumn, LinkingTable
from .entries import Entry
from .sql import shown_difference, shown_sql


@dataclass(frozen=True)
class ShownStep:
    """A row of the steps, as a user may read it.

    Attributes:
        number: its position in the plan, from 1. Steps are done in this order.
        url: the page of its view; "" if it has none.
        is_formatted: whether its SQL is formatted.
        usual: how many seconds it usually takes; None if that is unknown.
        alias: its database.
    """

    number: int
    step: Step
    user: Any
    url: str = ""
    is_formatted: bool = True
    usual: float | None = None
    alias: str | None = None

    @property
    def name(self) -> SafeString:
        return wording.breakable(self.step.target)

    @property
    def is_ours(self) -> bool:
        """Whether a class declares the view, or declared it before it was dropped."""
        step = self.step
        return step.definition is not None or step.action in {Action.SCHEMA, Action.DROP}

    @property
    def lost(self) -> list[str]:
        """What the step loses, and why."""
        return [text_for(self.user, lost, self.alias) for lost in self.step.lost]

    @property
    def reason(self) -> str:
        return without_unseen(self.user, self.step.reason, self.alias)

    @property
    def kept(self) -> list[str]:
        """What the new view has as well."""
        return [without_unseen(self.user, kept, self.alias) for kept in self.step.kept]

    @property
    def blocks(self) -> str:
        """Who has to wait for the step."""
        return without_unseen(self.user, self.step.blocks, self.alias)

    @property
    def sql(self) -> Folded:
        shown = shown_sql(self.user, self.step.sql, self.alias)
        if not self.is_formatted or shown != self.step.sql:
            return highlight_sql(shown)
        return highlight_sql("\n".join(f"{format_sql(each.sql)};" for each in self.step.statements))

    @cached_property
    def difference(self) -> list[DiffLine]:
        """The diff between the installed and the expected definition."""
        before = self.step.installed.definition if self.step.installed else None
        after = self.step.expected.definition if self.step.expected else None
        return shown_difference(self.user, before, after, self.alias) if before and after else []


class StepTable(AdminTable):
    """The steps of a plan."""

    row_header = "target"

    number = tables.Column(_("No."), attrs=NUMBER)
    action = FormattedColumn(wording.action_badge, _("Action"), accessor="step__action")
    target = tables.TemplateColumn(
        template_name="orm_views_admin/includes/step.html",
        accessor="step__target",
        verbose_name=pgettext_lazy("in a database", "View"),
        attrs={"td": {"class": "ov-main"}},
    )
    blocks = tables.Column(_("Blocks"))
    usual = FormattedColumn(wording.duration, _("Usual time"), attrs=NUMBER)

    def below(self, record: ShownStep) -> SafeString:
        return render_to_string("orm_views_admin/includes/step_sql.html", {"record": record})


def show_steps(
    plan: Plan, user: Any, url: Callable[[Step], str], usual: Mapping[StepKey, float]
) -> list[ShownStep]:
    """Return the rows of a plan's steps, in their order.

    Args:
        plan: the plan.
        user: who reads the page.
        url: returns the URL of the page of a step's view; "" if it has none.
        usual: how many seconds the steps of earlier syncs usually took.
    """
    # Formatting takes a second for so much SQL.
    is_formatted = sum(len(sent.sql) for step in plan.steps for sent in step.statements) <= 2 * FORMAT_LIMIT
    return [
        ShownStep(n, step, user, url(step), is_formatted, _usual(step, usual), plan.database)
        for n, step in enumerate(plan.steps, 1)
    ]


def _usual(step: Step, usual: Mapping[StepKey, float]) -> float | None:
    """Return how long a step usually takes: as the same step of earlier syncs, or as the last build did."""
    known = usual.get((step.action.value, step.target))
    return known or (step.usual_seconds if step.fills else None)


class RefreshTable(LinkingTable):
    """The views that a refresh computes anew, in order."""

    label = _("Views to refresh")
    row_header = "title"

    def __init__(
        self, entries: Sequence[Entry], url: Callable[..., str], *, has_boxes: bool, are_ticked: bool
    ) -> None:
        super().__init__(entries, url, exclude=() if has_boxes else ("ticked",))
        self._are_ticked = are_ticked

    ticked = tables.Column("", accessor="address", attrs={"td": {"class": "action-checkbox"}}, default="")
    number = tables.Column(_("No."), empty_values=(), attrs=NUMBER)
    title = tables.Column(pgettext_lazy("in a database", "View"))
    how = tables.Column(_("How"), accessor="status__why_not_concurrently", empty_values=())
    rows = FormattedColumn(wording.row_count, _("Rows"), accessor="status__installed__rows", attrs=NUMBER)
    size = FormattedColumn(wording.size, _("Size"), accessor="status__installed__size", attrs=NUMBER)
    refreshed = FormattedColumn(wording.moment, _("Last refresh"))
    seconds = FormattedColumn(wording.duration, _("Usual duration"), attrs=NUMBER)

    def render_ticked(self, value: ViewAddress, record: Entry) -> SafeString:
        return format_html(
            '<input type="checkbox" name="view" value="{}" class="ov-select" aria-label="{}"{}>',
            value.key,
            _("Refresh %(name)s") % {"name": record.title},
            " checked" if self._are_ticked else "",
        )

    def render_number(self, bound_row: Any) -> int:
        return int(bound_row.row_counter) + 1

    def render_title(self, value: str, record: Entry) -> SafeString:
        name = wording.breakable(value)
        return format_html('<a href="{}">{}</a>', self._url("detail", record.address), name)

    def render_how(self, value: str) -> object:
        if not value:
            return _("concurrently: readers go on reading")
        return gettext("readers wait, because %(reason)s") % {"reason": translate(value)}
