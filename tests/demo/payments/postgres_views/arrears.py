"""What should have been paid and was not."""

from django.db import models

from orm_views_core.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromSQL,
    ReadableViewFromSQL,
)
from tests.demo.lending.postgres_views import DataAsOf


class InstalmentBalances(HiddenViewMixin, PostgresViewFromSQL):
    """What is still owed on each instalment that has fallen due."""

    name = "instalment_balances"
    # Found from the SQL as well; naming it is for the reader.
    view_dependencies = (DataAsOf,)
    sql = """
        SELECT instalment.id, instalment.loan_id, instalment.due_on, instalment.amount,
            coalesce(paid.amount, 0) AS paid,
            instalment.amount - coalesce(paid.amount, 0) AS balance
        FROM payments_instalment AS instalment
        JOIN views.data_as_of ON instalment.due_on <= data_as_of.day
        LEFT JOIN (
            SELECT instalment_id, sum(amount) AS amount FROM payments_repayment GROUP BY instalment_id
        ) AS paid ON paid.instalment_id = instalment.id
    """


class OverdueInstalments(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
    """Instalments with a balance, and for how many days they have had it."""

    name = "overdue_instalments"
    pk_field = "id"
    indexes = (models.Index(fields=["loan_id"], name="overdue_instalments_loan"),)
    # Halves of an odd amount are rounded: a penny is not a debt.
    sql = """
        SELECT balances.id, balances.loan_id, balances.due_on, balances.balance,
            data_as_of.day - balances.due_on AS days_overdue
        FROM views.instalment_balances AS balances
        CROSS JOIN views.data_as_of
        WHERE balances.balance > 0.01
    """


class ArrearsByProduct(ReadableViewFromSQL):
    """Arrears of each product, beside what was lent on it."""

    name = "arrears_by_product"
    grant_select_to = ("risk_team",)
    sql = """
        SELECT book.product, count(*) AS loans,
            count(overdue.loan_id) AS loans_overdue,
            coalesce(sum(overdue.balance), 0) AS balance_overdue,
            round(100.0 * count(overdue.loan_id) / count(*), 2) AS percentage_overdue
        FROM views.loan_book AS book
        LEFT JOIN (
            SELECT loan_id, sum(balance) AS balance FROM views.overdue_instalments GROUP BY loan_id
        ) AS overdue ON overdue.loan_id = book.id
        GROUP BY book.product
    """

    product = models.CharField(max_length=12, primary_key=True, help_text="Code of the product.")
    loans = models.BigIntegerField(help_text="Loans ever opened.")
    loans_overdue = models.BigIntegerField(help_text="Loans with at least one overdue instalment.")
    balance_overdue = models.DecimalField(max_digits=14, decimal_places=2, help_text="In pounds.")
    percentage_overdue = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering = ("-percentage_overdue",)
        verbose_name_plural = "arrears by product"


class ArrearsBuckets(PostgresViewFromSQL):
    """Overdue balances by age of the debt, in the buckets of the risk report."""

    name = "arrears_buckets"
    sql = """
        SELECT bucket, count(*) AS instalments, sum(balance) AS balance
        FROM views.overdue_instalments
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN days_overdue <= 30 THEN '1-30 days'
                WHEN days_overdue <= 90 THEN '31-90 days'
                WHEN days_overdue <= 180 THEN '91-180 days'
                ELSE 'over 180 days'
            END AS bucket
        ) AS ages
        GROUP BY bucket
    """
