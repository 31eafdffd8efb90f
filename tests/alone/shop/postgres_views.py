"""A plain, a materialised and a readable view, of no table."""

from django.db import models

from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL, ReadableViewFromSQL


class Prices(PostgresViewFromSQL):
    sql = "SELECT n AS id, n * 10 AS price FROM generate_series(1, 3) AS n"


class Totals(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    sql = "SELECT sum(price) AS total FROM alone.prices"


class Cheap(ReadableViewFromSQL):
    sql = "SELECT id, price FROM alone.prices WHERE price < 30"

    id = models.IntegerField(primary_key=True)
    price = models.IntegerField()

    class Meta:
        app_label = "shop"
