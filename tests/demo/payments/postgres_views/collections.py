"""What was paid, when and how."""

from django.db import models
from django.db.models import Max, Sum
from django.db.models.functions import Cast

from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from tests.demo.payments.models import Repayment


class MonthlyCollections(PostgresMaterialisedViewMixin, ReadableViewFromSQL):
    """Money received, by month and method."""

    name = "monthly_collections"
    pk_field = ("month", "method")
    indexes = (models.Index(fields=["method", "-month"], name="monthly_collections_method"),)
    sql = """
        SELECT date_trunc('month', paid_on)::date AS month, method,
            count(*) AS repayments, sum(amount) AS collected
        FROM payments_repayment
        GROUP BY 1, 2
    """

    pk = models.CompositePrimaryKey("month", "method")
    month = models.DateField(help_text="First day of the month.")
    method = models.CharField(max_length=12, choices=Repayment.Method)
    repayments = models.BigIntegerField(help_text="Number of payments received.")
    collected = models.DecimalField(max_digits=14, decimal_places=2, help_text="Their sum, in pounds.")

    class Meta:
        ordering = ("-month", "method")
        verbose_name_plural = "monthly collections"


class RepaymentMethods(ReadableViewFromQueryset):
    """How customers pay, since the beginning."""

    name = "repayment_methods"
    pk_field = "method"

    class Meta:
        verbose_name_plural = "repayment methods"

    @classmethod
    def get_queryset(cls):
        return (
            MonthlyCollections.objects.order_by()
            .values("method")
            .annotate(
                total_repayments=Cast(Sum("repayments"), models.BigIntegerField()),
                total_collected=Sum("collected"),
                latest_month=Max("month"),
            )
        )


class CollectionRate(ReadableViewFromSQL):
    """What came in of what fell due, month by month."""

    name = "collection_rate"
    sql = """
        SELECT due.month, due.amount AS due, coalesce(sum(received.collected), 0) AS collected,
            round(100 * coalesce(sum(received.collected), 0) / due.amount, 1) AS percentage
        FROM (
            SELECT date_trunc('month', due_on)::date AS month, sum(amount) AS amount
            FROM payments_instalment
            GROUP BY 1
        ) AS due
        JOIN views.data_as_of ON due.month <= data_as_of.day
        LEFT JOIN views.monthly_collections AS received ON received.month = due.month
        GROUP BY due.month, due.amount
    """

    month = models.DateField(primary_key=True, help_text="First day of the month.")
    due = models.DecimalField(
        max_digits=14, decimal_places=2, help_text="Instalments of the month, in pounds."
    )
    collected = models.DecimalField(
        max_digits=14, decimal_places=2, help_text="Money received in it, in pounds."
    )
    percentage = models.DecimalField(max_digits=5, decimal_places=1)

    class Meta:
        ordering = ("-month",)
