"""The tables that are shown before something is started: the steps of a sync, and the views of a refresh."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording

from .base import NUMBER, AdminTable, FormattedColumn, LabelledTable


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
    """The views that a refresh computes anew, in order."""

    label = _("Views to refresh")
    row_header = "name"

    number = tables.Column(verbose_name=_("No."), attrs=NUMBER)
    name = tables.Column(verbose_name=_("View"))
    how = tables.Column(verbose_name=_("How"), empty_values=())
    rows = FormattedColumn(lambda value: f"~ {wording.number(value)}", verbose_name=_("Rows"), attrs=NUMBER)
    size = FormattedColumn(wording.size, verbose_name=_("Size"), attrs=NUMBER)
    refreshed = FormattedColumn(wording.moment, verbose_name=_("Last refresh"))
    seconds = FormattedColumn(wording.duration, verbose_name=_("Usual duration"), attrs=NUMBER)

    def render_name(self, value: str, record: dict[str, Any]) -> SafeString:
        return format_html('<a href="{}">{}</a>', record["url"], value)

    def render_how(self, record: dict[str, Any]) -> object:
        if not record["why_not"]:
            return _("concurrently: readers go on reading")
        return _("readers wait, because %(reason)s") % {"reason": record["why_not"]}
