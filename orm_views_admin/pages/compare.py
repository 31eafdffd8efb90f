"""The page that shows what a plan does to the rows of views."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import text_for
from orm_views_admin.models import RowAccess
from orm_views_admin.permissions import Permission
from orm_views_admin.runs.accesses import record
from orm_views_admin.tables.comparison import SampleTable
from orm_views_admin.tables.comparison_words import notes, sentence
from orm_views_admin.ui.wording import number, with_names
from orm_views_core.comparison import Change, ComparedView, compare_views, find_targets
from orm_views_core.conf import get_settings
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.sentences import listed, says
from orm_views_core.sync import plan_views

from .base import UNREADABLE, Link, Page
from .selection import Selection

_COUNTED = {
    Change.ADDED: gettext_noop("%(count)s added"),
    Change.REMOVED: gettext_noop("%(count)s removed"),
    Change.CHANGED: gettext_noop("%(count)s changed"),
}
#: The parameter that asks for the stored rows of materialised views.
STORED = "stored"


@dataclass(frozen=True)
class ShownView:
    """What a plan does to the rows of a view, as a user may read it.

    Attributes:
        why_not: why its rows were not compared; "" if they were.
        why_no_samples: why no rows are shown; "" if that needs no words.
    """

    view: ComparedView
    link: Link
    why_not: str
    why_no_samples: str

    @property
    def sentence(self) -> SafeString | str:
        return sentence(self.view)

    @property
    def notes(self) -> list[SafeString | str]:
        return list(notes(self.view))

    @property
    def table(self) -> SampleTable | None:
        return SampleTable(self.view) if self.view.samples else None

    @property
    def masked(self) -> int:
        """How many of the columns that are shown are masked."""
        return len(self.view.masked) if self.view.samples else 0


@dataclass(frozen=True)
class ShownDatabase:
    """What the plan of a database does to rows, or the error that prevents the comparison."""

    alias: str
    views: tuple[ShownView, ...] = ()
    error: str = ""


class ComparePage(Page):
    """What the plan does to the rows of the selected views. It is computed for each request.

    Rows are shown of views whose rows the user may see, and that the user sees them is recorded before.
    """

    template_name = "orm_views_admin/compare.html"
    permission = Permission.SYNC
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest) -> HttpResponse:
        selection = Selection.from_request(request.GET)
        for address in selection.addresses:
            self.demand(address)
        stored = STORED in request.GET
        until = time.monotonic() + get_settings().COMPARE_TIMEOUT
        databases = [
            self._compare(alias, only, stored=stored, until=until)
            for alias, only in selection.by_database.items()
        ]
        other = Link(_("Compare with the rows of now"), self.url_about("compare", *selection.addresses))
        if not stored:
            url = f"{other.url}{'&' if selection.addresses else ''}{STORED}=on"
            other = Link(_("Compare with the stored rows"), url)
        return self.render(
            self._title(selection),
            parent=Link(_("Plan"), self.url_about("sync", *selection.addresses)),
            databases=databases,
            several=len(databases) > 1,
            tools=[other] if selection.can_be_compared else [],
        )

    def _title(self, selection: Selection) -> str:
        if selection.single:
            return with_names(_("Compare data of %(name)s"), name=selection.single.name)
        if count := len(selection.addresses):
            words = ngettext("Compare data of %(count)s view", "Compare data of %(count)s views", count)
            return words % {"count": number(count)}
        return _("Compare data of all views")

    def _compare(
        self, alias: str, only: Collection[ViewName] | None, *, stored: bool, until: float
    ) -> ShownDatabase:
        """Compare the views of one database: an error must not hide what is found of the others."""

        def allowed(permission: Permission, names: Iterable[ViewName]) -> list[ViewName]:
            return [name for name in names if self.may(permission, ViewAddress(alias, name))]

        try:
            (plan,) = plan_views([alias], only=only)
            names = dict.fromkeys([*find_targets(plan, None), *(only or ())])
            seen = allowed(Permission.SYNC, allowed(Permission.VIEW, names))
            # Asked before: the transaction that compares may be another role's.
            shown, whole = (set(allowed(p, seen)) for p in (Permission.PREVIEW, Permission.VIEW_PERSONAL))
            how: dict[str, Any] = {"with_samples": shown.__contains__, "with_personal": whole.__contains__}
            seconds = until - time.monotonic()
            found = compare_views(plan, seen, stored=stored, seconds=seconds, **how)
        except UNREADABLE as error:
            return ShownDatabase(alias, error=self.explain(error, alias))
        return ShownDatabase(alias, tuple(self._show(alias, view) for view in found.views))

    def _show(self, alias: str, view: ComparedView) -> ShownView:
        """Return a view as the user may see it. That rows are shown is recorded before."""
        address, why_no_samples = ViewAddress(alias, view.name), ""
        if view.samples:
            try:
                self._record(address, view)
            except OrmViewsError as error:
                view, why_no_samples = replace(view, samples=()), self.explain(error, address)
        elif view.counts and view.counts.differ and not self.may(Permission.PREVIEW, address):
            why_no_samples = _("You need the permission to see rows of this view to see which ones differ.")
        link = self.link_to(address)
        assert link is not None
        why_not = text_for(self.request.user, view.why_not, address) if view.why_not else ""
        return ShownView(view, link, why_not, why_no_samples)

    def _record(self, address: ViewAddress, view: ComparedView) -> None:
        found = Counter(sample.change for sample in view.samples)
        counted = [says(_COUNTED[each], count=found[each]) for each in Change if found[each]]
        record(
            self.request.user,
            address,
            RowAccess.Kind.COMPARISON,
            about=listed(counted),
            rows=len(view.samples),
            with_personal=not view.masked.issuperset(view.personal),
        )
