"""Django's admin, with the pages of the views in front of it."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/orm-views/", include("orm_views_admin.urls")),
    path("admin/", admin.site.urls),
]
