"""The table of the list of views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.trends import Trend, usual_seconds
from orm_views_admin.ui import wording
from orm_views_admin.ui.sparklines import sparkline

from .base import NUMBER, FormattedColumn, LinkingTable, shown_from, yes_or
from .entries import Entry

#: The name of the column of durations.
DURATION = "seconds"


class ViewTable(LinkingTable):
    """The registered views, and views in the database that no class declares."""

    label = pgettext_lazy("in a database", "Views")
    row_header = "view"

    # Unknown values are None, which django-tables2 sorts before all others.
    select = tables.Column(
        "", accessor="address", attrs={"td": {"class": "action-checkbox"}}, default="", orderable=False
    )
    view = tables.Column(pgettext_lazy("in a database", "View"), accessor="title")
    app = FormattedColumn(wording.breakable, _("App"), attrs=shown_from("much"))
    kind = tables.Column(_("Kind"), accessor="kind_word", attrs=shown_from("little"))
    readable = FormattedColumn(
        yes_or(wording.DASH),
        _("Readable"),
        accessor="status__definition__is_readable",
        attrs=shown_from("most"),
    )
    database = FormattedColumn(wording.breakable, _("Database"), accessor="status__database")
    state = tables.Column(_("Status"), order_by="urgency")
    rows = tables.Column(_("Rows"), empty_values=(), orderable=False, attrs=NUMBER)
    size = FormattedColumn(
        wording.size, _("Size"), accessor="status__installed__size", attrs=shown_from("much", NUMBER)
    )
    refreshed = FormattedColumn(wording.moment, _("Last refresh"))
    seconds = tables.Column(_("Usual duration"), empty_values=(), attrs=shown_from("little", NUMBER))

    def __init__(self, entries: Sequence[Entry], url: Callable[..., str], user: Any, **kwargs: Any) -> None:
        order_by = kwargs.get("order_by") or ()
        order_by = order_by.split(",") if isinstance(order_by, str) else order_by
        sorted_by = {name.removeprefix("-") for name in order_by}
        empty = (name for name in _without_values(entries) if name not in sorted_by)
        exclude = [*kwargs.pop("exclude", ()), *empty]
        super().__init__(entries, url, exclude=exclude, **kwargs)
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
        if record.is_database:
            return record.title
        if record.address is None:
            return wording.breakable(record.title)
        return format_html(
            '<a href="{}" title="{}">{}</a>{}{}',
            self._url("detail", record.address),
            record.title,
            wording.breakable(record.address.name.name if self._has_one_schema else record.title),
            format_html('<span class="ov-reason ov-says">{}</span>', record.says) if record.says else "",
            format_html_join(
                "",
                '<span class="ov-reason ov-why">{}</span>',
                ((why,) for why in record.hangs_on.values()),
            ),
        )

    def render_state(self, record: Entry) -> SafeString:
        also = _("Also: %(states)s.") % {"states": record.also} if record.also else ""
        return format_html(
            '{}<span class="ov-reason">{}</span>{}',
            wording.badge(wording.look_of_standing(record.standing)),
            record.short_reason(self._user),
            format_html('<span class="ov-reason">{}</span>', also) if also else "",
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
        seconds = usual_seconds(trend, record.sync_state, concurrently=record.goes_concurrently)
        return (
            wording.DASH
            if seconds is None
            else format_html("{}{}", wording.duration(seconds), sparkline(trend))
        )


def _without_values(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield the names of the columns that would have dashes only, as those of plain views."""
    if not any(entry.status.definition and entry.status.definition.is_readable for entry in entries):
        yield "readable"
    if not any(entry.is_materialised for entry in entries):
        yield from ("size", "refreshed", DURATION)
