"""A view of each kind."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Count, QuerySet

from orm_views_core.views import (
    BaseView,
    HiddenViewMixin,
    MaterialisedViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
    ViewFromQueryset,
    ViewFromSQL,
)

from .models import Customer, Sale


class Today(HiddenViewMixin, PostgresViewFromSQL):
    sql = "SELECT current_date AS day"


class SalesByDay(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
    pk_field = "sold_on"
    indexes = (models.Index(fields=["amount"], name="sales_by_day_amount"),)
    refresh_every = dt.timedelta(hours=1)
    build_settings = {"work_mem": "64MB"}
    grant_select_to = ("analyst",)
    staff = {"preview": ["analysts"]}
    sql = "SELECT sold_on, sum(amount) AS amount FROM shop_sale GROUP BY sold_on"

    sold_on = models.DateField(primary_key=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)


class Cities(PostgresViewFromQueryset):
    prefix = "geo"
    view_dependencies = [SalesByDay]

    @classmethod
    def get_queryset(cls) -> QuerySet[Any, Any]:
        return Customer.objects.values("city").annotate(customers=Count("id"))


class Sales(ReadableViewFromQueryset):
    updatable = True
    check_option = "local"

    @classmethod
    def get_queryset(cls) -> QuerySet[Any, Any]:
        return Sale.objects.values("id", "amount", "sold_on")


class Weeks(MaterialisedViewMixin, ViewFromSQL):
    pk_field = "week"
    sql = "SELECT date_trunc('week', sold_on) AS week, count(*) AS sales FROM shop_sale GROUP BY 1"


class Buyers(ViewFromQueryset):
    @classmethod
    def get_queryset(cls) -> QuerySet[Any, Any]:
        return Customer.objects.values("id")


OTHERS: list[type[BaseView]] = [Weeks, Buyers]
NAMES: list[str] = [Today.name, SalesByDay.name_with_schema, Cities.creation_sql.sql]
