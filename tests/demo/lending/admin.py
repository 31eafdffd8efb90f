"""Rows of views as staff see them: nobody can change one, not even in the view that scripts write through."""

from django.contrib import admin

from orm_views_admin.admin import ReadableViewAdmin

from .models import Product
from .postgres_views import ActiveLoans, LoanBook, LoansTakenOver


@admin.register(LoanBook)
class LoanBookAdmin(ReadableViewAdmin):
    list_display = ("id", "opened_on", "product", "principal", "status", "age_band", "city")
    list_filter = ("status", "channel", "purpose", "age_band")
    search_fields = ("id", "product", "city")
    date_hierarchy = "opened_on"


admin.site.register([ActiveLoans, LoansTakenOver], ReadableViewAdmin)


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "purpose", "annual_rate", "on_sale")
    list_display_links = ("name",)
