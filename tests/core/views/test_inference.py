"""What is inferred from a queryset's columns: fields, whether they may be NULL, and what values become."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.checks import run_checks
from django.db import connection, models
from django.db.models import (
    Avg,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    Sum,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, TruncMonth
from django.test.utils import isolate_apps

from orm_views_core.sync import sync_views
from orm_views_core.views import ReadableViewFromQueryset
from orm_views_core.views.inference import infer
from tests.bookshop.data import UTC, load
from tests.bookshop.models import Author, Book, Booking, Cafe, Entry, Place, Publisher, Store

pytestmark = pytest.mark.django_db


def fields_of(queryset):
    """Return the fields of a queryset by name."""
    found = infer(queryset.query.clone(), "Shown", "bookshop", {})
    assert found.problems == {}
    return found.fields


def declare(make, base=ReadableViewFromQueryset, **said):
    meta = {"Meta": type("Meta", (), {"app_label": "bookshop"})} if base is ReadableViewFromQueryset else {}
    attrs = {"__module__": __name__, "get_queryset": classmethod(lambda cls: make()), **meta, **said}
    return type(base)("Shown", (base,), attrs)


def test_views_of_the_same_columns_have_fields_of_their_own():
    """What one view does to its fields is no matter of the other's, and each has them in its own order."""
    first = fields_of(Book.objects.values("id", "title", "publisher"))
    second = fields_of(Book.objects.values("publisher", "title", "id"))
    for name in ("id", "title", "publisher"):
        assert first[name] is not second[name]
    assert sorted(first.values()) == [first[name] for name in ("id", "title", "publisher")]
    assert sorted(second.values()) == [second[name] for name in ("publisher", "title", "id")]
    assert first["publisher"].remote_field is not second["publisher"].remote_field
    assert second["publisher"].remote_field.field is second["publisher"]


class Reversed(models.CharField):
    """A field that Django selects in another form than it is stored, as it does geometries."""

    def select_format(self, compiler, sql, params):
        return (f"reverse({sql})", params) if not compiler.query.subquery else (sql, params)


class Measure(models.FloatField):
    """The output of a function, which is no field of a model: it has an argument of its own."""

    def __init__(self, unit):
        super().__init__()
        self.unit = unit

    def from_db_value(self, value, expression, connection):
        return f"{value:g} {self.unit}"


@pytest.mark.parametrize("wrap", [lambda made: made, lambda made: made.union(made.all(), all=True)])
def test_a_column_is_stored_as_it_is_and_not_as_django_selects_it(registered, wrap):
    load()
    made = Book.objects.annotate(odd=ExpressionWrapper(F("title"), Reversed(max_length=60))).values(
        "id", "odd"
    )
    view = declare(lambda: wrap(made))
    sync_views()
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT odd FROM views.shown ORDER BY 1")
        assert [row[0] for row in cursor.fetchall()] == sorted({book.title for book in Book.objects.all()})
    assert {row.odd for row in view.objects.all()} == {book.title[::-1] for book in Book.objects.all()}


def test_a_field_that_only_an_expression_has_is_copied(registered):
    load()
    made = Book.objects.annotate(length=ExpressionWrapper(F("pages"), Measure("pages"))).values(
        "id", "length"
    )
    view = declare(lambda: made)
    sync_views()
    assert view._view_fields.inferred.problems == {}
    book = Book.objects.first()
    assert view.objects.get(pk=book.pk).length == f"{book.pages:g} pages"


