"""The URL namespaces of the pages; each admin site has its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.urls import reverse

APP_NAMESPACE = "orm_views_admin"


def namespace_of(site: AdminSite) -> str:
    """Return the URL namespace of the pages inside a site."""
    return APP_NAMESPACE if site.name == admin.site.name else f"{site.name}_{APP_NAMESPACE}"


def url_in(site: AdminSite, page: str, **parts: Any) -> str:
    """Return the URL of a page inside a site."""
    return reverse(f"{namespace_of(site)}:{page}", kwargs=parts)
