"""The names of base classes that name no engine: they are the same classes."""

from __future__ import annotations

import pickle

import pytest
from django.db import models

from orm_views_core import views
from orm_views_core.names import ViewKind
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import (
    BaseView,
    MaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
    ViewFromQueryset,
    ViewFromSQL,
)
from tests.demo.lending.models import Product

SAME = {
    "BaseView": "BasePostgresView",
    "MaterialisedViewMixin": "PostgresMaterialisedViewMixin",
    "ViewFromQueryset": "PostgresViewFromQueryset",
    "ViewFromSQL": "PostgresViewFromSQL",
}


@pytest.mark.parametrize("name", SAME)
def test_both_names_are_one_class_also_when_it_is_pickled(name):
    new, old = getattr(views, name), getattr(views, SAME[name])
    assert new is old
    assert pickle.loads(pickle.dumps(new)) is old


def test_every_name_that_names_an_engine_has_another_beside_it():
    assert sorted(name for name in views.__all__ if "Postgres" in name) == sorted(SAME.values())
    assert set(SAME) <= set(views.__all__)


def test_readable_views_are_views_of_these_classes():
    assert issubclass(ReadableViewFromQueryset, ViewFromQueryset)
    assert issubclass(ReadableViewFromSQL, ViewFromSQL)
    assert issubclass(ViewFromSQL, BaseView)
    assert issubclass(ViewFromQueryset, BaseView)


@pytest.mark.django_db
def test_views_are_declared_with_them(registered):
    class Plain(ViewFromSQL):
        sql = "SELECT 1 AS id"

    class Codes(ViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return Product.objects.values("id", "code")

    class Stored(MaterialisedViewMixin, ReadableViewFromSQL):
        pk_field = "id"
        sql = "SELECT 2 AS id"
        id = models.IntegerField(primary_key=True)

        class Meta:
            app_label = "lending"

    assert registered.views() == [Plain, Codes, Stored]
    sync_views()
    found = next(each for each in get_statuses() if each.database == "default")
    assert {(str(view.name), view.state, view.kind) for view in found.views} == {
        ("views.plain", State.SYNCED, ViewKind.VIEW),
        ("views.codes", State.SYNCED, ViewKind.VIEW),
        ("views.stored", State.SYNCED, ViewKind.MATERIALISED_VIEW),
    }
    assert Stored.objects.get().pk == 2
