"""The tables that the views read: small ones, for what is measured is syncing, and a large one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from django.db import connections, models

START = datetime(2024, 1, 1, tzinfo=timezone.utc)


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()
    country = models.CharField(max_length=2)
    joined = models.DateTimeField()


class Product(models.Model):
    name = models.CharField(max_length=100)
    rate = models.DecimalField(max_digits=6, decimal_places=4)


class Loan(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    product = models.ForeignKey(Product, models.CASCADE)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=20)
    issued = models.DateTimeField()


class Repayment(models.Model):
    loan = models.ForeignKey(Loan, models.CASCADE)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    paid = models.DateTimeField()


class Movement(models.Model):
    """A row of the large table, which materialised views summarise."""

    account = models.IntegerField()
    branch = models.IntegerField()
    day = models.DateField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        managed = False


def create_tables() -> None:
    """Create and fill the tables, without migrations, so that each version of Django makes the same ones."""
    with connections["default"].schema_editor() as editor:
        for model in (Customer, Product, Loan, Repayment):
            editor.create_model(model)
    days = [START + timedelta(days=number) for number in range(100)]
    customers = Customer.objects.bulk_create(
        Customer(name=f"Customer {number}", email=f"{number}@example.org", country="GB", joined=day)
        for number, day in enumerate(days)
    )
    product = Product.objects.create(name="Flexible", rate=Decimal("0.0250"))
    loans = Loan.objects.bulk_create(
        Loan(customer=customer, product=product, amount=number * 10, state="live", issued=day)
        for number, (customer, day) in enumerate(zip(customers, days, strict=True))
    )
    Repayment.objects.bulk_create(Repayment(loan=loan, amount=5, paid=loan.issued) for loan in loans)


def create_large_table(rows: int) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"""
            CREATE TABLE project_movement AS
            SELECT number::bigint AS id, number % 5000 AS account, number % 40 AS branch,
                   date '2024-01-01' + number % 731 AS day, (number % 99991)::numeric(12, 2) / 100 AS amount
            FROM generate_series(1, {rows}) AS number
        """)