NULLABLE = [
    ("a column", lambda: Book.objects.values("id", x=F("rating")), True),
    ("a column that is not", lambda: Book.objects.values("id", x=F("pages")), False),
    ("through a foreign key", lambda: Book.objects.values("id", x=F("publisher__name")), False),
    ("of a table that is joined outwards", lambda: Book.objects.values("id", x=F("editor__name")), True),
    (
        "beyond such a table",
        lambda: Booking.objects.values("id", x=F("cafe__store__name")),
        True,
    ),
    ("a key beyond such a table", lambda: Book.objects.values("id", x=F("editor__portrait__author")), True),
    ("one to one, backwards", lambda: Author.objects.values("id", x=F("portrait__file")), True),
    ("many, backwards", lambda: Publisher.objects.values("id", x=F("book__pages")), True),
    (
        "many, of which there has to be one",
        lambda: Publisher.objects.filter(book__pages__gt=1).values("id", x=F("book__pages")),
        False,
    ),
    (
        "a filtered relation",
        lambda: Author.objects.annotate(
            cheap=FilteredRelation("edited", condition=Q(edited__price__lt=5))
        ).values("id", x=F("cheap__pages")),
        True,
    ),
    (
        "the first part of a union",
        lambda: Author.objects.values(x=F("alias")).union(Store.objects.values(x=F("name"))),
        True,
    ),
    (
        "the second part of a union",
        lambda: Store.objects.values(x=F("name")).union(Author.objects.values(x=F("alias"))),
        True,
    ),
    (
        "a part of a union in a union",
        lambda: Store.objects.values(x=F("name")).union(
            Store.objects.values(x=F("name")).union(Author.objects.values(x=F("alias")))
        ),
        True,
    ),
    (
        "no part of a union",
        lambda: Store.objects.values(x=F("name")).union(Author.objects.values(x=F("name"))),
        False,
    ),
    ("a count", lambda: Author.objects.values("id", x=Count("book")), False),
    ("a sum", lambda: Author.objects.values("id", x=Sum("book__pages")), True),
    (
        "what exists",
        lambda: Author.objects.values("id", x=Exists(Book.objects.filter(editor=OuterRef("pk")))),
        False,
    ),
    ("a constant", lambda: Author.objects.values("id", x=Value(1)), False),
    ("a constant that is NULL", lambda: Author.objects.values("id", x=Value(None, models.TextField())), True),
    ("an expression", lambda: Author.objects.values("id", x=Coalesce("alias", "name")), True),
]


@pytest.mark.parametrize(("make", "null"), [c[1:] for c in NULLABLE], ids=[c[0] for c in NULLABLE])
def test_a_field_may_be_null_where_its_column_may(make, null):
    load()
    assert fields_of(make())["x"].null is null
    if not null:
        assert None not in {row["x"] for row in make()}


@isolate_apps("tests.bookshop")
def test_a_generated_column_may_be_null_although_its_field_does_not_say_so():
    class Square(models.Model):
        side = models.IntegerField(null=True)
        area = models.GeneratedField(
            expression=F("side") * F("side"), output_field=models.IntegerField(), db_persist=True
        )

        class Meta:
            app_label = "bookshop"

    found = infer(Square.objects.values("id", "area").query, "Shown", "bookshop", {})
    assert found.fields["area"].null
    assert type(found.fields["area"]) is models.IntegerField
    assert found.nullable == frozenset()  # nothing to warn of: nobody knows


def test_the_key_of_a_table_is_no_automatic_one_of_the_view():
    field = fields_of(Book.objects.values("id"))["id"]
    assert type(field) is models.BigIntegerField
    assert not field.auto_created


def test_keys_keep_what_they_lead_to_and_are_called_as_their_column():
    view = declare(
        lambda: Book.objects.values("id", "publisher", "editor_id", house=F("publisher"), boss_id=F("editor"))
    )
    keys = [field for field in view._meta.concrete_fields if isinstance(field, models.ForeignKey)]
    assert [(key.name, key.column, key.related_model, key.null) for key in keys] == [
        ("publisher", "publisher_id", Publisher, False),
        ("editor", "editor_id", Author, True),
        ("house", "house", Publisher, False),
        ("boss", "boss_id", Author, True),
    ]
    assert view.check() == []


def test_a_key_of_a_child_table_leads_to_the_child():
    view = declare(lambda: Booking.objects.values("id", "cafe"))
    assert view._meta.get_field("cafe").related_model is Cafe


def test_an_aggregate_of_keys_is_a_value():
    fields = fields_of(Author.objects.values("id", last=Max("book__publisher")))
    assert type(fields["last"]) is models.BigIntegerField


def test_a_column_whose_type_nobody_says_is_refused():
    declare(lambda: Book.objects.annotate(half=RawSQL("pages / 2", [])).values("id", "half"))
    (message,) = [m for m in run_checks(tags=["orm_views"], databases=[]) if m.is_serious()]
    assert message.id == "orm_views_core.E007"
    assert "'half'" in message.msg
    assert "output_field" in message.hint


