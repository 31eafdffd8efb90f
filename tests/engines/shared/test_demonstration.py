"""The demonstration's views of querysets, on every engine alike.

Two views of SQL that they read are written in PostgreSQL's own words. Here they say the same in those that
every engine has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connections, models
from django.db.models.expressions import RawSQL

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry
from tests.demo.lending.models import Customer, Loan, Product
from tests.demo.payments.models import Instalment, Repayment

from .databases import Database

#: A column without which each of them cannot be read.
COLUMNS: dict[str, tuple[Any, str]] = {
    "lending.CustomersByEra": (Customer, "city"),
    "lending.ProductCatalogue": (Product, "purpose"),
    "lending.LoansByStatus": (Loan, "status"),
    "lending.NewBusiness": (Loan, "principal"),
    "lending.ActiveLoans": (Loan, "term_months"),
    "lending.LoansTakenOver": (Loan, "opened_on"),
    "payments.RepaymentMethods": (Repayment, "amount"),
}
#: What leaves some of their rows out.
FEWER: dict[str, dict[str, Any]] = {
    "lending.CustomersByEra": {"city": "Bath"},
    "lending.ProductCatalogue": {"code": "p1"},
    "lending.LoansByStatus": {"status": "late"},
    "lending.NewBusiness": {"product": "p1"},
    "lending.ActiveLoans": {"id": 1},
    "lending.LoansTakenOver": {"id": 1},
    "payments.RepaymentMethods": {"method": "cash"},
}
_TABLES = (Repayment, Instalment, Loan, Product, Customer)
_CUSTOMERS = """
    SELECT customer.id,
        CASE WHEN customer.date_of_birth < '1980-01-01' THEN '35+' ELSE '18-34' END AS age_band,
        customer.city, 2020 AS registered_in
    FROM lending_customer AS customer
    CROSS JOIN views.data_as_of
    WHERE customer.registered_on <= data_as_of.day
"""
_COLLECTIONS = """
    SELECT paid_on AS month, method, count(*) AS repayments, sum(amount) AS collected
    FROM payments_repayment
    GROUP BY paid_on, method
"""


def _load(alias: str) -> None:
    for i, (city, born) in enumerate((("Bath", 1950), ("York", 1990), ("York", 2001)), 1):
        Customer.objects.using(alias).create(
            id=i,
            email=f"{i}@example.com",
            first_name="A",
            last_name="B",
            date_of_birth=dt.date(born, 1, 1),
            city=city,
            registered_on=dt.date(2020, 1, i),
        )
    for i, purpose in enumerate(("car", "home"), 1):
        Product.objects.using(alias).create(
            id=i, code=f"p{i}", name=f"Product {i}", purpose=purpose, annual_rate=Decimal("4.50")
        )
    for i, status in enumerate(("active", "late", "active"), 1):
        Loan.objects.using(alias).create(
            id=i,
            customer_id=i,
            product_id=1 + i % 2,
            principal=Decimal("1000.50") * i,
            annual_rate=Decimal("5.25"),
            term_months=12 * i,
            channel="web",
            status=status,
            opened_on=dt.date(2026, i, 15),
        )
        Instalment.objects.using(alias).create(
            id=i, loan_id=i, number=1, due_on=dt.date(2026, 6, i), amount=Decimal("90.25")
        )
        Repayment.objects.using(alias).create(
            id=i, instalment_id=i, paid_on=dt.date(2026, 6, i), amount=Decimal("45.10"), method="card"
        )


@pytest.fixture(autouse=True)
def demonstration(committing: None, registered: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The views of querysets and what they read, with some rows."""
    with registry.isolated():  # the first import registers all views of the demonstration
        lending = import_module("tests.demo.lending.postgres_views")
        payments = import_module("tests.demo.payments.postgres_views")
    classes = [getattr(payments if label.startswith("p") else lending, _class(label)) for label in COLUMNS]
    beneath = [lending.DataAsOf, lending.Customers, lending.LoanBook, payments.MonthlyCollections]
    monkeypatch.setattr(lending.Customers, "sql", _CUSTOMERS)
    monkeypatch.setattr(payments.MonthlyCollections, "sql", _COLLECTIONS)
    if "security_barrier" not in Database().spelling.abilities.options:
        monkeypatch.setattr(lending.Customers, "security_barrier", None)
    for view in (*classes, *beneath):
        registered.register(view)
    for alias in connections:
        _load(alias)
    yield
    for alias in connections:
        for model in reversed(_TABLES):
            Database(alias).make_whole(model)
        for model in _TABLES:
            model._base_manager.using(alias)._raw_delete(alias)


