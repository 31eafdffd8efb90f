"""The tables of the pages: django-tables2 for columns, order and pages; one template for their markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui import wording
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.trends import sparkline

SORT = "sort"


@dataclass(frozen=True)
class Header:
    """The head of a column.

    Attributes:
        url: where a click sorts by it; "" when it cannot.
        direction: "ascending" or "descending" when the rows are in its order.
    """

    name: str
    text: Any
    url: str = ""
    direction: str = ""
    css_class: str = ""


class AdminTable(tables.Table):  # type: ignore[misc]
    """A table with our template.

    Attributes:
        label: what it is a table of, for those who cannot see it in its place.
        stacked: whether its rows become blocks on a narrow screen; wide data is scrolled instead.
        row_header: the column that names the row.
    """

    label: Any = ""
    stacked = True
    row_header = ""

    def __init__(self, data: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
        # Not in a Meta class: django-tables2 does not hand that on to subclasses.
        super().__init__(
            data,
            template_name="orm_views_admin/includes/table.html",
            orderable=False,
            order_by_field=SORT,
            default=wording.DASH,
            **kwargs,
        )
        self._request = request

    def headers(self) -> Iterator[Header]:
        """Yield the heads of the columns, in order."""
        for column in self.columns:
            url = direction = ""
            if column.orderable and self._request is not None:
                url = with_parameters(
                    self._request.GET, **{SORT: str(column.order_by_alias.next), "page": None}
                )
                if column.is_ordered:
                    direction = "descending" if column.order_by_alias.is_descending else "ascending"
            yield Header(column.name, column.header, url, direction, column.attrs["th"].get("class", ""))


NUMBER = {"td": {"class": "ov-number"}, "th": {"class": "ov-number"}}


class SelectColumn(tables.Column):  # type: ignore[misc]
    """A box to tick; its name is that of the row, for those who cannot see it."""

    def render(self, value: Any, record: Any) -> Any:
        return format_html(
            '<input type="checkbox" name="view" value="{}" class="action-select ov-select" aria-label="{}">',
            record.address.key,
            _("Select %(name)s") % {"name": record.title},
        )


class ViewTable(AdminTable):
    """The registered views, and those that are left over."""

    label = _("Views")
    row_header = "view"

    select = SelectColumn(
        accessor="address", verbose_name="", attrs={"td": {"class": "action-checkbox"}}, default=""
    )
    view = tables.Column(accessor="title", verbose_name=_("View"), orderable=True)
    app = tables.Column(verbose_name=_("App"), orderable=True)
    kind = tables.Column(accessor="kind_word", verbose_name=_("Kind"), orderable=True)
    readable = tables.Column(verbose_name=_("Readable"), orderable=True)
    database = tables.Column(verbose_name=_("Database"), orderable=True)
    state = tables.Column(verbose_name=_("Status"), orderable=True, order_by="urgency")
    rows = tables.Column(verbose_name=_("Rows"), empty_values=(), attrs=NUMBER)
    size = tables.Column(verbose_name=_("Size"), orderable=True, order_by="size_order", attrs=NUMBER)
    refreshed = tables.Column(verbose_name=_("Last refresh"), orderable=True, order_by="refreshed_order")
    seconds = tables.Column(
        verbose_name=_("Usual duration"), orderable=True, order_by="seconds_order", attrs=NUMBER
    )

    def __init__(self, data: Any, url: Callable[[str, Any], str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._url = url
        # Where all views are in one schema, its name tells nobody anything.
        self._has_one_schema = len({entry.status.name.schema for entry in data if entry.status.name}) == 1
        #: The planner's numbers of rows, by address: asked for once it is known which rows are on the page.
        self.estimates: dict[Any, int] = {}

    def render_view(self, record: Any) -> Any:
        if record.address is None:
            return record.title
        return format_html(
            '<a href="{}" title="{}">{}</a>',
            self._url("detail", record.address),
            record.title,
            wording.breakable(record.address.name.name if self._has_one_schema else record.title),
        )

    def render_readable(self, value: bool) -> Any:
        return _("Yes") if value else wording.DASH

    def render_state(self, record: Any) -> Any:
        return format_html(
            '{}<span class="ov-reason">{}</span>', wording.state_badge(record.state), record.short_reason
        )

    def render_rows(self, record: Any) -> Any:
        if not record.can_be_counted:
            return wording.DASH
        estimate = self.estimates.get(record.address)
        text = wording.DASH if estimate is None else f"~ {wording.number(estimate)}"
        return format_html(
            '<span class="ov-count" data-count-url="{}" title="{}">{}</span>',
            self._url("count", record.address),
            _("The planner's estimate"),
            text,
        )

    def render_size(self, value: int) -> str:
        return wording.size(value)

    def render_refreshed(self, value: Any) -> Any:
        return wording.moment(value)

    def render_seconds(self, value: float, record: Any) -> Any:
        drawn = sparkline(record.trend) if record.trend else ""
        return format_html("{}{}", wording.duration(value), drawn)


class ColumnTable(AdminTable):
    """The columns of a view."""

    label = _("Columns")
    row_header = "name"

    name = tables.Column(verbose_name=_("Column"))
    type = tables.Column(verbose_name=_("Type"))
    comment = tables.Column(verbose_name=_("Comment"))

    def render_name(self, value: str) -> Any:
        return format_html("<code>{}</code>", value)

    def render_type(self, value: str, record: Any) -> Any:
        collation = record["collation"]
        return format_html("<code>{}{}</code>", value, f" COLLATE {collation}" if collation else "")


class IndexTable(AdminTable):
    """The indexes of a materialised view."""

    label = _("Indexes")
    row_header = "name"

    name = tables.Column(verbose_name=_("Index"))
    unique = tables.Column(verbose_name=_("Unique"))
    tail = tables.Column(verbose_name=_("Definition"))
    installed = tables.Column(verbose_name=_("In the database"))

    def render_name(self, value: str) -> Any:
        return format_html("<code>{}</code>", value)

    def render_unique(self, value: bool) -> Any:
        return _("Yes") if value else _("No")

    def render_tail(self, value: str) -> Any:
        return format_html("<code>{}</code>", value)

    def render_installed(self, value: bool) -> Any:
        return _("Yes") if value else _("Not yet")


class RelationTable(AdminTable):
    """What a view reads, or what reads it."""

    row_header = "name"

    name = tables.Column(verbose_name=_("Name"))
    whose = tables.Column(verbose_name=_("What it is"))

    def __init__(self, data: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.label = label

    def render_name(self, value: Any, record: Any) -> Any:
        return format_html('<a href="{}">{}</a>', record["url"], value) if record["url"] else value


class GrantTable(AdminTable):
    """Who may do what with a view."""

    label = _("Grants")
    row_header = "role"

    role = tables.Column(verbose_name=_("Role"))
    privileges = tables.Column(verbose_name=_("Privileges"))
    source = tables.Column(verbose_name=_("Granted by"))


class OptionTable(AdminTable):
    """The options of a view."""

    label = _("Options")
    row_header = "option"

    option = tables.Column(verbose_name=_("Option"))
    wanted = tables.Column(verbose_name=_("As registered"))
    installed = tables.Column(verbose_name=_("In the database"))


class StepTable(AdminTable):
    """The steps of a plan."""

    row_header = "target"

    number = tables.Column(verbose_name=_("No."), attrs=NUMBER)
    action = tables.Column(verbose_name=_("Action"))
    target = tables.TemplateColumn(
        template_name="orm_views_admin/includes/step.html",
        verbose_name=_("View"),
        attrs={"td": {"class": "ov-main"}},
    )
    blocks = tables.Column(verbose_name=_("Keeps waiting"))
    usual = tables.Column(accessor="usual_seconds", verbose_name=_("Usual time"), attrs=NUMBER)

    def __init__(self, data: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.label = label

    def render_action(self, value: Any) -> Any:
        return wording.action_badge(value)

    def render_usual(self, value: float) -> str:
        return wording.duration(value)


class RefreshTable(AdminTable):
    """What a refresh does, in order."""

    label = _("Views to refresh")
    row_header = "name"

    number = tables.Column(verbose_name=_("No."), attrs=NUMBER)
    name = tables.Column(verbose_name=_("View"))
    how = tables.Column(verbose_name=_("How"), empty_values=())
    rows = tables.Column(verbose_name=_("Rows"), attrs=NUMBER)
    size = tables.Column(verbose_name=_("Size"), attrs=NUMBER)
    refreshed = tables.Column(verbose_name=_("Last refresh"))
    seconds = tables.Column(verbose_name=_("Usual time"), attrs=NUMBER)

    def render_name(self, value: Any, record: Any) -> Any:
        return format_html('<a href="{}">{}</a>', record["url"], value)

    def render_how(self, record: Any) -> Any:
        if not record["why_not"]:
            return _("concurrently: readers go on reading")
        return _("readers wait, because %(reason)s") % {"reason": record["why_not"]}

    def render_rows(self, value: int) -> str:
        return f"~ {wording.number(value)}"

    def render_size(self, value: int) -> str:
        return wording.size(value)

    def render_refreshed(self, value: Any) -> Any:
        return wording.moment(value)

    def render_seconds(self, value: float) -> str:
        return wording.duration(value)
