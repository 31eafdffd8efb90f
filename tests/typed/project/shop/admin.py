"""The rows of a view in the admin, and a site of the project's own."""

from django.contrib import admin
from django.urls import path

from orm_views_admin.admin import ReadableViewAdmin, RegisteredViewAdmin
from orm_views_admin.models import RegisteredView
from orm_views_admin.urls import site_urls

from .postgres_views import SalesByDay


@admin.register(SalesByDay)
class SalesByDayAdmin(ReadableViewAdmin):
    list_display = ("sold_on", "amount")


staff = admin.AdminSite("staff")
staff.register(RegisteredView, RegisteredViewAdmin)
urlpatterns = [path("staff/orm-views/", site_urls(staff)), path("staff/", staff.urls)]
