"""The page of one view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.models.changes import privileges_by_role
from orm_views_admin.pages.accesses import link_to_accesses
from orm_views_admin.pages.base import UNREADABLE, Link, Page, find_status, read_estimate, why_not_read
from orm_views_admin.pages.selection import address_or_404
from orm_views_admin.pages.troubles import read_troubles
from orm_views_admin.permissions import Permission
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.sites import rows_url
from orm_views_admin.standings import Standing, standings_of
from orm_views_admin.tables.changes import ChangeTable
from orm_views_admin.tables.detail import ColumnTable, GrantTable, IndexTable, OptionTable, RelationTable
from orm_views_admin.tables.entries import can_be_counted
from orm_views_admin.tables.runs import RunTable
from orm_views_admin.trends import LAST, about, read_trends, usual_seconds
from orm_views_admin.ui import wording
from orm_views_admin.ui.lineage import LineageMarkup, personal_mark
from orm_views_admin.ui.relations import VIEWS, models_by_table, what_it_is
from orm_views_admin.ui.sparklines import sparkline
from orm_views_admin.ui.sql_markup import format_sql, highlight_sql
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.registered import registered_views
from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.privacy.guard import Finding
from orm_views_core.sentences import listed, translate
from orm_views_core.spelling import spelling_on
from orm_views_core.status import State, ViewDetail, ViewStatus, get_detail

from .changes import LAST_CHANGES, changes_of


class DetailPage(Page):
    """A view's state and its reason, SQL, columns, last runs, related views, grants and options."""

    template_name = "orm_views_admin/detail.html"

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        try:
            detail = get_detail(address.database, address.name)
        except UnknownViewError:
            if changes_of(address).exists():
                return HttpResponseRedirect(self.url("changes", address))
            find_status(address)  # raises Http404 with a message for people
            raise
        except UNREADABLE as error:
            return self.render(wording.breakable(str(address.name)), error=self.explain(error))
        return self.render(wording.breakable(str(address.name)), **self._describe(address, detail))

    def _tools(self, address: ViewAddress, status: ViewStatus, *, is_read: bool) -> list[Link]:
        is_managed = status.definition is not None or status.state is State.ORPHANED
        tools = []
        if is_managed and self.may(Permission.SYNC, address):
            tools.append(Link(_("Sync this…"), self.url_about("sync", address)))
        if status.can_refresh and self.may(Permission.REFRESH, address):
            tools.append(Link(_("Refresh…"), self.url_about("refresh", address)))
        if is_read and self.may(Permission.PREVIEW, address):
            tools.append(Link(_("Preview"), self.url("preview", address)))
        if rows := rows_url(self.site, self.request, address):
            tools.append(Link(_("Rows in the admin"), rows))
        if status.installed is not None:
            tools.append(Link(_("Graph"), self.url_about("graph", address)))
        return [*tools, *link_to_accesses(self, address)]

    def _describe(self, address: ViewAddress, detail: ViewDetail) -> dict[str, Any]:
        status = detail.status
        last = list(Run.objects.without_exports().filter(about(address))[:LAST])
        reconcile(last)
        definition, installed = status.definition, status.installed
        state = installed.state if installed else None
        stored = (installed.definition if installed else None) or ""
        expected = detail.expected.definition if detail.expected else ""
        is_view = installed is not None and installed.kind is not None
        why_not = self.withhold(why_not_read(address)) if is_view else ""
        is_counted = can_be_counted(status) and not why_not
        estimate = installed.rows if installed else None
        if is_counted:
            estimate = read_estimate(address)
        return {
            "tools": self._tools(address, status, is_read=is_view and not why_not),
            "status": status,
            "can": spelling_on(address.database).abilities,
            "engine": spelling_on(address.database).title,
            "standings": self._standings(address, status, last),
            "definition": definition,
            "source": wording.breakable(str(definition.source)) if definition and definition.source else "",
            "installed": installed,
            "kind": wording.kind_word(status.kind),
            "size": wording.size(installed.size) if installed else "",
            "synced": wording.moment(state.synced) if state else "",
            "refreshed": wording.moment(state.refreshed) if state else "",
            "promise": wording.promise(status.freshness),
            "duration": wording.duration(state.seconds) if state else "",
            "docstring": self.withhold(_docstring(status)),
            "sql": highlight_sql(self.sql(format_sql(definition.sql) if definition else "")),
            "stored": highlight_sql(self.sql(stored.strip())),
            "difference": self.difference(stored, expected) if stored and expected else None,
            "columns": self._columns(address.database, detail),
            **self._personal_facts(detail),
            "indexes": IndexTable(_indexes(status)) if status.kind is ViewKind.MATERIALISED_VIEW else None,
            "grants": GrantTable(_grants(status)),
            "options": OptionTable(_options(status)),
            "upstream": self._relations(detail, dict.fromkeys(detail.reads, ""), _("Reads")),
            "downstream": self._relations(detail, self._hanging(detail), _("What hangs on it")),
            **(
                self._history(address, state, last)
                if status.kind is ViewKind.MATERIALISED_VIEW
                else {"runs": None}
            ),
            "changes": ChangeTable(
                list(changes_of(address).in_list()[:LAST_CHANGES]), self.url, self.request.user
            ),
            "changes_url": self.url("changes", address),
            "count_url": self.url("count", address) if is_counted else "",
            "estimate": wording.row_count(estimate),
            "why_not_read": why_not,
            "why_not_concurrently": self.withhold(status.why_not_concurrently),
        }

    def _standings(
        self, address: ViewAddress, status: ViewStatus, last: Sequence[Run]
    ) -> list[dict[str, Any]]:
        """Return the states that the view is in, the worst first, as the user may read them."""
        active = [run for run in last if run.is_active]
        troubles = read_troubles([status], active, self.request.user, wanted=about(address))
        return [
            {
                "look": wording.look_of_standing(each),
                "reasons": self._reasons(each),
                "advice": self.withhold(each.advice),
                "url": self.url("run", run_request=each.request) if each.request else "",
            }
            for each in standings_of(status, troubles.views.get(address, ()))
        ]

    def _reasons(self, standing: Standing) -> list[str]:
        """Return the reason of a state in paragraphs. PostgreSQL points at places in SQL: its lines stay."""
        if standing.error:
            return [self.explain(standing.error)]
        return [self.withhold(line) for line in translate(standing.reason).split("\n")]

    def _sees(self, detail: ViewDetail, name: ViewName) -> bool:
        """Return whether a relation is a table, or a view that the user may see."""
        alias, known = detail.status.database, detail.surroundings.relations.get(name)
        is_view = name in registered_views(alias).names or (known is not None and known.kind in VIEWS)
        return not is_view or self.may(Permission.VIEW, ViewAddress(alias, name))

    def _history(self, address: ViewAddress, state: SyncState | None, last: Sequence[Run]) -> dict[str, Any]:
        """Return what the page shows of the last runs of a materialised view."""
        trend = read_trends([address]).get(address, ())
        failed = _last_failure(address, last)
        return {
            "failed": wording.moment(failed.finished_at or failed.queued_at) if failed else "",
            "failed_url": self.url("run", run_request=failed.request) if failed else "",
            "runs": RunTable(last, self.url, self.request.user, exclude=["what", "database"]),
            "history_url": self.url_about("runs", address),
            "usual": wording.duration(usual_seconds(trend, state)),
            "trend": sparkline(trend),
            "active_url": next(
                (self.url("run", run_request=run.request) for run in last if run.is_active), ""
            ),
        }

    def _relations(self, detail: ViewDetail, names: Mapping[ViewName, str], label: str) -> RelationTable:
        """Return a table of relations, each with words that say how they belong to the view."""
        relations, known, models = [], detail.surroundings.relations, models_by_table()
        shown = {name: how for name, how in names.items() if self._sees(detail, name)}
        for name, how in shown.items():
            url = self._view_url(detail.status.database, name)
            whose = _("registered view") if url else what_it_is(name, known.get(name), models)
            relations.append({"name": str(name), "url": url, "whose": whose, "how": how})
        if len(shown) < len(names):
            relations.append({"name": str(wording.UNSEEN), "url": "", "whose": "", "how": ""})
        return RelationTable(relations, label=label, exclude=[] if any(shown.values()) else ["how"])

    def _hanging(self, detail: ViewDetail) -> dict[ViewName, str]:
        """Return the views that hang on a view, those that read it first, each with how it does, in words."""
        own, around = detail.status.name, detail.surroundings
        direct = {name: _("reads it") for name, reads in around.hanging.items() if own in reads}
        others = {}
        for name, reads in around.hanging.items():
            if name not in direct:
                between = [str(each) for each in sorted(reads) if self._sees(detail, each)]
                names = wording.name_list(between or [str(wording.UNSEEN)])
                others[name] = wording.with_names(_("by way of %(views)s"), views=names)
        return {**direct, **others}

    def _personal_facts(self, detail: ViewDetail) -> dict[str, Any]:
        """Return what the page says of personal data besides the state."""
        status, personal = detail.status, detail.surroundings.personal
        exposes = status.definition.exposes if status.definition else ()
        is_said = any(each.state is State.EXPOSES for each in status.conditions)
        return {
            "problems": [] if is_said else self._findings(status.problems),
            "warnings": self._findings(status.warnings),
            "on_purpose": [column for column in exposes if column in personal],
            "is_personal": bool(personal),
        }

    def _findings(self, findings: Iterable[Finding]) -> list[str]:
        return [self.withhold(listed([each.what, each.advice], " ")) for each in findings]

    def _view_url(self, alias: str, name: ViewName) -> str:
        """Return the URL of the page of a registered view; "" for any other relation."""
        is_registered = name in registered_views(alias).names
        return self.url("detail", ViewAddress(alias, name)) if is_registered else ""

    def _columns(self, alias: str, detail: ViewDetail) -> ColumnTable:
        definition, installed = detail.status.definition, detail.status.installed
        around = detail.surroundings
        comments = {
            **(installed.column_comments if installed else {}),
            **(definition.column_comments if definition else {}),
        }
        sources = {each for exposure in around.personal.values() for each in exposure.sources}
        markup = LineageMarkup(
            partial(self._view_url, alias), sources, sees=partial(self._sees, detail), shown=self.withhold
        )
        rows = []
        for column in detail.columns:
            made_of = around.made_of.column(column.name) if around.made_of else None
            direct = around.direct.column(column.name) if around.direct else None
            rows.append(
                {
                    "column": column,
                    "comment": self.withhold(comments.get(column.name) or ""),
                    "made_of": markup.made_of(made_of, direct) if made_of else "",
                    "goes_to": markup.goes_to(around.goes_to.get(column.name, ())),
                    "mark": _mark(column.name, detail),
                }
            )
        empty = [name for name in ("comment", "goes_to") if not any(row[name] for row in rows)]
        return ColumnTable(rows, exclude=[*empty, *([] if around.made_of else ["made_of"])])


