"""Plain views: half of them are raw SQL and half are querysets, in turns.

The shapes are those of everyday reporting views (columns left out, joins, aggregates, conditions with
parameters), a few of each with constants of their own. Every tenth view reads another one. The querysets keep
to what Django 4.2 and later compile to the same columns: later versions name and order those of related
fields in another way.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth, Upper

from tests.benchmarks.project.definitions import SCHEMA, Definition
from tests.benchmarks.project.models import START, Customer, Loan, Repayment


def definitions(count: int, variant: int = 0) -> list[Definition]:
    """The first `count` views; the one in the middle has another constant in every variant."""
    constants = list(range(count))
    constants[count // 2] += variant * count
    return [
        _from_sql(number, constant) if number % 2 == 0 else _from_queryset(number, constant)
        for number, constant in enumerate(constants)
    ]


def _class_name(number: int) -> str:
    return f"Report{number:05}"


def _from_sql(number: int, constant: int) -> Definition:
    place = number // 2 % (len(SQL_SHAPES) + 1)
    if place == len(SQL_SHAPES):
        source = _class_name(number - 2)
        sql = f"SELECT *, {constant} AS report FROM {SCHEMA}.{source.lower()}"
        return Definition(_class_name(number), sql, reads=source)
    sql = SQL_SHAPES[place].format(number=constant, label=f"'report {constant}'")
    return Definition(_class_name(number), sql)


def _from_queryset(number: int, constant: int) -> Definition:
    shape = QUERYSET_SHAPES[number // 2 % len(QUERYSET_SHAPES)]
    return Definition(_class_name(number), get_queryset=lambda: shape(constant))


SQL_SHAPES = (
    """
    SELECT id, country, joined::date AS joined_on, {label} AS report
    FROM project_customer
    WHERE id > {number}
    """,
    """
    SELECT loan.id AS loan_id, customer.country, product.name AS product, loan.amount, loan.issued
    FROM project_loan AS loan
    JOIN project_customer AS customer ON customer.id = loan.customer_id
    JOIN project_product AS product ON product.id = loan.product_id
    WHERE loan.state = 'live' AND loan.amount >= {number}
    """,
    """
    SELECT loan.customer_id, count(*) AS loans, sum(loan.amount) AS borrowed, max(loan.issued) AS last_issued
    FROM project_loan AS loan
    GROUP BY loan.customer_id
    HAVING sum(loan.amount) > {number}
    """,
    """
    WITH paid AS (
        SELECT loan_id, sum(amount) AS amount, max(paid) AS last_paid FROM project_repayment GROUP BY loan_id
    )
    SELECT loan.id AS loan_id, loan.amount - coalesce(paid.amount, 0) AS balance, paid.last_paid,
           CASE WHEN paid.amount > {number} THEN 'late' ELSE {label} END AS standing
    FROM project_loan AS loan
    LEFT JOIN paid ON paid.loan_id = loan.id
    """,
)


def _customers(number: int) -> QuerySet[Any, Any]:
    since = START + timedelta(hours=number)
    return Customer.objects.filter(joined__gte=since).values("id", "country", "joined", upper=Upper("name"))


def _loans(number: int) -> QuerySet[Any, Any]:
    live = Loan.objects.filter(Q(state="live") | Q(amount__gt=number))
    return live.values(
        "id", "amount", "issued", country=F("customer__country"), product_name=F("product__name")
    )


def _borrowing(number: int) -> QuerySet[Any, Any]:
    totals = Customer.objects.values("country").annotate(loans=Count("loan"), borrowed=Sum("loan__amount"))
    return totals.filter(borrowed__gt=number)


def _balances(number: int) -> QuerySet[Any, Any]:
    size = Case(When(amount__gte=number, then=Value("large")), default=Value("small"))
    paid = Loan.objects.annotate(size=size, paid=Sum("repayment__amount"))
    return paid.values("id", "customer_id", "size", "paid", balance=F("amount") - F("paid"))


def _months(number: int) -> QuerySet[Any, Any]:
    paid = Repayment.objects.filter(loan__product_id__lte=number).annotate(month=TruncMonth("paid"))
    by_product = paid.values("month", product_name=F("loan__product__name"))
    return by_product.annotate(repayments=Count("pk"), total=Sum("amount"))


QUERYSET_SHAPES = (_customers, _loans, _borrowing, _balances, _months)
