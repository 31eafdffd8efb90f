"""The table of runs, as the history and the page of a view show it."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.contrib.admin import AdminSite
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.sites import url_in
from orm_views_admin.ui import run_wording, wording

from .base import NUMBER, AdminTable

_SHORT = 140


class RunTable(AdminTable):
    """Runs; the time of each leads to its page."""

    label = _("Runs")
    row_header = "when"

    when = tables.Column(accessor="queued_at", verbose_name=_("When"))
    what = tables.Column(accessor="name", verbose_name=_("What"), empty_values=())
    database = tables.Column(verbose_name=_("Database"))
    result = tables.Column(accessor="state", verbose_name=_("Result"), attrs={"td": {"class": "ov-result"}})
    who = tables.Column(verbose_name=_("Who"), empty_values=(), attrs={"td": {"class": "ov-who"}})
    how = tables.Column(accessor="concurrently", verbose_name=_("How"), empty_values=())
    duration = tables.Column(accessor="seconds", verbose_name=_("Duration"), empty_values=(), attrs=NUMBER)
    rows = tables.Column(accessor="rows_after", verbose_name=_("Rows"), empty_values=(), attrs=NUMBER)
    size = tables.Column(accessor="size_after", verbose_name=_("Size"), empty_values=(), attrs=NUMBER)

    def __init__(self, data: Any, site: AdminSite, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._site = site

    def render_when(self, record: Run) -> SafeString:
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            url_in(self._site, "run", run_request=record.request),
            wording.moment(record.queued_at),
            run_wording.title(record),
        )

    def render_what(self, record: Run) -> Any:
        name = record.view_name
        if name is None:
            return run_wording.title(record)
        address = ViewAddress(record.database, name)
        return format_html(
            '{} <a href="{}">{}</a>',
            Run.Kind(record.kind).label,
            url_in(self._site, "detail", **address.parts),
            wording.breakable(str(name)),
        )

    def render_result(self, record: Run) -> Any:
        said = record.error or record.summary or record.waiting_for
        line = said.strip().partition("\n")[0]
        if len(line) > _SHORT:
            line = f"{line[:_SHORT]}…"
        if record.state == Run.State.CANCELLED:
            line = _now("by %(name)s") % {"name": record.cancelled_by}
        return _two_lines(run_wording.run_badge(record.state), line)

    def render_who(self, record: Run) -> Any:
        return _two_lines(record.who, run_wording.origin(record))

    def render_how(self, record: Run) -> Any:
        words = run_wording.how(record) or wording.DASH
        if record.why_not and record.concurrently is False:
            return format_html('<span title="{}">{}</span>', record.why_not, words)
        return words

    def render_duration(self, record: Run) -> Any:
        """How long it took, and under it for how long it had stood in the queue and waited for locks."""
        queue, locks = run_wording.queue_seconds(record), record.waited
        waits = []
        if queue is not None and queue >= _WORTH_SAYING:
            waits.append(_now("queue: %(time)s") % {"time": wording.duration(queue)})
        if locks and locks >= _WORTH_SAYING:
            waits.append(_now("locks: %(time)s") % {"time": wording.duration(locks)})
        return _two_lines(wording.duration(record.seconds), ", ".join(waits))

    def render_rows(self, record: Run) -> Any:
        return _before_and_after(run_wording.rows(record))

    def render_size(self, record: Run) -> Any:
        return _before_and_after(run_wording.size(record))


def _before_and_after(quantity: tuple[str, str]) -> Any:
    after, before = quantity
    return _two_lines(after, _now("before: %(quantity)s") % {"quantity": before} if before else "")


def _two_lines(first: Any, second: str) -> Any:
    first = first or wording.DASH
    return format_html('{}<span class="ov-reason">{}</span>', first, second) if second else first


#: A wait of fewer seconds than this is nobody's trouble.
_WORTH_SAYING = 0.1
