"""The key of a readable view: one that is declared, ``pk_field``, or that of the model that it reads."""

from __future__ import annotations

import pytest
from django.core.checks import Error
from django.db import models
from django.db.models import Count, F

from orm_views_core.checks.classes import check_fields
from orm_views_core.sync import refresh_materialized_view, sync_views
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
)
from tests.core.readables import declare, lend
from tests.demo.lending.models import Customer, Loan, Product
from tests.oldstyle.models import Table1


@pytest.fixture
def loans(db):
    lend()


def key_of(view):
    return [field.name for field in view._meta.pk_fields]


@pytest.mark.django_db
def test_the_smallest_example():
    class MyView(ReadableViewFromQueryset):
        __module__ = Product.__module__  # in an app, where views are written

        @classmethod
        def get_queryset(cls):
            return Table1.objects.values("id", "col_a")

    for number, text in enumerate("xxy", start=1):
        Table1.objects.create(id=number, name="n", col_a=text, col_b=number)
    sync_views()
    assert {row.id for row in MyView.objects.filter(col_a="x")} == {1, 2}
    assert MyView.objects.get(id=1).col_a == "x"
    assert MyView.objects.aggregate(n=Count("id", distinct=True)) == {"n": 3}
    assert check_fields(None) == []
    assert MyView.check() == []


def test_the_models_key_when_it_is_among_the_columns():
    view = declare(Loan.objects.values("principal", "id"))
    assert key_of(view) == ["id"]
    assert type(view._meta.pk) is models.BigIntegerField


def test_the_models_key_under_another_name():
    view = declare(Loan.objects.annotate(number=F("id")).values("number", "principal"))
    assert key_of(view) == ["number"]


def test_a_declared_key_comes_first():
    view = declare(
        Product.objects.values("id", "code"), code=models.CharField(max_length=12, primary_key=True)
    )
    assert key_of(view) == ["code"]
    identifier = view._meta.get_field("id")
    assert (identifier.primary_key, identifier.auto_created, identifier.serialize) == (False, False, True)


def test_a_declared_composite_key_comes_first():
    view = declare(
        Product.objects.values("id", "code", "purpose"), pk=models.CompositePrimaryKey("code", "purpose")
    )
    assert key_of(view) == ["code", "purpose"]


def test_an_inherited_key_comes_first():
    class Coded(models.Model):
        code = models.CharField(max_length=12, primary_key=True)

        class Meta:
            abstract = True
            app_label = "lending"

    queryset = Product.objects.values("id", "code")
    assert key_of(declare(queryset, "Before", bases=(Coded, ReadableViewFromQueryset))) == ["code"]
    assert key_of(declare(queryset, "Behind", bases=(ReadableViewFromQueryset, Coded))) == ["code"]


def test_pk_field_comes_before_the_models_key():
    view = declare(Product.objects.values("id", "code"), pk_field="code")
    assert key_of(view) == ["code"]


@pytest.mark.parametrize("spelling", ["product", "product_id"])
def test_pk_field_names_a_foreign_key_by_its_column_or_as_a_field(spelling, loans):
    queryset = Loan.objects.values("product").annotate(loans=Count("id"))
    view = declare(queryset, pk_field=spelling)
    assert key_of(view) == ["product"]
    sync_views()
    car = Product.objects.get(code="car")
    assert view.objects.get(pk=car.pk).loans == 2
    assert view.objects.get(product=car).product == car


@pytest.mark.parametrize("spelling", ["product", "product_id"])
def test_pk_field_of_a_materialised_view_is_its_unique_index_too(spelling, loans, execute):
    queryset = Loan.objects.values("product").annotate(loans=Count("id"))
    view = declare(
        queryset, pk_field=spelling, bases=(PostgresMaterialisedViewMixin, ReadableViewFromQueryset)
    )
    sync_views()
    ((definition,),) = execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'shown'")
    assert definition == "CREATE UNIQUE INDEX shown_product_id_key ON views.shown USING btree (product_id)"
    Loan.objects.all().delete()
    refresh_materialized_view(view, concurrently=True)
    assert list(view.objects.all()) == []


