"""The table of the list of views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.trends import Trend, usual_seconds
from orm_views_admin.ui import wording
from orm_views_admin.ui.sparklines import sparkline

from .base import NUMBER, FormattedColumn, LinkingTable, yes_or
from .entries import Entry

#: The name of the column of durations.
DURATION = "seconds"


class ViewTable(LinkingTable):
    """The registered views, and views in the database that no class declares."""

    label = _("Views")
    row_header = "view"

    # Unknown values are None, which django-tables2 sorts before all others.
    select = tables.Column(
        "", accessor="address", attrs={"td": {"class": "action-checkbox"}}, default="", orderable=False
    )
    view = tables.Column(_("View"), accessor="title")
    app = tables.Column(_("App"))
    kind = tables.Column(_("Kind"), accessor="kind_word")
    readable = FormattedColumn(
        yes_or(wording.DASH), _("Readable"), accessor="status__definition__is_readable"
    )
    database = tables.Column(_("Database"), accessor="status__database")
    state = tables.Column(_("Status"), order_by="state__urgency")
    rows = tables.Column(_("Rows"), empty_values=(), orderable=False, attrs=NUMBER)
    size = FormattedColumn(wording.size, _("Size"), accessor="status__installed__size", attrs=NUMBER)
    refreshed = FormattedColumn(wording.moment, _("Last refresh"))
    seconds = tables.Column(_("Usual duration"), empty_values=(), attrs=NUMBER)

    def __init__(self, entries: Sequence[Entry], url: Callable[..., str], user: Any, **kwargs: Any) -> None:
        super().__init__(entries, url, **kwargs)
        self._user = user
        # If all views are in the same schema, its name is not shown.
        self._has_one_schema = len({entry.status.name.schema for entry in entries if entry.status.name}) == 1
        #: The last refreshes, by address. They are set once it is known which rows are on the page.
        self.trends: dict[ViewAddress, Trend] = {}

    def render_select(self, value: ViewAddress, record: Entry) -> SafeString:
        return format_html(
            '<input type="checkbox" name="view" value="{}" class="action-select ov-select" aria-label="{}">',
            value.key,
            _("Select %(name)s") % {"name": record.title},
        )

    def render_view(self, record: Entry) -> str:
        if record.address is None:
            return record.title
        return format_html(
            '<a href="{}" title="{}">{}</a>{}',
            self._url("detail", record.address),
            record.title,
            wording.breakable(record.address.name.name if self._has_one_schema else record.title),
            format_html_join(
                "",
                '<span class="ov-reason ov-why">{}</span>',
                ((wording.breakable(why),) for why in record.hangs_on.values()),
            ),
        )

    def render_state(self, record: Entry) -> SafeString:
        return format_html(
            '{}<span class="ov-reason">{}</span>',
            wording.state_badge(record.state),
            record.short_reason(self._user),
        )

    def render_rows(self, record: Entry) -> str:
        """Return what the statistics say. Of plain views they say nothing: the script has those counted."""
        rows = wording.row_count(record.stored_rows)
        if record.address is None or not record.can_be_counted:
            return rows
        return format_html(
            '<span class="ov-count" data-count-url="{}" title="{}">{}</span>',
            self._url("count", record.address),
            _("Not counted yet") if record.stored_rows is None else _("By PostgreSQL's statistics"),
            rows,
        )

    def render_seconds(self, record: Entry) -> object:
        trend = self.trends.get(record.address, ()) if record.address else ()
        seconds = usual_seconds(trend, record.sync_state)
        return (
            wording.DASH
            if seconds is None
            else format_html("{}{}", wording.duration(seconds), sparkline(trend))
        )
