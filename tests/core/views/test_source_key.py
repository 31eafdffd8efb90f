"""Whether the key of a queryset's model identifies the queryset's rows, against the rows themselves."""

from __future__ import annotations

import pytest
from django.db.models import Case, Count, F, FilteredRelation, Func, OuterRef, Q, Subquery, Value, When
from django.test.utils import isolate_apps

from orm_views_core.views.keys import source_key
from orm_views_core.views.querysets import output_columns
from tests.bookshop.data import load
from tests.bookshop.models import Author, Book, Booking, Cafe, Cheap, Employee, Place, Publisher, Seat, Store

pytestmark = pytest.mark.django_db


class Series(Func):
    """A function that returns several rows."""

    function = "GENERATE_SERIES"
    set_returning = True


def key_of(queryset):
    query = queryset.query.clone()
    return source_key(query, output_columns(query))[:2]


UNIQUE = {
    "plain": lambda: Book.objects.values("id", "title"),
    "pk": lambda: Book.objects.values("pk"),
    "renamed": lambda: Book.objects.values(number=F("id")),
    "another name for it": lambda: Book.objects.annotate(number=F("pk")).values("number"),
    "forward": lambda: Book.objects.values("id", "publisher__name", "editor__name"),
    "reverse, one to one": lambda: Author.objects.values("id", "portrait__file"),
    "child": lambda: Cafe.objects.values("place_ptr", "name"),
    "child by its parent's key": lambda: Cafe.objects.values("id", "name"),
    "parent": lambda: Place.objects.values("id", "cafe__seats"),
    "to a child": lambda: Booking.objects.values("id", "cafe__name"),
    "proxy": lambda: Cheap.objects.values("id"),
    "two columns": lambda: Seat.objects.values("hall", "number"),
    "aggregate": lambda: Author.objects.annotate(n=Count("book")).values("id", "n"),
    "aggregate without values": lambda: Author.objects.annotate(n=Count("book__notes")),
    "aggregate, filtered by many": lambda: (
        Store.objects.filter(books__price__gt=1).annotate(n=Count("books")).values("id", "n")
    ),
    "distinct": lambda: Store.objects.filter(books__price__gt=1).values("id").distinct(),
    "excluded by many": lambda: Author.objects.exclude(book__rating=4.5).values("id"),
    "subquery": lambda: Author.objects.values(
        "id", one=Subquery(Book.objects.filter(authors=OuterRef("pk")).values("id")[:1])
    ),
    "ordered": lambda: Book.objects.order_by("publisher__name", "?", F("editor__name").desc()).values("id"),
    "ordered by an annotation": lambda: Author.objects.annotate(n=Count("book")).order_by("-n").values("id"),
    "to itself": lambda: Employee.objects.values("id", "manager__manager__name"),
}
REPEATED = {
    "reverse": lambda: Publisher.objects.values("id", "book__title"),
    "reverse, filtered": lambda: Publisher.objects.filter(book__pages__gt=1).values("id"),
    "many to many": lambda: Store.objects.values("id", "books__title"),
    "many to many, from its other side": lambda: Book.objects.values("id", "store__name"),
    "beyond a join to many": lambda: Store.objects.values("id", "books__publisher__name"),
    "generic relation": lambda: Book.objects.filter(notes__isnull=False).values("id", "notes__text"),
    "to itself": lambda: Employee.objects.values("id", "employee__name"),
    "distinct, told apart": lambda: Store.objects.values("id", "books__title").distinct(),
    "distinct on another column": lambda: (
        Store.objects.order_by("books__title").values("id", "books__title").distinct("books__title")
    ),
    "grouped by many": lambda: Store.objects.values("id", "books__rating").annotate(n=Count("*")),
    "grouped by an expression of many": lambda: Store.objects.annotate(
        kind=Case(When(books__pages__gt=100, then=Value("long")), default=Value("short")), n=Count("books")
    ).values("id", "kind", "n"),
    "ordered by many": lambda: Author.objects.order_by("book__title").values("id"),
    "ordered by an expression of many": lambda: Author.objects.order_by(F("book__title").desc()).values("id"),
    "filtered relation": lambda: Author.objects.annotate(
        long=FilteredRelation("book", condition=Q(book__pages__gt=1))
    ).values("id", "long__title"),
    "a table of extra()": lambda: Book.objects.extra(tables=["bookshop_store"]).values("id"),
    "several rows of a function": lambda: Book.objects.values("id", n=Series(1, F("id") - F("id") + 2)),
}
ABSENT = {
    "not there": lambda: Book.objects.values("title"),
    "half of it": lambda: Seat.objects.values("hall"),
    "that of another": lambda: Book.objects.values("publisher__id", "title"),
    "computed": lambda: Book.objects.values(id2=F("id") % 2),
    "union": lambda: Book.objects.values("id").union(Author.objects.values("id")),
}


@pytest.mark.parametrize("name", UNIQUE)
def test_the_models_key_is_the_views_where_it_is_unique(name):
    load()
    queryset = UNIQUE[name]()
    key, why = key_of(queryset)
    assert (bool(key), why) == (True, "")
    found = list(queryset.values_list("pk", flat=True) if queryset._fields is None else queryset)
    keys = [row if queryset._fields is None else key_in(row, key, queryset) for row in found]
    assert len(set(keys)) == len(keys) > 1


def key_in(row, key, queryset):
    aliases = {column.name: column.alias for column in output_columns(queryset.query)}
    return tuple(row[aliases[name]] for name in key)


@pytest.mark.parametrize("name", REPEATED)
def test_what_gives_several_rows_for_one_leaves_no_key(name):
    load()
    queryset = REPEATED[name]()
    key, why = key_of(queryset)
    assert key == ()
    assert "several rows" in why or "ordering by" in why
    keys = [row["id"] for row in queryset]
    assert len(set(keys)) < len(keys)


@pytest.mark.parametrize("name", ABSENT)
def test_columns_without_the_models_key_have_no_key(name):
    key, why = key_of(ABSENT[name]())
    assert key == ()
    assert why


@isolate_apps("tests.bookshop")
def test_the_order_of_a_model_may_join_many_too():
    class ByTitle(Store):
        class Meta:
            app_label = "bookshop"
            proxy = True
            ordering = ["books__title"]

    load()
    queryset = ByTitle.objects.values("id")
    keys = [row["id"] for row in queryset]
    assert len(set(keys)) < len(keys)
    assert key_of(queryset) == ((), "ordering by 'books__title' gives several rows for one bookshop.ByTitle")
    assert key_of(queryset.order_by()) == (("id",), "")
    assert key_of(queryset.annotate(n=Count("books__authors"))) == (("id",), "")
