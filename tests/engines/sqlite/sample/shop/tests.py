"""Tests of the project. They read views, and nothing in them creates one."""

from django.db import connection
from django.test import TestCase, TransactionTestCase

from orm_views_core.exceptions import UnknownViewError
from orm_views_core.testing import RefreshedViewsMixin

from .database_views import BestCity, OrderLines, Sales
from .models import Customer, Order


def order(city, total):
    return Order.objects.create(
        customer=Customer.objects.create(city=city), total=total, details={"colour": "red"}
    )


class PlainViews(TestCase):
    def test_an_order_has_the_city_of_its_customer(self):
        made = order("York", 20)
        line = OrderLines.objects.get()
        assert (line.pk, line.city, line.total, line.colour) == (made.pk, "York", 20, "red")
        assert OrderLines.objects.filter(colour="blue").count() == 0

    def test_sql_of_the_project(self):
        order("York", 20)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT city FROM {OrderLines._meta.db_table}")
            assert cursor.fetchall() == [("York",)]


class MaterialisedViews(RefreshedViewsMixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        order("York", 20)
        order("Leeds", 30)

    def test_sales(self):
        assert Sales.objects.get(city="York").sales == 20
        assert BestCity.objects.get().city == "Leeds"

    def test_a_new_order(self):
        order("York", 20)
        self.refresh_views(BestCity)
        assert BestCity.objects.get().sales == 40

    def test_a_name_that_no_view_has(self):
        try:
            self.refresh_views("nowhere")
        except UnknownViewError:
            return
        raise AssertionError("it is known")


class Committed(RefreshedViewsMixin, TransactionTestCase):
    def test_there_are_no_sales_of_other_tests(self):
        assert Sales.objects.count() == 0
