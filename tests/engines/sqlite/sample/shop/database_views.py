from django.db import models
from django.db.models import Count, F, Sum

from orm_views_core.views import (
    MaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
    ViewFromSQL,
)

from .models import Order


class OrderLines(ReadableViewFromQueryset):
    """Every order with the city of its customer."""

    security_barrier = True

    @classmethod
    def get_queryset(cls):
        return Order.objects.values("id", "total", city=F("customer__city"), colour=F("details__colour"))


class Sales(MaterialisedViewMixin, ReadableViewFromQueryset):
    """Sales of each city."""

    pk_field = "city"

    @classmethod
    def get_queryset(cls):
        return OrderLines.objects.values("city").annotate(orders=Count("id"), sales=Sum("total"))


class BestCity(MaterialisedViewMixin, ReadableViewFromSQL):
    """The city with the most sales."""

    pk_field = "city"
    sql = "SELECT city, sales FROM views.sales ORDER BY sales DESC, city LIMIT 1"

    city = models.CharField(max_length=60, primary_key=True)
    sales = models.DecimalField(max_digits=12, decimal_places=2)


class Cities(ViewFromSQL):
    """The names of all cities."""

    sql = "SELECT DISTINCT city FROM shop_customer"
