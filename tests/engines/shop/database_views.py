"""Views of each kind, in SQL that every engine understands."""

from django.db import models
from django.db.models import Count, F, Sum

from orm_views_core.views import (
    HiddenViewMixin,
    MaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
    ViewFromQueryset,
    ViewFromSQL,
)

from .models import Order, Product


class LastDay(HiddenViewMixin, ViewFromSQL):
    """The day of the last order."""

    name = "last_day"
    sql = "SELECT max(placed_on) AS day FROM shop_order"


class Cities(ViewFromSQL):
    """Customers, without their e-mail addresses."""

    name = "cities"
    sql = "SELECT id, city FROM shop_customer"


class PerCity(ViewFromSQL):
    """How many customers a city has. It reads a view of this module."""

    name = "per_city"
    sql = "SELECT city, count(*) AS customers FROM views.cities GROUP BY city"


class OnSale(ViewFromQueryset):
    """The products that can be bought."""

    name = "on_sale"

    @classmethod
    def get_queryset(cls):
        return Product.objects.filter(on_sale=True).values("id", "code", "name", "price", "details")


class OrderLines(ReadableViewFromQueryset):
    """Every order with the city of its customer."""

    name = "orders"

    @classmethod
    def get_queryset(cls):
        return Order.objects.values(
            "id", "customer", "total", "discount", "status", "placed_on", "sent_at", city=F("customer__city")
        )


class Recent(ReadableViewFromSQL):
    """The orders of the last day."""

    name = "recent"
    sql = "SELECT o.id, o.city, o.total FROM views.orders o JOIN views.last_day l ON l.day = o.placed_on"

    id = models.BigIntegerField(primary_key=True)
    city = models.CharField(max_length=60)
    total = models.DecimalField(max_digits=8, decimal_places=2)


class SalesByCity(MaterialisedViewMixin, ReadableViewFromQueryset):
    """Sales of each city. On PostgreSQL they are stored."""

    name = "sales_by_city"
    pk_field = "city"

    sales = models.DecimalField(max_digits=14, decimal_places=2)

    @classmethod
    def get_queryset(cls):
        return OrderLines.objects.values("city").annotate(orders=Count("id"), sales=Sum("total"))
