"""The table of who has read rows."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess
from orm_views_admin.ui import wording

from .base import NUMBER, FormattedColumn, LinkingTable, shown_from


class AccessTable(LinkingTable):
    """Accesses to rows, the newest first."""

    label = _("Who read rows")
    row_header = "when"

    when = tables.Column(_("When"), accessor="at")
    who = tables.Column(_("Who"), empty_values=(), attrs={"td": {"class": "ov-who"}})
    view = tables.Column(pgettext_lazy("in a database", "View"), accessor="name")
    database = FormattedColumn(wording.breakable, _("Database"), attrs=shown_from("little"))
    how = tables.Column(_("How"), accessor="kind")
    asked = tables.Column(_("What was asked for"), accessor="about", empty_values=())
    rows_given = FormattedColumn(wording.number, _("Rows"), accessor="rows", attrs=NUMBER)
    personal = tables.Column(_("Personal data"), accessor="with_personal")

    def render_when(self, value: Any) -> SafeString:
        """Return how long ago it was, and the exact time."""
        return format_html(
            '{}<span class="ov-reason ov-exactly">{}</span>',
            wording.moment(value),
            wording.exact(value, "SHORT_DATETIME_FORMAT"),
        )

    def render_who(self, record: RowAccess) -> Any:
        return wording.breakable(record.who) if record.who else wording.DASH

    def render_view(self, record: RowAccess) -> SafeString:
        name = record.view_name
        return format_html(
            '<a href="{}">{}</a>',
            self._url("detail", ViewAddress(record.database, name)),
            wording.breakable(str(name)),
        )

    def render_how(self, record: RowAccess) -> Any:
        if record.run is None:
            return record.get_kind_display()
        return format_html(
            '<a href="{}">{}</a>',
            self._url("run", run_request=record.run.request),
            record.get_kind_display(),
        )

    def render_asked(self, record: RowAccess) -> Any:
        """Return what was asked for. It may have names and values in any language and direction."""
        if not record.about:
            return gettext("no filter")
        return format_html('<bdi class="ov-asked">{}</bdi>', record.said("about"))

    def render_personal(self, value: bool) -> str:
        return gettext("shown") if value else wording.DASH
