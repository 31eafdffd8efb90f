"""The base classes of the pages, and the functions that look up the view of an address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, NamedTuple

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views import View

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import error_for
from orm_views_admin.models import RegisteredView
from orm_views_admin.permissions import Permission, may
from orm_views_admin.sites import url_in
from orm_views_admin.ui import django_versions
from orm_views_admin.ui.shell import Shell
from orm_views_admin.ui.wording import breakable
from orm_views_core.engines.answers import expecting_answers
from orm_views_core.engines.postgresql.errors.diagnostics import quoting
from orm_views_core.engines.postgresql.rows import estimate_rows, judge_views
from orm_views_core.exceptions import OrmViewsError, UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.status import DatabaseStatus, ViewStatus, get_status, get_statuses, unanswered

from .selection import about_views

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
    """

    site: AdminSite = None  # type: ignore[assignment]
    permission: ClassVar[Permission] = Permission.VIEW
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - as Django declares it

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
        with expecting_answers():
            return super().dispatch(request, *args, **kwargs)

    def may(self, permission: Permission) -> bool:
        """Return whether the user has a permission and the one to view."""
        return may(self.request.user, permission)

    def explain(self, error: BaseException) -> str:
        """Return the message of an error as the user may read it."""
        return error_for(self.request.user, error)

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


@contextmanager
def _naming_the_database(alias: str) -> Iterator[None]:
    """Turn an error of PostgreSQL while a status is read into one that names the database."""
    try:
        yield
    except DatabaseError as error:
        what = _("Database “%(alias)s” cannot be read") % {"alias": alias}
        raise OrmViewsError(quoting(f"{what}: {str(error).strip()}", f"{what}.", error)) from error


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
        judged = judge_views(address.database, [address.name]).get(address.name)
        return judged.why_not if judged else ""
    return ""
