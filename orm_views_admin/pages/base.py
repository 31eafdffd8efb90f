"""The base classes of the pages, and the functions that look up the view of an address."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseServerError
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import About, error_for, without_unseen
from orm_views_admin.models import RegisteredView
from orm_views_admin.permissions import Permission, RightsError, may, visible_statuses
from orm_views_admin.sites import url_in
from orm_views_admin.tables.sql import shown_difference, shown_sql
from orm_views_admin.ui import django_versions
from orm_views_admin.ui.shell import Shell
from orm_views_admin.ui.sql_markup import DiffLine
from orm_views_admin.ui.wording import breakable
from orm_views_core.definitions.definition import SkippedView
from orm_views_core.engines.answers import expecting_answers
from orm_views_core.engines.postgresql.errors.diagnostics import quoting
from orm_views_core.engines.rows import estimate_rows, judge_views
from orm_views_core.exceptions import OrmViewsError, UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says
from orm_views_core.status import DatabaseStatus, ViewStatus, get_status, get_statuses, unanswered

from .selection import about_views

logger = logging.getLogger(__name__)

#: The errors of a database that cannot be read, or that refuses a statement. Pages show their messages.
UNREADABLE = (OrmViewsError, DatabaseError)


class Link(NamedTuple):
    """The text and the URL of a link."""

    text: str
    url: str


class AdminView(View):
    """A Django view inside an admin site, for staff who have a permission.

    Attributes:
        site: the admin site.
        permission: the permission that a user needs.
        address: the view that the page is about, if it is about one.
    """

    site: AdminSite = None  # type: ignore[assignment]
    permission: ClassVar[Permission] = Permission.VIEW
    #: What is said of a view that is not there. Of one that the user may not see, the same is said.
    absent: ClassVar[Any] = gettext_lazy("There is no view %(name)s.")
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - as Django declares it
    address: ViewAddress | None = None

    @classmethod
    def for_site(cls, site: AdminSite) -> Callable[..., HttpResponseBase]:
        """Return the view function; it requires a login to the site."""
        view: Any = site.admin_view(cls.as_view(site=site))
        # Each sync and each refresh has its own transaction. A transaction around the whole request
        # (ATOMIC_REQUESTS) would hold their locks until the response is complete.
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view  # type: ignore[no-any-return]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.may(self.permission):
            raise PermissionDenied
        try:
            with expecting_answers():
                if {"database", "schema", "name"} <= kwargs.keys():
                    self.address = ViewAddress(kwargs["database"], ViewName(kwargs["schema"], kwargs["name"]))
                    self.demand(self.address)
                return super().dispatch(request, *args, **kwargs)
        except RightsError:
            logger.exception("Nothing is shown: it cannot be decided who may see what.")
            return HttpResponseServerError(_undecided(), content_type="text/plain; charset=utf-8")

    def demand(self, address: ViewAddress) -> None:
        """Go on if the user may do with a view what the page does.

        Raises:
            Http404: if the user may not see it. That it is there is not told.
            PermissionDenied: if the user may see it only.
        """
        if not self.may(Permission.VIEW, address):
            raise Http404(self.absent % {"name": address.name})
        if not self.may(self.permission, address):
            raise PermissionDenied

    def may(self, permission: Permission, address: ViewAddress | None = None) -> bool:
        """Return whether the user has a permission and the one to view: for some views, or for this one."""
        return may(self.request.user, permission, address)

    def explain(self, error: BaseException, about: About = None) -> str:
        """Return the message of an error as the user may read it.

        Args:
            error: the error.
            about: the view or the database that it is about; that of the page when None.
        """
        return error_for(self.request.user, error, about or self.address)

    def withhold(self, text: str, about: About = None) -> str:
        """Return a text, or why it is not shown: it may name a view that the user may not see."""
        return without_unseen(self.request.user, text, about or self.address)

    def sql(self, text: str, about: About = None) -> str:
        """Return SQL, or a comment that says why it is not shown."""
        return shown_sql(self.request.user, text, about or self.address)

    def difference(self, before: str, after: str, about: About = None) -> list[DiffLine]:
        """Return the lines of a difference; of texts that are not shown, one that says why."""
        return shown_difference(self.request.user, before, after, about or self.address)

    def read_statuses(
        self, alias: str, only: Collection[ViewName] | None = None, *, judged: bool = True
    ) -> DatabaseStatus:
        """Return the status of those views of a database that the user may see; see :func:`read_statuses`."""
        status = read_statuses(alias, only, judged=judged)
        return replace(status, views=type(status.views)(visible_statuses(self.request.user, status.views)))

    def visible_skipped(self, alias: str, skipped: Iterable[SkippedView]) -> list[SkippedView]:
        """Return those of the skipped views of a database that the user may see."""
        return [
            view for view in skipped if view.name and self.may(Permission.VIEW, ViewAddress(alias, view.name))
        ]

    def url(self, page: str, address: ViewAddress | None = None, **parts: Any) -> str:
        """Return the URL of a page of this site."""
        return url_in(self.site, page, **(address.parts if address else {}), **parts)

    def url_about(self, page: str, *addresses: ViewAddress) -> str:
        """Return the URL of a page about some views, which it gets as parameters."""
        return self.url(page) + about_views(addresses)

    def link_to(self, address: ViewAddress | None) -> Link | None:
        """Return a link to the page of a view; None without a view."""
        return Link(breakable(str(address.name)), self.url("detail", address)) if address else None


class Page(AdminView):
    """An HTML page in the admin's layout.

    Attributes:
        template_name: the page's template.
    """

    template_name: ClassVar[str]

    def render(self, title: str, *, status_code: int = 200, **context: Any) -> TemplateResponse:
        """Return the page.

        Args:
            title: the heading, which is also the last breadcrumb: text, or HTML without links.
            status_code: the HTTP status.
            context: further variables of the template. ``parent``, a link, is a breadcrumb between the list
                of views and this page. ``tools`` are the links beside the heading.
        """
        self.request.current_app = self.site.name
        return TemplateResponse(
            self.request,
            self.template_name,
            {
                **self._site_context(),
                "title": title,
                # Not "opts": skins take a page with it for a page of the model's own admin.
                "page_opts": RegisteredView._meta,
                "markup": django_versions.CONTEXT,
                "shell": Shell(),
                "list_url": self.url("list"),
                "may": {permission.value: self.may(permission) for permission in Permission},
                **context,
            },
            status=status_code,
        )

    def _site_context(self) -> dict[str, Any]:
        """Return the context of the admin site; the sidebar's entry links to the list of views itself.

        Django marks the entry whose URL is that of the page as the current one.
        """
        context = self.site.each_context(self.request)
        for app in context["available_apps"]:
            for model in app["models"]:
                if model["model"] is RegisteredView:
                    model["admin_url"] = self.url("list")
        return context


def _undecided() -> str:
    """Return what is said when it cannot be decided who may see what. Only the log says why."""
    return _(
        "Nothing is shown: it cannot be decided who may see what, because the function that "
        'ORM_VIEWS_ADMIN["PERMISSION"] names does not answer. The log of the server has the reason.'
    )


@contextmanager
def _naming_the_database(alias: str) -> Iterator[None]:
    """Turn an error of PostgreSQL while a status is read into one that names the database."""
    try:
        yield
    except DatabaseError as error:
        whole = says("Database “%(alias)s” cannot be read: %(error)s", alias=alias, error=str(error).strip())
        rest = says("Database “%(alias)s” cannot be read.", alias=alias)
        raise OrmViewsError(quoting(whole, rest, error)) from error


def read_statuses(
    alias: str, only: Collection[ViewName] | None = None, *, judged: bool = True
) -> DatabaseStatus:
    """Return the status of some or all views of a database; if that fails, the reason is its ``error``.

    Args:
        alias: the database.
        only: the views; all when None.
        judged: whether to look for what would keep a sync from being carried out; see ``get_statuses()``.
    """
    try:
        with _naming_the_database(alias):
            (status,) = get_statuses([alias], only=only, judged=judged)
    except OrmViewsError as error:
        if isinstance(error.__cause__, DatabaseError):
            return unanswered(alias, error, only)
        return DatabaseStatus(alias, error=error)
    return status


def find_status(address: ViewAddress) -> ViewStatus:
    """Return the status of a view that is registered or in one of the project's schemas.

    Raises:
        Http404: if there is no such view. Tables are not found either.
        OrmViewsError: if its database cannot be read.
    """
    try:
        with _naming_the_database(address.database):
            return get_status(address.database, address.name)
    except UnknownViewError as error:
        raise Http404(_("There is no view %(name)s.") % {"name": address.name}) from error


def read_estimate(address: ViewAddress) -> int | None:
    """Return the planner's estimate of a view's rows; None if there is none, or if it cannot be had."""
    with suppress(*UNREADABLE):
        return estimate_rows(address.database, [address.name]).get(address.name)
    return None


def why_not_read(address: ViewAddress) -> str:
    """Return why the rows of a view may not be read; "" if they may, or if its database does not say."""
    with suppress(*UNREADABLE):
        return judge_views(address.database, [address.name]).get(address.name, "")
    return ""