def test_several_columns_of_pk_field_are_a_composite_key(loans):
    queryset = Loan.objects.values("product", "status").annotate(loans=Count("id"))
    view = declare(queryset, pk_field=("product", "status"))
    assert isinstance(view._meta.pk, models.CompositePrimaryKey)
    assert key_of(view) == ["product", "status"]
    sync_views()
    car = Product.objects.get(code="car")
    assert view.objects.get(pk=(car.pk, "active")).loans == 2
    assert view.objects.in_bulk([(car.pk, "active")])[(car.pk, "active")].product == car
    assert view.check() == []


def test_pk_field_of_one_column_in_a_list_is_no_composite_key():
    assert key_of(declare(Product.objects.values("id", "code"), pk_field=["code"])) == ["code"]


def test_a_declared_field_becomes_the_key_that_pk_field_names(loans):
    view = declare(
        Product.objects.values("id", "code"),
        pk_field="code",
        code=models.CharField(max_length=12, null=True, help_text="Short."),
    )
    assert key_of(view) == ["code"]
    field = view._meta.get_field("code")
    assert (field.null, field.help_text, field.unique) == (False, "Short.", True)
    sync_views()
    assert view.objects.get(pk="car").id == Product.objects.get(code="car").pk


def test_a_declared_field_of_the_models_key_becomes_the_key():
    view = declare(Product.objects.values("id"), id=models.BigIntegerField())
    assert key_of(view) == ["id"]
    assert view.check() == []


def test_a_field_of_a_base_becomes_the_key_of_one_view_and_not_of_another():
    class Coded(ReadableViewFromQueryset, is_abstract_model=True):
        code = models.CharField(max_length=12)

        class Meta:
            app_label = "lending"

    queryset = Product.objects.values("id", "code")
    first = declare(queryset, "First", bases=(Coded,), pk_field="code")
    second = declare(queryset, "Second", bases=(Coded,))
    assert (key_of(first), key_of(second)) == (["code"], ["id"])
    assert not Coded._meta.get_field("code").primary_key
    assert not second._meta.get_field("code").primary_key


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Loan.objects.values("principal"), "the key of lending.Loan, id, is not among its columns"),
        (
            lambda: Customer.objects.values("id", "loans__status"),
            "the join to lending_loan gives several rows",
        ),
        (lambda: Customer.objects.filter(loans__status="active").values("id"), "gives several rows"),
        (lambda: Product.objects.values("id").union(Loan.objects.values("id")), "the rows of a union"),
        (lambda: Loan.objects.values("status").annotate(n=Count("id")), "is not among its columns"),
    ],
)
def test_a_key_that_does_not_identify_a_row_is_none_and_a_check_says_what_to_write(make, why):
    declare(make())
    (message,) = check_fields(None)
    assert isinstance(message, Error)
    assert message.id == "orm_views_core.E009"
    assert why in message.msg
    assert "Set pk_field = …" in message.hint
    assert "primary_key=True" in message.hint


def test_a_join_to_many_that_is_grouped_keeps_the_key(loans):
    view = declare(Customer.objects.values("id", "city").annotate(loans=Count("loans")))
    assert key_of(view) == ["id"]
    sync_views()
    assert [row.loans for row in view.objects.order_by("city")] == [1, 2]


def test_the_composite_key_of_a_readable_view_is_that_of_a_view_that_reads_it(loans):
    pairs = declare(
        Loan.objects.values("product", "status").annotate(loans=Count("id")), pk_field=("product", "status")
    )
    view = declare(pairs.objects.values("product", "status", "loans"), "Reader")
    assert key_of(view) == ["product", "status"]
    sync_views()
    assert sorted(row.loans for row in view.objects.all()) == [1, 2]


def test_raw_sql_without_a_key_has_djangos_id(db):
    class Raw(ReadableViewFromSQL):
        sql = "SELECT 7 AS id, 'x' AS label"
        label = models.TextField()

        class Meta:
            app_label = "lending"

    sync_views()
    assert Raw.objects.get(id=7).label == "x"
    assert check_fields(None) == []