def test_a_declared_field_takes_the_place_of_one_that_cannot_be_had():
    load()
    view = declare(
        lambda: Book.objects.annotate(half=RawSQL("pages / 2", [])).values("id", "half"),
        half=models.IntegerField(),
    )
    sync_views()
    assert [m for m in run_checks(tags=["orm_views"], databases=[]) if m.is_serious()] == []
    assert sorted(view.objects.values_list("half", flat=True)) == [5, 22, 60, 150, 400]


def test_what_is_computed_of_positive_numbers_may_be_negative_and_large():
    load()
    view = declare(lambda: Book.objects.values("id", less=F("pages") - 1000, more=F("pages") * 10**10))
    sync_views()
    assert view.objects.filter(less=-200).count() == 1
    assert view.objects.filter(more=8 * 10**12).count() == 1


def test_a_field_that_converts_values_is_of_its_class_and_can_be_cloned():
    field = fields_of(Book.objects.values("publisher").annotate(mean=Avg("pages")))["mean"]
    assert isinstance(field, models.FloatField)
    assert type(field).__name__ == "FloatField"
    assert field.deconstruct()[1] == "django.db.models.FloatField"
    assert field.clone().deconstruct() == field.deconstruct()
    assert field.from_db_value(Decimal("1.5"), None, connection) == 1.5
    assert field.clone().from_db_value(Decimal("1.5"), None, connection) == Decimal("1.5")


def test_computed_values_are_of_their_type_wherever_the_view_is_read():
    load()
    view = declare(
        lambda: Book.objects.values("publisher").annotate(mean=Avg("pages"), total=Sum("price")),
        pk_field="publisher_id",
    )
    sync_views()
    row = view.objects.get(publisher__name="New")
    assert (type(row.mean), row.mean) == (float, 422.5)
    row.refresh_from_db(fields=["mean"])
    assert type(row.mean) is float
    assert type(view.objects.only("pk").get(pk=row.pk).mean) is float
    assert view.objects.aggregate(most=Max("mean"), all=Sum("total")) == {
        "most": 422.5,
        "all": Decimal("124.99"),
    }
    assert [
        type(value) for value in view.objects.annotate(twice=F("mean") * 2).values_list("twice", flat=True)
    ] == [
        float,
        float,
    ]


def test_the_month_of_a_moment_is_read_in_the_time_zone_that_it_was_cut_in():
    load()
    make = lambda: Entry.objects.values("id", month=TruncMonth("posted"))  # noqa: E731
    view = declare(make)
    sync_views()
    months = set(view.objects.values_list("month", flat=True))
    assert months == {row["month"] for row in make()}
    # The last of July at 23:15 in UTC is the first of August in London, where it is summer.
    assert dt.datetime(2024, 7, 31, 23, 0, tzinfo=UTC) in months


def test_a_month_that_is_a_date_is_found_by_it():
    load()
    view = declare(
        lambda: Entry.objects.values("id", month=TruncMonth("posted", output_field=models.DateField()))
    )
    sync_views()
    assert view.objects.filter(month=dt.date(2024, 8, 1)).count() == 2
    assert {row.month for row in view.objects.filter(month__month=8)} == {dt.date(2024, 8, 1)}


def test_select_related_adds_no_columns_to_a_readable_view():
    load()
    view = declare(lambda: Book.objects.select_related("publisher", "editor"))
    sync_views()
    assert {field.name for field in view._meta.concrete_fields} == {
        f.name for f in Book._meta.concrete_fields
    }
    assert view.objects.count() == Book.objects.count()


def test_a_part_of_a_union_that_has_all_columns_gets_those_of_the_whole():
    both = Store.objects.all().union(Store.objects.all().union(Place.objects.all())).values("name")
    assert list(fields_of(both)) == ["name"]


def test_a_key_of_several_computed_columns_passes_djangos_own_checks():
    view = declare(
        lambda: Book.objects.annotate(year=F("on__year")).values("editor", "year").annotate(n=Count("id")),
        pk_field=("editor_id", "year"),
    )
    assert view.check() == []
