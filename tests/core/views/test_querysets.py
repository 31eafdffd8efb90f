"""A view of any queryset has the queryset's rows, in SQL and through the fields that are inferred for it."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, models

from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, ReadableViewFromQueryset
from tests.bookshop.data import load
from tests.bookshop.shapes import SHAPES
from tests.fieldtypes.compare import spelled

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(db: None) -> None:
    load()


def declare(make: Any, bases: tuple[type, ...] = (), **said: Any) -> Any:
    """Declare a view of a queryset, with no field."""
    attrs = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "bookshop"}),
        "get_queryset": classmethod(lambda cls: make()),
        **said,
    }
    return type(ReadableViewFromQueryset)("Shown", (*bases, ReadableViewFromQueryset), attrs)


def counted(found: Any) -> Counter[Any]:
    """Return rows as a multiset, in which 1 and 1.0 are two."""
    return Counter(tuple(map(spelled, row)) for row in found)


def select(sql: str, params: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def rows_of(queryset: Any) -> list[Any]:
    """Return a queryset's rows as tuples, in the order of its columns."""
    if queryset._fields is None:
        return list(queryset.values_list())
    found = []
    for row in queryset:
        values = [row[alias] for alias in queryset.query.selected]
        # A key of several columns is one value.
        found.append(tuple(chain.from_iterable(v if isinstance(v, tuple) else (v,) for v in values)))
    return found


def fields_of(view: Any) -> list[str]:
    """Return the names of a view's fields in the order of its columns."""
    by_column = {field.column: field.name for field in view._meta.concrete_fields if field.column}
    ordered = select(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        [view._meta.db_table],
    )
    assert {column for (column,) in ordered} == set(by_column)
    return [by_column[column] for (column,) in ordered]


@pytest.mark.parametrize("materialised", [False, True], ids=["view", "materialised"])
@pytest.mark.parametrize("name", SHAPES)
def test_the_rows_of_a_view_are_those_of_its_queryset(name, materialised, rows):
    shape = SHAPES[name]
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    view = declare(shape.make, bases, **({"pk_field": shape.pk_field} if shape.pk_field else {}))
    sync_views()
    queryset = shape.make()
    expected = rows_of(queryset)
    assert len(expected) > 1
    if queryset._fields is None:
        queryset = queryset.select_related(None)  # columns of other models
    assert counted(select(f"SELECT * FROM {view._meta.db_table}")) == counted(
        select(*queryset.query.get_compiler("default").as_sql())
    )
    assert counted(view.objects.values_list(*fields_of(view))) == counted(expected)
    assert view.objects.count() == len(expected)
    assert {row.pk for row in view.objects.all()} == set(view.objects.values_list("pk", flat=True))
    assert len({row.pk for row in view.objects.all()}) == len(expected)
    assert not [
        message
        for message in [*run_checks(tags=["orm_views"], databases=[]), *view.check()]
        if message.is_serious()
    ]


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.pk_field])
def test_where_the_models_key_is_none_the_view_says_why(name):
    declare(SHAPES[name].make)
    (message,) = [m for m in run_checks(tags=["orm_views"], databases=[]) if m.is_serious()]
    assert message.id == "orm_views_core.E009"


@pytest.mark.parametrize("name", SHAPES)
def test_no_row_is_lost_by_following_the_foreign_keys_of_a_view(name, rows):
    shape = SHAPES[name]
    view = declare(shape.make, **({"pk_field": shape.pk_field} if shape.pk_field else {}))
    sync_views()
    followed = [
        field.name
        for field in view._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.primary_key
    ]
    if followed:
        assert len(view.objects.select_related(*followed)) == view.objects.count()
