"""What syncs have changed of a view: a list, and a page for each change. The view may have been dropped."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import ViewChange
from orm_views_admin.models.changes import UNKNOWN, ViewChangeQuerySet
from orm_views_admin.pages.base import Link, Page
from orm_views_admin.tables.changes import ChangeTable, FactTable
from orm_views_admin.ui import wording
from orm_views_admin.ui.changes import action_badges, by_hand_words, fact_changes, is_drop, who
from orm_views_admin.ui.querystrings import page_links
from orm_views_admin.ui.sql_markup import format_sql, highlight_sql
from orm_views_core.names import ViewName
from orm_views_core.sentences import translate
from orm_views_core.spelling import spelling_on

_PER_PAGE = 50
#: The number of changes on the page of a view.
LAST_CHANGES = 5


def changes_of(address: ViewAddress) -> ViewChangeQuerySet:
    """Return the changes of a view, the newest first."""
    return ViewChange.objects.of(address.database, address.name)


class ChangesPage(Page):
    """All changes of a view, the newest first. Its database is not asked."""

    template_name = "orm_views_admin/changes.html"
    absent = gettext_lazy("No change of %(name)s is recorded.")

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = ViewAddress(database, ViewName(schema, name))
        page = Paginator(changes_of(address).in_list(), _PER_PAGE).get_page(request.GET.get("page"))
        if not page.paginator.count:
            raise Http404(self.absent % {"name": address.name})
        last = changes_of(address).in_list().first() if page.has_previous() else page.object_list[0]
        dropped = last if last and is_drop(last) else None
        return self.render(
            wording.with_names(_("Changes of %(name)s"), name=address.name),
            parent=None if dropped else self.link_to(address),
            table=ChangeTable(page.object_list, self.url, request.user),
            dropped=wording.moment(dropped.at) if dropped else "",
            found=page.paginator.count,
            page=page,
            pages=page_links(page, request.GET),
        )


class ChangePage(Page):
    """One change of a view: what, when, who, from where, why, and the difference as it was then."""

    template_name = "orm_views_admin/change.html"
    absent = gettext_lazy("There is no such change of %(name)s.")

    def get(self, request: HttpRequest, database: str, schema: str, name: str, pk: int) -> HttpResponse:
        address = ViewAddress(database, ViewName(schema, name))
        change = changes_of(address).select_related("run").filter(pk=pk).first()
        if change is None:
            raise Http404(self.absent % {"name": address.name})
        previous = changes_of(address).before(change).exclude(after_digest="").first()
        older, found = ViewChange.objects.before(change).count(), changes_of(address).count()
        words = {"number": wording.number(older + 1), "count": wording.number(found)}
        return self.render(
            wording.with_names(_("Change of %(name)s"), name=address.name),
            parent=Link(
                wording.with_names(_("Changes of %(name)s"), name=address.name), self.url("changes", address)
            ),
            standing=_("Version %(number)s of %(count)s.") % words,
            change=change,
            can=spelling_on(address.database).abilities,
            badges=action_badges(change),
            reasons=[self.withhold(line) for line in translate(change.said("reason")).splitlines()],
            when=wording.moment(change.at),
            who=who(change),
            exactly=wording.exact(change.at),
            is_dropped=is_drop(change),
            run_url=self.url("run", run_request=change.run.request) if change.run else "",
            view_url="" if is_drop(change) else self.url("detail", address),
            facts=FactTable(
                [
                    {name: self.withhold(text) for name, text in fact._asdict().items()}
                    for fact in fact_changes(change)
                ],
                exclude=["after"] if is_drop(change) else [],
            ),
            lost="\n".join(map(self.withhold, change.said_lost)),
            sent=highlight_sql(self.sql(change.sql)),
            **self._definitions(change, previous),
            **self._beside(address, change),
        )

    def _definitions(self, change: ViewChange, previous: ViewChange | None) -> dict[str, Any]:
        """Return what the page shows of the definitions before and after a change."""
        if not change.before_digest:  # the definition stayed as it was
            known = previous is not None and previous.after
            return {
                "stayed": True,
                "after": highlight_sql(self.sql(previous.after.strip())) if previous and known else "",
            }
        is_declared = change.after_digest == UNKNOWN
        before, after = change.before, format_sql(change.after) if is_declared else change.after
        by_hand = change.is_after_hand(previous.after_digest if previous else None)
        is_known = previous is not None and UNKNOWN not in {previous.after_digest, change.before_digest}
        return {
            "before": highlight_sql(self.sql(before.strip())) if before else "",
            "after": highlight_sql(self.sql(after.strip())) if after else "",
            "is_declared": is_declared,
            "difference": self.difference(before, after) if before and after else [],
            "by_hand": by_hand_words(change) if by_hand else "",
            "done_by_hand": self.difference(previous.after, change.before)
            if previous and by_hand and is_known
            else [],
        }

    def _beside(self, address: ViewAddress, change: ViewChange) -> dict[str, Any]:
        """Return the addresses of the pages of the change before and of the one after."""
        pks = {
            "older_url": ViewChange.objects.before(change).values_list("pk", flat=True).first(),
            "newer_url": ViewChange.objects.after(change).values_list("pk", flat=True).first(),
        }
        return {
            name: self.url("change", address, pk=pk) if pk is not None else "" for name, pk in pks.items()
        }
