from django.test import TestCase, TransactionTestCase

from orm_views_core.testing import RefreshedViewsMixin
from shop.postgres_views import BestCity, Sales

from .making import sell


class MaterialisedViewTests(RefreshedViewsMixin, TestCase):
    @classmethod
    def setUpTestData(cls):
        sell("York", 20)
        sell("York", 5)
        sell("Leeds", 10)

    def test_they_have_the_rows_of_the_class(self):
        self.assertEqual(Sales.objects.get(city="York").sales, 25)
        self.assertEqual(BestCity.objects.get().city, "York")

    def test_they_are_refreshed_again_for_what_a_test_adds(self):
        sell("Leeds", 100)
        self.refresh_views(BestCity)
        self.assertEqual(BestCity.objects.get().city, "Leeds")

    def test_that_was_rolled_back(self):
        self.assertEqual(BestCity.objects.get().city, "York")


class OtherMaterialisedViewTests(RefreshedViewsMixin, TestCase):
    def test_they_have_no_rows_of_another_class(self):
        self.assertEqual(Sales.objects.count(), 0)


class CommittingTests(RefreshedViewsMixin, TransactionTestCase):
    def test_first(self):
        self.assertEqual(Sales.objects.count(), 0)
        sell("York", 20)
        self.refresh_views()
        self.assertEqual(Sales.objects.get().sales, 20)

    def test_second(self):
        self.test_first()
