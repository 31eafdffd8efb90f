"""For the tests of readable views: declaring one in a line, and a few loans to read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from orm_views_core.views import ReadableViewFromQueryset, ReadableViewFromSQL
from tests.demo.lending.models import Customer, Loan, Product

#: What every class of these tests says, because it is in no app.
IN_LENDING = type("Meta", (), {"app_label": "lending"})


def meta(**options: Any) -> type:
    """A ``Meta`` in the app of the models."""
    return type("Meta", (), {"app_label": "lending", **options})


def declare(source: QuerySet[Any, Any] | str, name: str = "Shown", /, **attributes: Any) -> Any:
    """Declare a readable view of a queryset or of SQL.

    Args:
        source: what it shows.
        name: the name of its class.
        attributes: what else the class says; ``bases`` are its bases, if not the usual one.
    """
    is_sql = isinstance(source, str)
    bases = attributes.pop("bases", (ReadableViewFromSQL if is_sql else ReadableViewFromQueryset,))
    said = {"sql": source} if is_sql else {"get_queryset": classmethod(lambda cls: source)}
    attributes = {"__module__": __name__, "Meta": meta(), **said, **attributes}
    return type(ReadableViewFromSQL)(name, bases, attributes)


def lend() -> None:
    """Two customers; Ann of York has two loans for cars, Bob of Leeds has one for his home."""
    ann, bob = (
        Customer.objects.create(
            email=f"{name}@example.com",
            first_name=name,
            last_name="Smith",
            date_of_birth=dt.date(1980, 1, 1),
            city=city,
            registered_on=dt.date(2020, 1, 1),
        )
        for name, city in (("Ann", "York"), ("Bob", "Leeds"))
    )
    car, home = (
        Product.objects.create(code=code, name=code.title(), purpose=code, annual_rate=5)
        for code in ("car", "home")
    )
    for customer, product, principal in ((ann, car, 100), (ann, car, 200), (bob, home, 300)):
        Loan.objects.create(
            customer=customer,
            product=product,
            principal=principal,
            annual_rate=5,
            term_months=12,
            channel="web",
            status="active",
            opened_on=dt.date(2024, 1, principal // 100),
        )
