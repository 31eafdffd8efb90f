"""All about one view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.pages.base import Page, address_or_404, find_status, registered_names
from orm_views_admin.permissions import Permission, may
from orm_views_admin.runs.reconciliation import reconcile
from orm_views_admin.sites import url_in
from orm_views_admin.tables.base import ColumnTable, GrantTable, IndexTable, OptionTable, RelationTable
from orm_views_admin.tables.runs import RunTable
from orm_views_admin.ui import wording
from orm_views_admin.ui.sql_markup import diff_lines, format_sql, highlight_sql
from orm_views_admin.ui.trends import LAST, about, read_trends, sparkline
from orm_views_core.engines.postgresql.rows import estimate_rows
from orm_views_core.exceptions import OrmViewsError, UnknownViewError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.status import State, ViewDetail, ViewStatus, get_detail


class DetailPage(Page):
    """A view's SQL, how it stands and why, its columns, and what is upstream and downstream of it."""

    template_name = "orm_views_admin/detail.html"
    http_method_names = ["get", "head"]  # noqa: RUF012 - as Django declares it

    def get(self, request: HttpRequest, database: str, schema: str, name: str) -> HttpResponse:
        address = address_or_404(database, schema, name)
        try:
            detail = get_detail(address.database, address.name)
        except UnknownViewError:
            find_status(address)  # raises Http404, with the words for it
            raise
        except (OrmViewsError, DatabaseError) as error:
            return self.render(str(address.name), address=address, error=str(error).strip())
        return self.render(
            str(address.name),
            tools=self._tools(address, detail.status),
            address=address,
            **self._describe(address, detail),
        )

    def _tools(self, address: ViewAddress, status: ViewStatus) -> list[tuple[str, str]]:
        tools = []
        if _is_ours(status) and may(self.request.user, Permission.SYNC):
            tools.append((_("Sync this…"), self.url_about("sync", address)))
        if status.can_refresh and may(self.request.user, Permission.REFRESH):
            tools.append((_("Refresh…"), self.url_about("refresh", address)))
        if _can_be_read(status) and may(self.request.user, Permission.PREVIEW):
            tools.append((_("Preview"), self.url("preview", address)))
        return tools

    def _describe(self, address: ViewAddress, detail: ViewDetail) -> dict[str, Any]:
        status = detail.status
        definition, installed = status.definition, status.installed
        sql = format_sql(definition.sql) if definition else ""
        stored = (installed.definition if installed else None) or ""
        registered = detail.expected.definition if detail.expected else ""
        ours = registered_names(address.database)
        return {
            "status": status,
            "look": wording.look_of(status.state),
            "definition": definition,
            "source": wording.breakable(str(definition.source)) if definition and definition.source else "",
            "installed": installed,
            "kind": wording.kind_word(status.kind),
            "size": wording.size(installed.size) if installed else "",
            "tag": installed.state if installed else None,
            "synced": wording.moment(installed.state.synced) if installed and installed.state else "",
            "refreshed": wording.moment(installed.state.refreshed) if installed and installed.state else "",
            "promise": wording.promise(status.freshness),
            "duration": wording.duration(installed.state.seconds) if installed and installed.state else "",
            "sql": highlight_sql(sql),
            "stored": highlight_sql(stored.strip()),
            "difference": diff_lines(stored, registered) if stored and registered else [],
            "comparable": bool(stored and registered),
            "columns": ColumnTable(_columns(detail)),
            "indexes": IndexTable(_indexes(status)) if status.kind is ViewKind.MATERIALISED_VIEW else None,
            "grants": GrantTable(_grants(status)),
            "options": OptionTable(_options(status)),
            "upstream": RelationTable(self._relations(address, detail.reads, ours), _("Reads")),
            "downstream": RelationTable(self._relations(address, detail.read_by, ours), _("Is read by")),
            **self._history(address, status),
            "count_url": self.url("count", address) if _can_be_counted(status) else "",
            "estimate": _estimate(address) if _can_be_counted(status) else "",
        }

    def _history(self, address: ViewAddress, status: ViewStatus) -> dict[str, Any]:
        """The last runs of a materialised view; others have none."""
        if status.kind is not ViewKind.MATERIALISED_VIEW:
            return {"runs": None}
        last = list(Run.objects.filter(about(address)).order_by("-queued_at", "-pk")[:LAST])
        reconcile(last)
        trend = read_trends(address).get(address)
        return {
            "runs": RunTable(last, self.site, exclude=["what", "database"]),
            "history_url": self.url_about("runs", address),
            "usual": wording.duration(trend.usual_seconds) if trend else "",
            "trend": sparkline(trend) if trend else "",
            "active_url": next(
                (url_in(self.site, "run", run_request=run.request) for run in last if run.is_active), ""
            ),
        }

    def _relations(
        self, address: ViewAddress, names: Iterable[ViewName], ours: set[ViewName]
    ) -> list[dict[str, Any]]:
        return [
            {
                "name": str(name),
                "url": self.url("detail", ViewAddress(address.database, name)) if name in ours else "",
                "whose": _("registered view") if name in ours else _("not registered here"),
            }
            for name in names
        ]


