"""Tests of the project for pytest."""

import pytest

from orm_views_core.exceptions import UnknownViewError

from .database_views import BestCity, OrderLines, Sales
from .tests import order


@pytest.fixture
def orders(db):
    order("York", 20)


def test_an_order_has_the_city_of_its_customer(orders):
    assert OrderLines.objects.get().city == "York"


def test_sales(orders, refreshed_views):
    assert Sales.objects.get().sales == 20
    order("Leeds", 100)
    refreshed_views(BestCity)
    assert BestCity.objects.get().city == "Leeds"


def test_a_name_that_no_view_has(refreshed_views):
    with pytest.raises(UnknownViewError):
        refreshed_views("nowhere")


@pytest.mark.django_db(transaction=True)
def test_there_are_no_sales_of_other_tests(refreshed_views):
    assert Sales.objects.count() == 0
