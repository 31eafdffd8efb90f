"""The URLs of pages in an admin site: of this package's, and of the rows of readable views."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from orm_views_core.definitions.registered import registered_views

from .addresses import ViewAddress

APP_NAMESPACE = "orm_views_admin"


def namespace_of(site: AdminSite) -> str:
    """Return the URL namespace of the pages inside a site."""
    return APP_NAMESPACE if site.name == admin.site.name else f"{site.name}_{APP_NAMESPACE}"


def url_in(site: AdminSite, page: str, **parts: Any) -> str:
    """Return the URL of a page inside a site."""
    return reverse(f"{namespace_of(site)}:{page}", kwargs=parts)


def rows_url(site: AdminSite, request: HttpRequest, address: ViewAddress) -> str:
    """Return the URL of the rows of a readable view in a site; "" if it is not there, or not for the user."""
    for view in registered_views(address.database).by_name.get(address.name, ()):
        shown = site._registry.get(view)
        if shown is not None and shown.has_view_permission(request):
            page = f"admin:{shown.opts.app_label}_{shown.opts.model_name}_changelist"
            try:
                return reverse(page, current_app=site.name)
            except NoReverseMatch:  # the project has not mounted the site
                return ""
    return ""