def _is_ours(status: ViewStatus) -> bool:
    return status.definition is not None or status.state is State.ORPHANED


def _can_be_read(status: ViewStatus) -> bool:
    return _is_ours(status) and status.installed is not None and status.installed.kind is not None


def _can_be_counted(status: ViewStatus) -> bool:
    return _can_be_read(status) and status.installed is not None and status.installed.populated


def _estimate(address: ViewAddress) -> str:
    """The planner's number of rows, until the page has asked for the exact one."""
    with suppress(OrmViewsError, DatabaseError):
        rows = estimate_rows(address.database, [address.name]).get(address.name)
        if rows is not None:
            return f"~ {wording.number(rows)}"
    return wording.DASH


def _columns(detail: ViewDetail) -> list[dict[str, Any]]:
    definition, installed = detail.status.definition, detail.status.installed
    comments = {
        **(installed.column_comments if installed else {}),
        **(definition.column_comments if definition else {}),
    }
    return [
        {
            "name": column.name,
            "type": column.type,
            "collation": column.collation,
            "comment": comments.get(column.name, ""),
        }
        for column in detail.columns
    ]


def _indexes(status: ViewStatus) -> list[dict[str, Any]]:
    installed = {index.name: index for index in (status.installed.indexes if status.installed else ())}
    rows = [
        {"name": index.name, "unique": index.unique, "tail": index.tail, "installed": True}
        for index in installed.values()
    ]
    wanted = status.definition.indexes if status.definition else ()
    return rows + [
        {"name": index.name, "unique": index.unique, "tail": index.tail, "installed": False}
        for index in wanted
        if index.name not in installed
    ]


def _grants(status: ViewStatus) -> list[dict[str, Any]]:
    if status.installed is None:
        return []
    state = status.installed.state
    ours = {*(state.granted if state else ()), *(state.granted_by_command if state else ())}
    privileges: defaultdict[str, list[str]] = defaultdict(list)
    for grant in sorted(status.installed.grants, key=lambda g: (g.role, g.privilege)):
        privileges[grant.role].append(grant.privilege + (" *" if grant.grantable else ""))
    return [
        {
            "role": role or "PUBLIC",
            "privileges": ", ".join(found),
            "source": _("sync") if (role or "public") in ours else _("hand"),
        }
        for role, found in privileges.items()
    ]


def _options(status: ViewStatus) -> list[dict[str, Any]]:
    wanted = dict(status.definition.options) if status.definition else {}
    installed = dict(status.installed.options) if status.installed else {}
    return [
        {"option": option, "wanted": wanted.get(option), "installed": installed.get(option)}
        for option in sorted({*wanted, *installed})
    ]
