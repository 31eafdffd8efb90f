"""The table of runs, which is on the history page and on a view's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import run_error_for, without_unseen
from orm_views_admin.models import Run
from orm_views_admin.ui import run_wording, wording
from orm_views_admin.ui.run_wording import Change

from .base import NUMBER, FormattedColumn, LinkingTable, shortened, shown_from


class RunTable(LinkingTable):
    """Runs, as a user may read them. The time of each run is the link to its page."""

    label = _("Runs")
    row_header = "when"

    when = tables.Column(_("When"), accessor="queued_at")
    what = tables.Column(_("What"), accessor="name", empty_values=())
    database = FormattedColumn(wording.breakable, _("Database"), attrs=shown_from("little"))
    result = tables.Column(_("Result"), accessor="state", attrs={"td": {"class": "ov-result"}})
    who = tables.Column(_("Who"), empty_values=(), attrs={"td": {"class": "ov-who"}})
    how = tables.Column(_("How"), accessor="concurrently", empty_values=(), attrs=shown_from("much"))
    duration = tables.Column(
        pgettext_lazy("of a run", "Duration"), accessor="seconds", empty_values=(), attrs=NUMBER
    )
    rows = tables.Column(_("Rows"), accessor="rows_after", empty_values=(), attrs=shown_from("much", NUMBER))
    size = tables.Column(_("Size"), accessor="size_after", empty_values=(), attrs=shown_from("most", NUMBER))

    def __init__(self, data: Any, url: Callable[..., str], user: Any, **kwargs: Any) -> None:
        super().__init__(data, url, **kwargs)
        self._user = user

    def render_when(self, record: Run) -> SafeString:
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            self._url("run", run_request=record.request),
            wording.moment(record.queued_at),
            run_wording.title(record),
        )

    def render_what(self, record: Run) -> str:
        name = record.view_name
        if name is None:
            return run_wording.heading(record)
        return format_html(
            '{} <a href="{}">{}</a>',
            record.get_kind_display(),
            self._url("detail", ViewAddress(record.database, name)),
            wording.breakable(str(name)),
        )

    def render_result(self, record: Run) -> str:
        message = run_wording.summary(record) or record.said("waiting_for")
        message = run_error_for(self._user, record) or self._shown(message, record)
        line = shortened(message.strip().partition("\n")[0])
        if record.state == Run.State.CANCELLED:
            line = wording.with_names(gettext("by %(name)s"), name=record.cancelled_by)
        return _two_lines(wording.badge(run_wording.look_of_run(record.state)), line)

    def render_who(self, record: Run) -> str:
        where = run_wording.where(record)
        return _two_lines(wording.breakable(record.who), where) if record.who else where

    def render_how(self, record: Run) -> str:
        words = run_wording.how(record) or wording.DASH
        if record.why_not and record.concurrently is False:
            return format_html(
                '<span title="{}">{}</span>', self._shown(record.said("why_not"), record), words
            )
        return words

    def _shown(self, text: str, run: Run) -> str:
        return without_unseen(self._user, text, run.database)

    def render_duration(self, record: Run) -> str:
        """Return the duration, and how long the run waited in the queue and for locks."""
        waits = []
        if queue := run_wording.wait(run_wording.queue_seconds(record)):
            waits.append(gettext("queue: %(time)s") % {"time": queue})
        if locks := run_wording.wait(record.waited):
            waits.append(gettext("locks: %(time)s") % {"time": locks})
        return _two_lines(wording.duration(record.seconds), wording.listed(waits))

    def render_rows(self, record: Run) -> str:
        quantity = run_wording.rows(record)
        if quantity.after and record.kind == Run.Kind.EXPORT:  # it may say how many are still to come
            quantity = quantity._replace(
                after=format_html('<span class="ov-wraps">{}</span>', quantity.after)
            )
        return _after_and_before(quantity)

    def render_size(self, record: Run) -> str:
        return _after_and_before(run_wording.size(record))


def _after_and_before(quantity: Change) -> str:
    before = quantity.before
    return _two_lines(
        quantity.after, gettext("before: %(quantity)s") % {"quantity": before} if before else ""
    )


def _two_lines(first: str, second: str) -> str:
    first = first or wording.DASH
    return format_html('{}<span class="ov-reason">{}</span>', first, second) if second else first
