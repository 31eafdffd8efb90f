from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/orm-views/", include("orm_views_admin.urls")),
    path("admin/", admin.site.urls),
]
