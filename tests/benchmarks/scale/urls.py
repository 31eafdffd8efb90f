"""The addresses of the project: the pages of the views, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/orm-views/", include("orm_views_admin.urls")),
    path("admin/", admin.site.urls),
]
