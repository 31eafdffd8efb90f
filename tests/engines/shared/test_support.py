"""Materialised views in the tests of a project, on every engine alike."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import TransactionTestCase

from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from orm_views_core.testing import RefreshedViewsMixin, refresh_for_test
from orm_views_core.views import MaterialisedViewMixin, ReadableViewFromQueryset, ViewFromSQL
from orm_views_core.views.identity import name_of
from tests.engines.shop.models import Parcel

from .databases import Database

pytestmark = pytest.mark.usefixtures("parcels")


def declare() -> Any:
    """Declare a materialised view of the parcels, and one that reads it."""

    class Heavy(MaterialisedViewMixin, ReadableViewFromQueryset):
        name = "heavy"

        class Meta:
            app_label = "shop"

        @classmethod
        def get_queryset(cls) -> Any:
            return Parcel.objects.filter(weight__gt=6).values("id", "weight")

    class Count(MaterialisedViewMixin, ViewFromSQL):
        name = "heavy_count"
        sql = "SELECT count(*) AS parcels FROM views.heavy"

    sync_views()
    return Heavy, Count


def add_parcel() -> None:
    Parcel.objects.create(id=9, weight=99, shelf="east")


def test_what_a_test_has_made_is_in_the_views_after_a_refresh(database: Database) -> None:
    heavy, count = declare()
    add_parcel()
    refresh_for_test()
    assert sorted(heavy.objects.values_list("id", flat=True)) == [2, 3, 9]
    assert database.rows(count) == [(3,)]


def test_the_refresh_of_one_view_refreshes_what_it_reads(database: Database) -> None:
    heavy, count = declare()
    add_parcel()
    refreshed = refresh_for_test(count)
    stored = database.spelling.abilities.materialised
    assert refreshed == ([name_of(heavy), name_of(count)] if stored else [])
    assert database.rows(count) == [(3,)]


@pytest.mark.parametrize("called", ["heavy", "views.heavy", "shop.Heavy"])
def test_a_view_has_three_names(database: Database, called: str) -> None:
    heavy, _ = declare()
    add_parcel()
    refresh_for_test(called)
    assert heavy.objects.count() == 3


def test_a_name_that_no_view_has_is_an_error_on_every_engine(database: Database) -> None:
    declare()
    with pytest.raises(UnknownViewError, match="nobody"):
        refresh_for_test("nobody")


def test_the_mixin_of_a_test_case_refreshes(database: Database) -> None:
    declare()

    class Tests(RefreshedViewsMixin, TransactionTestCase):
        databases = {"default"}

    add_parcel()
    Tests.refresh_views()
    assert database.rows(ViewName("views", "heavy_count")) == [(3,)]
