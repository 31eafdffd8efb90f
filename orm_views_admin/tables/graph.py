"""The tables of the dependency graph's page: what the picture shows, and the columns of a view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording

from .base import AdminTable, FormattedColumn, code, yes_or


class GraphTable(AdminTable):
    """The relations of a picture, and what each of them reads."""

    label = _("What the picture shows")
    row_header = "name"

    name = tables.Column(_("Name"))
    what = tables.Column(_("What it is"))
    state = tables.Column(_("Status"))
    reads = tables.Column(_("Reads"))
    read_by = tables.Column(_("Is read by"))
    way = tables.Column(_("On the way"))
    personal = tables.Column(_("Personal columns"))

    def render_name(self, value: Any, record: dict[str, Any]) -> SafeString:
        return format_html('<a href="{}">{}</a>', record["url"], wording.breakable(str(value)))

    def render_state(self, value: Any) -> SafeString:
        return wording.badge(wording.look_of_standing(value))

    def render_way(self, value: str) -> SafeString:
        return format_html("<bdi>{}</bdi>", value)

    def render_personal(self, value: str) -> SafeString:
        return format_html("<bdi>{}</bdi>", value)

    def render_reads(self, value: Iterable[object]) -> SafeString:
        return lines(value)

    def render_read_by(self, value: Iterable[object]) -> SafeString:
        return lines(value)


class WayTable(AdminTable):
    """The columns of a view: what they are made of, and what is made of them."""

    label = _("Columns")
    row_header = "name"

    name = tables.Column(_("Column"))
    shows = tables.Column(_("Shows"))
    computed = tables.Column(_("Is computed from"))
    goes_to = tables.Column(_("Goes to"))
    personal = FormattedColumn(yes_or(wording.DASH), _("Personal"))

    def render_name(self, value: str, record: dict[str, Any]) -> SafeString:
        chosen = SafeString(' aria-current="true"') if record["is_chosen"] else ""
        return format_html('<a href="{}"{}>{}</a>', record["url"], chosen, code(value))

    def render_shows(self, value: Iterable[object]) -> SafeString:
        return lines(value)

    def render_computed(self, value: Iterable[object]) -> SafeString:
        return lines(value)

    def render_goes_to(self, value: Iterable[object]) -> SafeString:
        return lines(value)


def lines(values: Iterable[object]) -> SafeString:
    """Return names as HTML, each on a line of its own."""
    names = ((wording.breakable(str(value)),) for value in values)
    return format_html_join("", '<span class="ov-name">{}</span>', names)
