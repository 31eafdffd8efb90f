import pytest
from django.db import connection
from shop.models import Customer, Order
from shop.postgres_views import BestCity, OrderLines, Sales


def sell(city, total):
    return Order.objects.create(customer=Customer.objects.create(city=city, email="a@b.test"), total=total)


@pytest.fixture
def orders(db):
    sell("York", 20)
    sell("York", 5)
    sell("Leeds", 10)


def test_no_test_finds_the_rows_of_another_or_of_an_earlier_run(db):
    assert Sales.objects.count() == BestCity.objects.count() == 0


def test_a_plain_view_shows_what_the_test_made(orders):
    with connection.cursor() as cursor:
        cursor.execute("SELECT city FROM views.cities ORDER BY city")
        assert cursor.fetchall() == [("Leeds",), ("York",)]


def test_a_readable_view_is_a_model(orders):
    assert OrderLines.objects.filter(city="York").count() == 2


def test_materialised_views_are_refreshed_with_what_was_there_before(orders, refreshed_views):
    assert Sales.objects.get(city="York").sales == 25
    assert BestCity.objects.get().city == "York"


def test_and_again_when_the_test_has_made_more(orders, refreshed_views):
    sell("Leeds", 100)
    assert BestCity.objects.get().city == "York"
    refreshed_views(BestCity)
    assert BestCity.objects.get().city == "Leeds"


def test_the_currency(orders, refreshed_views):
    assert Sales.objects.first().currency == "pounds"


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_refreshes_too(refreshed_views):
    sell("York", 20)
    refreshed_views()
    assert Sales.objects.get().sales == 20


@pytest.mark.django_db(transaction=True)
def test_and_leaves_its_rows_to_nobody():
    assert Sales.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_not_even_as_the_last_test_of_a_run(refreshed_views):
    sell("York", 20)
    refreshed_views("sales")
    assert Sales.objects.get().sales == 20
