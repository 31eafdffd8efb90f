from django.db import connection
from django.test import TestCase

from shop.postgres_views import OrderLines, Sales

from .making import sell


class PlainViewTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        sell("York", 20)
        sell("Leeds", 10)

    def test_a_plain_view_is_read_with_sql(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT city FROM views.cities ORDER BY city")
            self.assertEqual(cursor.fetchall(), [("Leeds",), ("York",)])

    def test_it_shows_what_a_test_adds(self):
        sell("Hull", 1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM views.cities")
            self.assertEqual(cursor.fetchone(), (3,))


class ReadableViewTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        sell("York", 20)

    def test_a_readable_view_is_a_model(self):
        self.assertEqual(OrderLines.objects.get().city, "York")

    def test_a_materialised_view_has_no_rows_without_the_mixin(self):
        self.assertEqual(Sales.objects.count(), 0)
