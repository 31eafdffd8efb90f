"""What all pages share: the admin's shell, permissions, and finding a view by its address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views import View

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RegisteredView
from orm_views_admin.permissions import Permission, may
from orm_views_admin.sites import url_in
from orm_views_admin.ui import django_versions as markup
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import DatabaseStatus, ViewStatus, get_statuses
from orm_views_core.views.identity import name_of
from orm_views_core.views.registry import registry

from .selection import about_views


class AdminView(View):
    """A view inside an admin site, for staff with a permission.

    Attributes:
        site: the admin site that it belongs to.
        permission: what its user must be allowed.
    """

    site: AdminSite = None  # type: ignore[assignment]
    permission: ClassVar[Permission] = Permission.VIEW

    @classmethod
    def for_site(cls, site: AdminSite) -> Callable[..., HttpResponseBase]:
        """Return the view function, behind the site's login."""
        view: Any = site.admin_view(cls.as_view(site=site))
        # Each sync and refresh has a transaction of its own; one around the whole request (ATOMIC_REQUESTS)
        # would hold their locks until the response is on its way.
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view  # type: ignore[no-any-return]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may(request.user, self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def url(self, page: str, address: ViewAddress | None = None) -> str:
        """Return the address of a page of this site."""
        return url_in(self.site, page, **(address.parts if address else {}))

    def url_about(self, page: str, *addresses: ViewAddress) -> str:
        """Return the address of a page that takes any number of views, for some."""
        return self.url(page) + about_views(addresses)


class Page(AdminView):
    """An HTML page in the admin's shell.

    Attributes:
        template_name: the page's template.
    """

    template_name: ClassVar[str]

    def render(
        self,
        title: str,
        *,
        parent: tuple[str, str] | None = None,
        tools: Sequence[tuple[str, str]] = (),
        status_code: int = 200,
        **context: Any,
    ) -> TemplateResponse:
        """Render the page.

        Args:
            title: its heading, and the last of the breadcrumbs.
            parent: text and address of a breadcrumb between the list and this page.
            tools: text and address of the buttons beside the heading.
            status_code: the HTTP status.
            context: what the template needs.
        """
        self.request.current_app = self.site.name
        shell = self.site.each_context(self.request)
        _lead_straight_to(shell, self.url("list"))
        return TemplateResponse(
            self.request,
            self.template_name,
            {
                **shell,
                "title": title,
                "opts": RegisteredView._meta,
                "markup": markup.CONTEXT,
                "list_url": self.url("list"),
                "parent": parent,
                "tools": tools,
                "may": {p.value: may(self.request.user, p) for p in Permission},
                **context,
            },
            status=status_code,
        )


def _lead_straight_to(shell: dict[str, Any], list_url: str) -> None:
    """Let the sidebar's entry name the list itself, which also marks it as the current one."""
    for app in shell["available_apps"]:
        for model in app["models"]:
            if model["model"] is RegisteredView:
                model["admin_url"] = list_url


def read_statuses(alias: str) -> DatabaseStatus:
    """Return how the views of a database stand; whatever goes wrong with it is its ``error``."""
    try:
        (status,) = get_statuses([alias])
    except (OrmViewsError, DatabaseError) as error:
        message = _("Database “%(alias)s”: %(error)s") % {"alias": alias, "error": str(error).strip()}
        return DatabaseStatus(
            alias, error=error if isinstance(error, OrmViewsError) else OrmViewsError(message)
        )
    return status


def address_or_404(database: str, schema: str, name: str) -> ViewAddress:
    """Return the address that a URL names.

    Raises:
        Http404: when no view could have it, so that no other database is looked at.
    """
    if database not in view_databases():
        raise Http404(_("There are no views in database “%(alias)s”.") % {"alias": database})
    return ViewAddress(database, ViewName(schema, name))


def find_status(address: ViewAddress) -> ViewStatus:
    """Return how a view stands. What is neither registered nor in our schemas is not found, tables above all.

    Raises:
        Http404: when there is no such view.
        OrmViewsError: when its database cannot be asked.
    """
    database = read_statuses(address.database)
    if database.error is not None:
        raise database.error
    status = next((view for view in database.views if view.name == address.name), None)
    if status is None:
        raise Http404(_("There is no view %(name)s.") % {"name": address.name})
    return status


def is_registered(address: ViewAddress) -> bool:
    """Say whether a class declares a view, without asking the database or compiling anything."""
    return address.name in registered_names(address.database)


def registered_names(alias: str) -> set[ViewName]:
    """Return the names of the views that are registered for a database."""
    names = set()
    for view in registry.views(alias):
        with suppress(OrmViewsError):
            names.add(name_of(view))
    return names