@pytest.fixture(params=COLUMNS)
def view(request: pytest.FixtureRequest, demonstration: None) -> Any:
    """Each of the views of querysets."""
    (view,) = (each for each in registry.views() if label_of(each) == request.param)
    return view


@pytest.fixture
def there(view: Any) -> Database:
    """The database of the view."""
    return Database(ViewOptions(view).database)


def _class(label: str) -> str:
    return label.rpartition(".")[2]


def state_of(view: Any, there: Database) -> State:
    (database,) = get_statuses([there.alias])
    return {each.name: each.state for each in database.views}[name_of(view)]


def changed() -> set[str]:
    return {each.step.target for result in sync_views() for each in result.steps if each.step.name.name}


def rows_of(view: Any, there: Database) -> list[tuple[Any, ...]]:
    """Return what the queryset of a view gives."""
    queryset = view.get_queryset().using(there.alias)
    return sorted(map(tuple, (row.values() for row in queryset)), key=repr)


def shown(view: Any, there: Database) -> list[tuple[Any, ...]]:
    """Return what the view shows: through its model if it is one."""
    if not hasattr(view, "objects"):
        return sorted(there.rows(view), key=repr)
    return sorted(view.objects.using(there.alias).order_by().values_list(*view._view_columns()), key=repr)


def test_it_shows_what_its_queryset_gives_and_the_second_sync_is_empty(view, there):
    assert str(name_of(view)) in changed()
    assert state_of(view, there) is State.SYNCED
    assert len(there.rows(view)) == len(rows_of(view, there)) > 0
    assert changed() == set()


def test_a_changed_queryset_is_replaced(view, there, monkeypatch):
    sync_views()
    queryset, before = view.get_queryset(), len(there.rows(view))
    monkeypatch.setattr(view, "get_queryset", lambda: queryset.filter(**FEWER[label_of(view)]))
    assert changed() == {str(name_of(view))}
    assert len(there.rows(view)) == len(rows_of(view, there)) < before
    assert changed() == set()


def test_what_was_changed_by_hand_is_put_back(view, there):
    sync_views()
    before = there.rows(view)
    definition = compile_definitions(connections[there.alias], registry.views()).views[name_of(view)]
    there.change(view, f"SELECT * FROM ({definition.sql}) AS s WHERE 1 = 0", definition.columns)
    assert there.rows(view) == []
    assert state_of(view, there) in {State.DRIFTED, State.CHANGED}
    assert changed() == {str(name_of(view))}
    assert there.rows(view) == before
    assert changed() == set()


def test_a_base_column_that_is_gone_is_found(view, there):
    sync_views()
    model, column = COLUMNS[label_of(view)]
    there.remake(model, column)
    assert state_of(view, there) in {State.UNREADABLE, State.INVALID, State.MISSING}


def test_a_view_that_is_not_declared_any_more_is_dropped(view, there, undeclare):
    sync_views()
    undeclare(view)
    assert state_of(view, there) is State.ORPHANED
    sync_views(allow_drop_all=True, databases=[there.alias])
    assert not there.has(view)


def test_wrong_sql_is_named_and_nothing_is_changed(view, there, monkeypatch):
    sync_views()
    before = there.views()
    wrong = view.get_queryset().annotate(wrong=RawSQL("nowhere", (), models.IntegerField()))
    monkeypatch.setattr(view, "get_queryset", lambda: wrong)
    with pytest.raises(InvalidViewError, match=view.__name__):
        sync_views()
    assert there.views() == before
    assert len(there.rows(view)) > 0
