"""The example of the README, as it stands there, on every engine alike."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.models.expressions import RawSQL

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import Registry, registry
from tests.engines.shop.models import Customer, Order, Product

from .databases import Database
from .scenes import done

README = Path(__file__).resolve().parents[3] / "README.md"
_BLOCK = re.compile(r"^ *```python\n *# shop/postgres_views\.py\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NAMES = {"views.customers", "views.orders", "views.monthly_sales"}


def declare() -> dict[str, type]:
    """Run the block of the README with its view classes, and return these by name."""
    (code,) = _BLOCK.findall(README.read_text())
    module: dict[str, Any] = {"__name__": "tests.engines.shop.readme", "__package__": "tests.engines.shop"}
    exec(compile(textwrap.dedent(code), str(README), "exec"), module)
    return {view.__name__: view for view in registry.views()}


@pytest.fixture
def views(registered: Registry, forget_models: None, orders: None) -> Iterator[dict[str, type]]:
    """The classes of the README, in the place of those of the shop that are called the same."""
    kept = dict(apps.all_models["shop"])
    del apps.all_models["shop"]["orderlines"]
    yield declare()
    apps.all_models["shop"].update(kept)


@pytest.fixture
def orders(committing: None) -> Iterator[None]:
    """Three orders of two customers in two months."""
    Product.objects.create(id=1, code="tea", name="Tea", price=Decimal("2.50"))
    for i, city in enumerate(("Bath", "York"), 1):
        Customer.objects.create(id=i, email=f"{i}@example.com", city=city)
    bought = [(1, 1, "10.00", dt.date(2026, 1, 5)), (2, 1, "5.50", dt.date(2026, 1, 31))]
    for i, customer, total, day in [*bought, (3, 2, "7.25", dt.date(2026, 2, 1))]:
        Order.objects.create(id=i, customer_id=customer, product_id=1, total=Decimal(total), placed_on=day)
    yield
    Database().make_whole(Order)
    for model in (Order, Customer, Product):
        model._base_manager.all().delete()


def states() -> dict[str, State]:
    (database,) = get_statuses(["default"])
    return {str(view.name): view.state for view in database.views}


def sales(views: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows = views["MonthlySales"].objects.order_by("month", "city")
    return list(rows.values_list("month", "city", "orders", "sales"))


def test_it_is_created_and_the_second_sync_is_empty(views, database):
    assert {target for _, target in done()} == NAMES
    assert states() == dict.fromkeys(NAMES, State.SYNCED)
    assert done() == []


def test_it_shows_the_rows(views, database):
    sync_views()
    assert database.rows(views["Customers"]) == [(1, "Bath"), (2, "York")]
    lines = views["OrderLines"].objects.order_by("id")
    assert list(lines.values_list("id", "customer", "total", "placed_on", "city")) == [
        (1, 1, Decimal("10.00"), dt.date(2026, 1, 5), "Bath"),
        (2, 1, Decimal("5.50"), dt.date(2026, 1, 31), "Bath"),
        (3, 2, Decimal("7.25"), dt.date(2026, 2, 1), "York"),
    ]
    assert sales(views) == [
        (dt.date(2026, 1, 1), "Bath", 2, Decimal("15.50")),
        (dt.date(2026, 2, 1), "York", 1, Decimal("7.25")),
    ]


def test_a_new_order_is_in_it_after_a_refresh(views, database, capsys):
    sync_views()
    Order.objects.create(id=4, customer_id=2, product_id=1, total=1, placed_on=dt.date(2026, 2, 9))
    call_command("refresh_views", "--no-color")
    assert sales(views)[-1] == (dt.date(2026, 2, 1), "York", 2, Decimal("8.25"))


def test_a_changed_class_is_changed_with_its_readers(views, database, monkeypatch):
    sync_views()
    queryset = views["OrderLines"].get_queryset()
    monkeypatch.setattr(views["OrderLines"], "get_queryset", lambda: queryset.filter(total__gt=6))
    assert "views.orders" in {target for _, target in done()}
    assert [row[2:] for row in sales(views)] == [(1, Decimal("10.00")), (1, Decimal("7.25"))]
    assert done() == []


@pytest.mark.parametrize("name", ["Customers", "MonthlySales"])
def test_what_was_changed_by_hand_is_put_back(views, database, name):
    sync_views()
    view = views[name]
    before = database.rows(view)
    columns = {
        "Customers": "id, city FROM shop_customer",
        "MonthlySales": "placed_on AS month, 'x' AS city, 1 AS orders, total AS sales FROM shop_order",
    }
    database.drop(view)
    database.create(view, f"SELECT {columns[name]} WHERE 1 = 0")
    assert database.rows(view) == []
    assert any(state is not State.SYNCED for state in states().values())
    assert done()
    assert database.rows(view) == before
    assert done() == []


def test_a_base_column_that_is_gone_is_found(views, database):
    sync_views()
    database.remake(Order, "discount")
    assert states()["views.orders"] in {State.UNREADABLE, State.INVALID}
    assert states()["views.customers"] is State.SYNCED


def test_a_view_that_is_not_declared_any_more_is_dropped(views, database, undeclare):
    sync_views()
    undeclare(views["Customers"])
    assert states()["views.customers"] is State.ORPHANED
    assert done() == [("drop", "views.customers")]
    assert not database.has(ViewName("views", "customers"))


def test_wrong_sql_is_named_and_nothing_is_changed(views, database, monkeypatch):
    sync_views()
    before = database.views()
    queryset = views["OrderLines"].get_queryset()
    wrong = queryset.annotate(wrong=RawSQL("nowhere", (), models.IntegerField()))
    monkeypatch.setattr(views["OrderLines"], "get_queryset", lambda: wrong)
    with pytest.raises(InvalidViewError, match="OrderLines"):
        sync_views()
    assert database.views() == before
    assert len(sales(views)) == 2
