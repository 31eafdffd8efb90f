"""The tables of a view's page: columns, indexes, related relations, grants and options."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.ui import wording
from orm_views_admin.ui.lineage import anchor

from .base import AdminTable, FormattedColumn, code, yes_or


class ColumnTable(AdminTable):
    """The columns of a view, what they are made of, and what is made of them."""

    label = _("Columns")
    row_header = "name"

    name = tables.Column(_("Column"), accessor="column__name")
    type = FormattedColumn(
        lambda column: code(f"{column.type} COLLATE {column.collation}" if column.collation else column.type),
        pgettext_lazy("of a column", "Type"),
        accessor="column",
    )
    comment = tables.Column(_("Comment"))
    made_of = tables.Column(_("Made of"))
    goes_to = tables.Column(_("Goes to"))

    def render_name(self, value: str, record: dict[str, Any]) -> SafeString:
        return format_html('<code id="{}">{}</code> {}', anchor(value), value, record["mark"])


class IndexTable(AdminTable):
    """The indexes of a materialised view."""

    label = _("Indexes")
    row_header = "name"

    name = FormattedColumn(code, _("Index"), accessor="index__name")
    unique = FormattedColumn(yes_or(_("No")), _("Unique"), accessor="index__unique")
    tail = FormattedColumn(code, _("Definition"), accessor="index__tail")
    installed = FormattedColumn(yes_or(_("Not yet")), _("In the database"))


class RelationTable(AdminTable):
    """The relations that a view reads, or the views that hang on it."""

    row_header = "name"

    name = tables.Column(_("Name"))
    whose = tables.Column(_("What it is"))
    how = tables.Column(_("How"))

    def render_name(self, value: str, record: dict[str, Any]) -> str:
        name = wording.breakable(value)
        return format_html('<a href="{}">{}</a>', record["url"], name) if record["url"] else name


class GrantTable(AdminTable):
    """The privileges that roles have on a view."""

    label = _("Grants")
    row_header = "role"

    role = tables.Column(_("Role"))
    privileges = tables.Column(_("Privileges"))
    source = tables.Column(_("Granted by"))


class OptionTable(AdminTable):
    """The options of a view, in its class and in the database."""

    label = _("Options")
    row_header = "option"

    option = tables.Column(_("Option"))
    wanted = tables.Column(_("As registered"))
    installed = tables.Column(_("In the database"))
