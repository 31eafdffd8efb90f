"""The key that a child table inherits from its parent: what ``.values("id")`` of it means."""

from __future__ import annotations

import pytest
from django.db import models
from django.db.models import F

from orm_views_core.sync import sync_views
from tests.bookshop.models import Booking, Cafe, Place
from tests.core.readables import declare

pytestmark = pytest.mark.django_db


@pytest.fixture
def cafe(db):
    Place.objects.create(name="No cafe")
    return Cafe.objects.create(name="Corner", seats=8)


@pytest.mark.parametrize(
    ("make", "columns", "key"),
    [
        (lambda: Cafe.objects.values("id", "name"), ["id", "name"], "id"),
        (lambda: Cafe.objects.values("place_ptr", "name"), ["place_ptr_id", "name"], "place_ptr"),
        (lambda: Cafe.objects.values("pk", "name"), ["place_ptr_id", "name"], "place_ptr"),
        (lambda: Cafe.objects.values("id", "place_ptr"), ["id", "place_ptr_id"], "id"),
        (lambda: Cafe.objects.values("place_ptr_id", "id"), ["place_ptr_id", "id"], "place_ptr"),
        (lambda: Cafe.objects.values(number=F("id")), ["number"], "number"),
        (lambda: Cafe.objects.all(), ["id", "name", "place_ptr_id", "seats", "store_id"], "place_ptr"),
    ],
    ids=["id", "link", "pk", "both", "both, the other way round", "another name", "all columns"],
)
def test_a_child_has_the_columns_that_were_asked_for(make, columns, key, cafe, execute):
    view = declare(make())
    sync_views()
    assert [field.column for field in view._meta.concrete_fields] == columns
    assert view._meta.pk.name == key
    in_database = execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'views.shown'::regclass ORDER BY attnum"
    )
    assert [name for (name,) in in_database] == columns
    row = view.objects.get(pk=cafe.pk)
    for field in view._meta.concrete_fields:
        if field.name in ("id", "number"):
            assert getattr(row, field.name) == cafe.pk
            assert type(field) is models.BigIntegerField
        if field.name == "place_ptr":
            assert row.place_ptr == Place.objects.get(name="Corner")


def test_the_key_of_a_child_beyond_a_relation_is_called_as_it_was_asked_for(cafe):
    Booking.objects.create(cafe=cafe, at="2024-01-01T00:00Z")
    view = declare(Place.objects.filter(cafe__isnull=False).values("name", "cafe__id"), pk_field="id")
    both = declare(Place.objects.values("id", "cafe__id"), "Both")
    booked = declare(Booking.objects.values("id", "cafe__id"), "Booked")
    sync_views()
    assert view.objects.get().id == cafe.pk
    assert {field.column for field in both._meta.concrete_fields} == {"id", "cafe__id"}
    assert both.objects.get(id=cafe.pk).cafe_id == cafe.pk
    assert booked.objects.get().cafe == cafe  # the column of the foreign key, as for every other model
