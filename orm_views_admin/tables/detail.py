"""The tables of a view's page: columns, indexes, related relations, grants and options."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .base import AdminTable, FormattedColumn, LabelledTable, code


class ColumnTable(AdminTable):
    """The columns of a view."""

    label = _("Columns")
    row_header = "name"

    name = FormattedColumn(code, accessor="column__name", verbose_name=_("Column"))
    type = FormattedColumn(
        lambda column: code(f"{column.type} COLLATE {column.collation}" if column.collation else column.type),
        accessor="column",
        verbose_name=_("Type"),
    )
    comment = tables.Column(verbose_name=_("Comment"))


class IndexTable(AdminTable):
    """The indexes of a materialised view."""

    label = _("Indexes")
    row_header = "name"

    name = FormattedColumn(code, accessor="index__name", verbose_name=_("Index"))
    unique = FormattedColumn(
        lambda value: _("Yes") if value else _("No"), accessor="index__unique", verbose_name=_("Unique")
    )
    tail = FormattedColumn(code, accessor="index__tail", verbose_name=_("Definition"))
    installed = FormattedColumn(
        lambda value: _("Yes") if value else _("Not yet"), verbose_name=_("In the database")
    )


class RelationTable(LabelledTable):
    """The relations that a view reads, or the views that read it."""

    row_header = "name"

    name = tables.Column(verbose_name=_("Name"))
    whose = tables.Column(verbose_name=_("What it is"))

    def render_name(self, value: str, record: dict[str, Any]) -> str:
        return format_html('<a href="{}">{}</a>', record["url"], value) if record["url"] else value


class GrantTable(AdminTable):
    """The privileges that roles have on a view."""

    label = _("Grants")
    row_header = "role"

    role = tables.Column(verbose_name=_("Role"))
    privileges = tables.Column(verbose_name=_("Privileges"))
    source = tables.Column(verbose_name=_("Granted by"))


class OptionTable(AdminTable):
    """The options of a view, in its class and in the database."""

    label = _("Options")
    row_header = "option"

    option = tables.Column(verbose_name=_("Option"))
    wanted = tables.Column(verbose_name=_("As registered"))
    installed = tables.Column(verbose_name=_("In the database"))
