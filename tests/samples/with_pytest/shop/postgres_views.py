from django.db import models

from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)

from .models import Order


class Cities(PostgresViewFromSQL):
    """The cities with customers; read with SQL only."""

    sql = "SELECT DISTINCT city FROM shop_customer"


class OrderLines(ReadableViewFromQueryset):
    """Every order with its customer's city."""

    city = models.CharField(max_length=60)
    total = models.DecimalField(max_digits=12, decimal_places=2)

    @classmethod
    def get_queryset(cls):
        return Order.objects.values("id", "total", city=models.F("customer__city"))


class Sales(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
    """Sales by city."""

    pk_field = "city"
    sql = "SELECT city, 'pounds' AS currency, sum(total) AS sales FROM views.orderlines GROUP BY city"

    city = models.CharField(max_length=60, primary_key=True)
    currency = models.TextField()
    sales = models.DecimalField(max_digits=14, decimal_places=2)


class BestCity(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
    """The city with the most sales, from the rows of another materialised view."""

    sql = "SELECT city FROM views.sales ORDER BY sales DESC LIMIT 1"

    city = models.CharField(max_length=60, primary_key=True)
