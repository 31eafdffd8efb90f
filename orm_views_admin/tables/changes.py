"""The tables of what syncs have changed of a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import without_unseen
from orm_views_admin.models import ViewChange
from orm_views_admin.ui import wording
from orm_views_admin.ui.changes import action_badges, by_hand_words
from orm_views_admin.ui.run_wording import where
from orm_views_core.sentences import translate

from .base import AdminTable, FormattedColumn, LinkingTable, code, shortened


class ChangeTable(LinkingTable):
    """The changes of a view, as ``ViewChange.objects.in_list()`` returns them."""

    label = _("Changes")
    row_header = "when"

    when = tables.Column(_("When"), accessor="at")
    what = tables.Column(_("What"), accessor="actions")
    who = tables.Column(_("Who"), empty_values=(), attrs={"td": {"class": "ov-who"}})
    why = tables.Column(_("Why"), accessor="reason")

    def __init__(self, data: Any, url: Callable[..., str], user: Any, **kwargs: Any) -> None:
        super().__init__(data, url, **kwargs)
        self._user = user

    def render_when(self, record: ViewChange) -> SafeString:
        address = ViewAddress(record.database, record.view_name)
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            self._url("change", address, pk=record.pk),
            wording.moment(record.at),
            gettext("show the change"),
        )

    def render_what(self, record: ViewChange) -> SafeString:
        badges = action_badges(record)
        if not record.is_after_hand(getattr(record, "left_before", None)):
            return badges
        return format_html('{}<span class="ov-reason">{}</span>', badges, by_hand_words(record))

    def render_who(self, record: ViewChange) -> str:
        place = where(record)
        if not record.who:
            return place
        return format_html('{}<span class="ov-reason">{}</span>', wording.breakable(record.who), place)

    def render_why(self, record: ViewChange) -> str:
        reasons = translate(record.said("reason")).split("\n")
        lines = [without_unseen(self._user, line, record.database) for line in reasons]
        return shortened("; ".join(dict.fromkeys(lines)))


class FactTable(AdminTable):
    """What a change has changed besides the definition of a view."""

    label = _("What else changed")
    row_header = "what"

    what = tables.Column(_("What"))
    before = FormattedColumn(code, _("Before"))
    after = FormattedColumn(code, _("After"))
