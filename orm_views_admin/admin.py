"""The entry in the admin's index and sidebar, and the base class for showing readable views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseRedirect

from orm_views_admin.readable.admin import ReadableViewAdmin as ReadableViewAdmin
from orm_views_admin.readable.admin import ReadOnlyAdmin

from .addresses import ViewAddress
from .models import RegisteredView
from .sites import url_in


@admin.register(RegisteredView)
class RegisteredViewAdmin(ReadOnlyAdmin):
    """Redirects to the pages of this app. ``RegisteredView`` has no table, so there is nothing to list."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return HttpResponseRedirect(url_in(self.admin_site, "list"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Redirect to the page of a view: Django's list of recent actions links here."""
        try:
            address = ViewAddress.parse(unquote(object_id))
        except ValueError:  # a sync of a whole database is logged with its alias
            return HttpResponseRedirect(url_in(self.admin_site, "list"))
        return HttpResponseRedirect(url_in(self.admin_site, "detail", **address.parts))


__all__ = ["ReadableViewAdmin", "RegisteredViewAdmin"]
