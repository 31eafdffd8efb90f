"""Who has read rows of views: a table with filters, and files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import from_field
from orm_views_admin.exports.accesses import COLUMNS
from orm_views_admin.exports.accesses import record as as_record
from orm_views_admin.exports.download import AT_ONCE, FORMATS, download, require_form
from orm_views_admin.filters.accesses import (
    FROM,
    SEARCH,
    UNTIL,
    Part,
    Wanted,
    chosen_part,
    count_parts,
    day_of,
    facets,
    is_filtered,
    narrow,
    part_url,
    wanted_conditions,
)
from orm_views_admin.filters.columns import COLUMN, VALUE, WORDS, parameter_of
from orm_views_admin.filters.form import added, condition_words, without_parameter
from orm_views_admin.models import RowAccess
from orm_views_admin.permissions import may_see_accesses
from orm_views_admin.runs.accesses import is_recorded
from orm_views_admin.tables.accesses import AccessTable
from orm_views_admin.ui.querystrings import page_links, with_parameters
from orm_views_admin.ui.wording import listed, name_list, number, with_names
from orm_views_core.database.rows import Condition, Operator, Span

from .base import AdminView, Link, Page
from .selection import Selection, about_views

PER_PAGE = 50
#: The fields of the form. All other parameters of the page are kept when it is sent.
_FIELDS = (SEARCH, FROM, UNTIL, COLUMN, VALUE)


class _OfAccesses(AdminView):
    """A view for those who may see who has read rows."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_see_accesses(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def select(self) -> Selection:
        """Return the views that the request names.

        Raises:
            Http404: if the user may not see one of them, or if it cannot be one.
        """
        selection = Selection.from_request(self.request.GET)
        for address in selection.addresses:
            self.demand(address)
        return selection

    def narrow(self, selection: Selection) -> QuerySet[RowAccess]:
        """Return the accesses of the request."""
        found = narrow(self.request.user, self.request.GET, selection.addresses)
        return found.select_related("run")


class AccessesPage(_OfAccesses, Page):
    """Who has read rows, the newest first."""

    template_name = "orm_views_admin/accesses.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        if (changed := added(request.GET)) is not None:
            return HttpResponseRedirect(changed)
        parameters, selection = request.GET, self.select()
        page = Paginator(self.narrow(selection), PER_PAGE).get_page(parameters.get("page"))
        parts = count_parts(request.user, parameters, selection.addresses)
        several = len({access.database for access in page.object_list}) > 1
        title = _("Who read rows")
        if selection.single:
            title = with_names(_("Who read rows of %(name)s"), name=selection.single.name)
        wanted = wanted_conditions(parameters)
        return self.render(
            title,
            parent=self.link_to(selection.single),
            table=AccessTable(
                page.object_list,
                self.url,
                exclude=[*([] if several else ["database"]), *(["view"] if selection.single else [])],
            ),
            found=page.paginator.count,
            facets=facets(request.user, parameters, selection.addresses, parts),
            is_filtered=is_filtered(parameters),
            clear_url=about_views(selection.addresses),
            active=[_active(request, each) for each in wanted],
            columns=name_list(dict.fromkeys(each.column for each in wanted)),
            part=chosen_part(parameters).name if wanted else "",
            further=_further(request, parts) if parts else [],
            is_recorded=is_recorded(),
            fields={name: parameters.get(name, "") for name in _FIELDS},
            wrong_days=[
                name for name in (FROM, UNTIL) if parameters.get(name) and not day_of(parameters, name)
            ],
            kept=[
                (name, text)
                for name, texts in parameters.lists()
                for text in texts
                if text and name not in {*_FIELDS, "page"}
            ],
            pages=page_links(page, parameters),
            page=page,
            exports=[
                (form.upper(), self.url("accesses_export", form=form) + with_parameters(parameters))
                for form in FORMATS
            ],
        )


class AccessesExport(_OfAccesses):
    """The accesses of all pages, as a file."""

    def get(self, request: HttpRequest, form: str) -> HttpResponseBase:
        require_form(form)
        found = self.narrow(self.select())
        name = f"accesses-{from_field(timezone.now()):%Y-%m-%d}"
        return download(request, form, name, COLUMNS, map(as_record, found.iterator(AT_ONCE)))


def link_to_accesses(
    page: AdminView, address: ViewAddress, conditions: Sequence[Condition] = ()
) -> list[Link]:
    """Return the link to who has read those rows of a view that fulfil conditions, if the user may see it."""
    if not may_see_accesses(page.request.user):
        return []
    query = QueryDict(mutable=True)
    for each in conditions:
        query.appendlist(*parameter_of(each.column, each.operator, _as_typed(each)))
    words = _("Who has read these rows") if conditions else _("Who read rows")
    filters = f"&{query.urlencode()}" if conditions else ""
    return [Link(words, page.url_about("accesses", address) + filters)]


def _as_typed(condition: Condition) -> str:
    """Return the values of a condition as somebody types them into a filter."""
    texts = [" to ".join(each) if isinstance(each, Span) else each for each in condition.values]
    if condition.operator is not Operator.IN:
        return "".join(texts)
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(texts)
    return line.getvalue()


def _active(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """Return a condition as the template shows it."""
    return {
        "column": wanted.column,
        "words": condition_words(wanted.column, [(WORDS[wanted.operator], listed(wanted.values))]),
        "remove_url": without_parameter(request.GET, wanted.parameter),
    }


def _further(request: HttpRequest, parts: Mapping[Part, int]) -> Sequence[tuple[str, str]]:
    """Return what is said of accesses that the page does not show, each with a link to them.

    Nobody may be led to think that nobody has seen some rows.
    """
    maybe, asked = parts[Part.MAYBE], parts[Part.ASKED]
    chosen = chosen_part(request.GET)
    found = []
    if chosen is not Part.MAYBE and maybe:
        words = ngettext(
            "%(count)s further access may have shown these rows: it had no filter that excludes them.",
            "%(count)s further accesses may have shown these rows: they had no filter that excludes them.",
            maybe,
        )
        found.append((words % {"count": number(maybe)}, part_url(request.GET, Part.MAYBE)))
    if chosen is not Part.ASKED:
        words = ngettext(
            "%(count)s access asked for these rows.", "%(count)s accesses asked for these rows.", asked
        )
        found.append((words % {"count": number(asked)}, part_url(request.GET, Part.ASKED) if asked else ""))
    return found