def _last_failure(address: ViewAddress, last: Sequence[Run]) -> Run | None:
    """Return the last run of a view that failed; most often it is one of the last runs, or there is none."""
    failed = next((run for run in last if run.state == Run.State.FAILED), None)
    if failed is None and len(last) == LAST:
        return Run.objects.without_exports().filter(about(address), state=Run.State.FAILED).first()
    return failed


def _mark(column: str, detail: ViewDetail) -> str:
    """Return the mark of a column with personal data; "" for any other column."""
    definition = detail.status.definition
    if column in detail.surroundings.personal:
        is_declared = definition is not None and column in definition.exposes
        return personal_mark(_("personal, shown on purpose") if is_declared else _("personal"))
    if definition is not None and column in definition.not_personal:
        return format_html('<span class="ov-reason">{}</span>', _("no longer personal, as its class says"))
    return ""


def _docstring(status: ViewStatus) -> str:
    """Return the docstring of a view, or its comment in the database."""
    of_class = status.definition.comment if status.definition else ""
    return of_class or (status.installed.text if status.installed else "") or ""


def _indexes(status: ViewStatus) -> list[dict[str, Any]]:
    """Return the indexes in the database, then those that only the class declares."""
    installed = status.installed.indexes if status.installed else ()
    declared = status.definition.indexes if status.definition else ()
    names = {index.name for index in installed}
    return [
        *({"index": index, "installed": True} for index in installed),
        *({"index": index, "installed": False} for index in declared if index.name not in names),
    ]


def _grants(status: ViewStatus) -> list[dict[str, Any]]:
    if status.installed is None:
        return []
    state = status.installed.state
    recorded = {*state.granted, *state.granted_by_command} if state else set()
    return [
        {
            "role": wording.breakable(role) if role else "PUBLIC",
            "privileges": wording.listed(found),
            "source": pgettext("who granted", "sync")
            if (role or "public") in recorded
            else pgettext("who granted", "hand"),
        }
        for role, found in privileges_by_role(status.installed.grants).items()
    ]


def _options(status: ViewStatus) -> list[dict[str, Any]]:
    wanted = dict(status.definition.options) if status.definition else {}
    installed = dict(status.installed.options) if status.installed else {}
    return [
        {"option": option, "wanted": wanted.get(option), "installed": installed.get(option)}
        for option in sorted({*wanted, *installed})
    ]
