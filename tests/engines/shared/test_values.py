"""A readable view gives the values that its table, or its queryset, gives."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromQueryset
from orm_views_core.views.identity import name_of
from tests.engines.shop.models import Product, Sample

from . import samples

FIRST = {"pk_field": "id", "Meta": type("Meta", (), {"app_label": "shop"}), "__module__": __name__}


@pytest.fixture(autouse=True)
def rows(committing: None) -> Iterator[None]:
    samples.load()
    yield
    Sample.objects.all().delete()
    Product.objects.all().delete()


def declare(queryset, **attributes):
    """Declare a readable view of a queryset, and sync it."""
    body = {**FIRST, "name": "tested", "get_queryset": classmethod(lambda cls: queryset()), **attributes}
    view = type("Shown", (ReadableViewFromQueryset,), body)
    sync_views()
    return view


def same(value):
    """Return a value with its type. SQLite has no zeros at the end of decimals that it computes."""
    if isinstance(value, Decimal):
        return Decimal, str(value.normalize())
    return type(value), repr(bytes(value) if isinstance(value, memoryview) else value)


def values(rows, name):
    return [(key, same(value)) for key, value in rows.order_by("id").values_list("id", name)]


@pytest.mark.parametrize("name", samples.FIELDS)
def test_a_column_has_the_values_and_the_field_of_its_table(name):
    view = declare(lambda: Sample.objects.values("id", name))
    assert values(view.objects, name) == values(Sample.objects, name)
    of_table = Sample._meta.get_field(name)
    assert view._meta.get_field(name).get_internal_type() == of_table.get_internal_type()
    assert len({value for _, value in values(view.objects, name)}) >= 2


@pytest.mark.parametrize("name", samples.FIELDS)
def test_a_column_is_filtered_as_in_its_table(name):
    view = declare(lambda: Sample.objects.values("id", name))
    for sample in Sample.objects.order_by("id"):
        value = getattr(sample, name)
        wanted = {name: value} if value is not None else {f"{name}__isnull": True}
        found = view.objects.filter(**wanted).values_list("id", flat=True)
        assert list(found) == list(Sample.objects.filter(**wanted).values_list("id", flat=True))
        assert sample.pk in found


@pytest.mark.parametrize("name", samples.EXPRESSIONS)
def test_an_expression_has_the_values_of_its_queryset(name):
    def queryset():
        return Sample.objects.annotate(shown=samples.EXPRESSIONS[name]).values("id", "shown")

    view = declare(queryset)
    assert values(view.objects, "shown") == values(queryset(), "shown")


@pytest.mark.parametrize("name", samples.AGGREGATES)
def test_an_aggregate_has_the_values_of_its_queryset(name):
    def queryset():
        return Sample.objects.values("flag").annotate(shown=samples.AGGREGATES[name])

    view = declare(queryset, pk_field="flag")
    found, wanted = (
        sorted(map(repr, ((key, same(value)) for key, value in rows.values_list("flag", "shown"))))
        for rows in (view.objects, queryset())
    )
    assert found == wanted


@pytest.mark.parametrize("name", ["amount", "day", "moment", "flag", "document", "identifier", "span", "raw"])
def test_a_view_of_a_view_has_the_values_of_the_table(name):
    beneath = declare(lambda: Sample.objects.values("id", name))
    body = {
        **FIRST,
        "name": "above",
        "get_queryset": classmethod(lambda cls: beneath.objects.values("id", name)),
    }
    view = type("Above", (ReadableViewFromQueryset,), body)
    sync_views()
    assert str(name_of(view)) == "views.above"
    assert values(view.objects, name) == values(Sample.objects, name)


def test_rows_are_written_through_a_view_where_the_engine_can(database):
    fields = ("id", "code", "name", "price", "details", "on_sale")
    view = declare(lambda: Product.objects.values(*fields), updatable=True)
    new = {"code": "new", "name": "New", "price": Decimal("9.50"), "details": {"a": 1}, "on_sale": False}
    if not database.spelling.abilities.updatable:
        with pytest.raises(ReadOnlyViewError, match="cannot write rows through a view"):
            view.objects.create(id=9, **new)
        assert not Product.objects.filter(code="new").exists()
        return
    view.objects.create(id=9, **new)
    view.objects.filter(id=9).update(name="Newer")
    assert Product.objects.values(*fields).get(code="new") == {"id": 9, **new, "name": "Newer"}
    view.objects.get(id=9).delete()
    assert not Product.objects.filter(code="new").exists()


def test_a_view_that_is_not_updatable_is_not_written_through():
    view = declare(lambda: Product.objects.values("id", "code"))
    for write in (view.objects.create, view.objects.all().delete, view(id=9).save):
        with pytest.raises(ReadOnlyViewError):
            write()
