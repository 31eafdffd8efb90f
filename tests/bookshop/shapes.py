"""Querysets in the shapes of Django's documentation, by name, and the key of each that has not its model's.

https://docs.djangoproject.com/en/stable/topics/db/aggregation/ and the references of expressions, database
functions, conditional expressions and of what PostgreSQL adds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg, BoolAnd, JSONBAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import (
    Avg,
    BooleanField,
    Case,
    CharField,
    Count,
    DateTimeField,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    StdDev,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.expressions import RawSQL, RowRange, ValueRange
from django.db.models.fields.json import KT
from django.db.models.functions import (
    Abs,
    Cast,
    Coalesce,
    Concat,
    CumeDist,
    DenseRank,
    ExtractIsoWeekDay,
    ExtractYear,
    FirstValue,
    Greatest,
    JSONObject,
    Lag,
    Lead,
    Least,
    Left,
    Length,
    Lower,
    Mod,
    Ntile,
    NullIf,
    PercentRank,
    Power,
    Rank,
    Round,
    RowNumber,
    Sqrt,
    StrIndex,
    TruncDate,
    TruncDay,
    TruncMonth,
    TruncTime,
    TruncYear,
    Upper,
)

from .models import (
    Author,
    Book,
    Booking,
    Cafe,
    Cheap,
    Client,
    Employee,
    Entry,
    Note,
    Place,
    Publisher,
    Seat,
    Store,
)


@dataclass(frozen=True)
class Shape:
    """A queryset.

    Attributes:
        make: makes it.
        pk_field: the columns that identify its rows, where those of its model's key do not.
    """

    make: Callable[[], QuerySet[Any, Any]]
    pk_field: tuple[str, ...] = ()


SHAPES: dict[str, Shape] = {}


def shape(*pk_field: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Note a function as a shape."""

    def note(make: Callable[[], Any]) -> Callable[[], Any]:
        SHAPES[make.__name__] = Shape(make, pk_field)
        return make

    return note


# Aggregation


@shape()
def whole_rows():
    return Book.objects.all()


@shape()
def annotated_rows():
    return Publisher.objects.annotate(books=Count("book"), dearest=Max("book__price"))


@shape()
def aggregates_of_every_kind():
    return Publisher.objects.annotate(
        pages=Sum("book__pages"),
        mean_pages=Avg("book__pages"),
        mean_rating=Avg("book__rating"),
        mean_price=Avg("book__price"),
        spread=StdDev("book__pages"),
        first=Min("book__on"),
    ).values("id", "name", "pages", "mean_pages", "mean_rating", "mean_price", "spread", "first")


@shape()
def filtered_aggregates():
    return Publisher.objects.annotate(
        long=Count("book", filter=Q(book__pages__gt=100)),
        short=Count("book", filter=Q(book__pages__lte=100), distinct=True),
        cost=Sum("book__price", filter=Q(book__rating__isnull=False), default=Decimal(0)),
    ).values("id", "long", "short", "cost")


@shape("publisher_id")
def grouped_by_a_foreign_key():
    return Book.objects.values("publisher").annotate(books=Count("id"), price=Avg("price"))


@shape("publisher_id", "year")
def grouped_by_an_expression():
    return (
        Book.objects.annotate(year=ExtractYear("on"))
        .values("publisher", "year")
        .annotate(pages=Sum("pages"))
        .order_by("year")
    )


@shape("editor_id")
def grouped_by_what_may_be_null():
    return Book.objects.values("editor").annotate(books=Count("*"), last=Max("on"))


@shape("city")
def grouped_by_a_column_of_a_related_model():
    return Book.objects.values("publisher__city").annotate(books=Count("id")).order_by("publisher__city")


@shape()
def aggregates_across_many_to_many():
    return Store.objects.annotate(
        low=Min("books__price"), high=Max("books__price"), authors=Count("books__authors", distinct=True)
    ).values("id", "name", "low", "high", "authors")


@shape()
def having():
    return Author.objects.annotate(books=Count("book")).filter(books__gt=1).values("id", "name", "books")


@shape("department")
def sums_beyond_their_columns():
    return Employee.objects.values("department").annotate(
        salaries=Sum("salary"), shares=Sum("shares"), most=Max("salary"), someone=Max("id")
    )


@shape()
def aggregate_in_an_expression():
    return Publisher.objects.annotate(
        per_book=ExpressionWrapper(Sum("book__price") / Count("book"), output_field=DecimalField()),
    ).values("id", "per_book")


# F expressions and combined ones


@shape()
def f_across_relations():
    return Book.objects.annotate(by=F("publisher__name"), edited_by=F("editor__name")).values(
        "id", "by", "edited_by", house=F("publisher"), in_charge=F("editor_id")
    )


@shape()
def arithmetic():
    return Book.objects.annotate(
        less=F("pages") - 1000,
        more=F("price") * Value(Decimal("1.2")),
        ratio=ExpressionWrapper(F("pages") * 1.0 / F("price"), output_field=FloatField()),
        remainder=Mod("pages", 7),
        rounded=Round("price", precision=1),
        root=Sqrt("pages"),
        square=Power("rating", 2),
        away=Abs(F("pages") - 1000),
    ).values("id", "less", "more", "ratio", "remainder", "rounded", "root", "square", "away")


@shape()
def durations():
    return Booking.objects.annotate(
        took=F("until") - F("at"),
        reminder=ExpressionWrapper(F("at") - dt.timedelta(hours=2), output_field=DateTimeField()),
        twice=ExpressionWrapper((F("until") - F("at")) * 2, output_field=DurationField()),
    ).values("id", "took", "twice", "reminder")


@shape()
def dates_subtracted():
    return Employee.objects.annotate(after=F("hired") - F("manager__hired")).values("id", "after")


@shape()
def a_condition_as_a_column():
    return Book.objects.annotate(
        is_long=Q(pages__gt=100),
        is_rated=ExpressionWrapper(Q(rating__isnull=False), output_field=BooleanField()),
    ).values("id", "is_long", "is_rated")


@shape()
def values_of_expressions():
    return Book.objects.values(
        "id", shout=Upper("title"), constant=Value(5), nothing=Value(None, CharField())
    )


# Subqueries


@shape()
def newest_of_the_related():
    newest = Book.objects.filter(publisher=OuterRef("pk")).order_by("-on")
    return Publisher.objects.annotate(
        newest=Subquery(newest.values("title")[:1]),
        newest_id=Subquery(newest.values("pk")[:1]),
        editor_of_newest=Subquery(newest.values("editor")[:1]),
    ).values("id", "newest", "newest_id", "editor_of_newest")


@shape()
def aggregate_in_a_subquery():
    pages = (
        Book.objects.filter(publisher=OuterRef("pk"))
        .order_by()
        .values("publisher")
        .annotate(total=Sum("pages"))
        .values("total")
    )
    return Publisher.objects.annotate(pages=Subquery(pages)).values("id", "pages")


@shape()
def exists():
    rated = Book.objects.filter(publisher=OuterRef("pk"), rating__isnull=False)
    return (
        Publisher.objects.annotate(has_rated=Exists(rated), has_none=~Exists(rated))
        .filter(Exists(Book.objects.filter(publisher=OuterRef("pk"))))
        .values("id", "has_rated", "has_none")
    )


@shape()
def array_of_a_subquery():
    titles = Book.objects.filter(publisher=OuterRef("pk")).order_by("title")
    return Publisher.objects.annotate(
        titles=ArraySubquery(titles.values("title")),
        books=ArraySubquery(titles.values(book=JSONObject(title="title", pages="pages"))),
    ).values("id", "titles", "books")


@shape()
def excluded_across_many():
    return Author.objects.exclude(book__rating=4.5).values("id", "name")


# Window functions


@shape()
def windows():
    in_department = {"partition_by": "department", "order_by": "-salary"}
    return Employee.objects.annotate(
        number=Window(RowNumber(), order_by="id"),
        rank=Window(Rank(), **in_department),
        dense=Window(DenseRank(), **in_department),
        percent=Window(PercentRank(), **in_department),
        cumulated=Window(CumeDist(), **in_department),
        half=Window(Ntile(2), order_by="id"),
        earlier=Window(Lag("hired"), order_by="id"),
        later=Window(Lead("salary", default=0), order_by="id"),
        best=Window(FirstValue("name"), partition_by="department", order_by=["-salary", "id"]),
        mean=Window(Avg("salary"), partition_by="department"),
        total=Window(Sum("shares")),
    ).values(
        *("id", "number", "rank", "dense", "percent", "cumulated", "half"),
        *("earlier", "later", "best", "mean", "total"),
    )


@shape()
def frames():
    return Employee.objects.annotate(
        around=Window(Avg("salary"), order_by="id", frame=RowRange(start=-1, end=1)),
        up_to=Window(Count("*"), order_by="hired", frame=ValueRange(start=None, end=0)),
    ).values("id", "around", "up_to")


@shape()
def filtered_by_a_window():
    return (
        Employee.objects.annotate(
            place=Window(RowNumber(), partition_by="department", order_by=["-salary", "id"])
        )
        .filter(place=1)
        .values("id", "name", "place")
    )


# Conditional expressions


@shape()
def case_when():
    return Client.objects.annotate(
        discount=Case(
            When(level=Client.Level.GOLD, then=Value("5%")),
            When(since__lt=dt.date(2020, 1, 1), then=Value("1%")),
            default=Value("0%"),
        ),
        points=Case(When(level="G", then=Value(10)), output_field=IntegerField()),
    ).values("id", "level", "discount", "points")


@shape("level")
def conditional_aggregation():
    return Client.objects.values("level").annotate(
        old=Count(Case(When(since__year__lt=2020, then=1))),
        weight=Sum(Case(When(level="G", then=Value(2)), default=Value(1))),
    )


# Database functions


@shape()
def texts():
    return Author.objects.annotate(
        known_as=Coalesce(NullIf("alias", Value("")), "name"),
        full=Concat("name", Value(" ("), "alias", Value(")")),
        low=Lower("name"),
        length=Length("alias"),
        initial=Left("name", 1),
        at=StrIndex("name", Value("a")),
    ).values("id", "known_as", "full", "low", "length", "initial", "at")


@shape()
def comparisons():
    return Entry.objects.annotate(
        last=Greatest("posted", "edited"),
        least=Least("comments", "likes"),
        liked=Coalesce("likes", 0),
    ).values("id", "last", "least", "liked")


@shape()
def casts():
    return Book.objects.annotate(
        as_text=Cast("pages", TextField()),
        as_float=Cast("price", FloatField()),
        as_number=Cast("price", IntegerField()),
        as_decimal=Cast("rating", DecimalField(max_digits=6, decimal_places=1)),
    ).values("id", "as_text", "as_float", "as_number", "as_decimal")


@shape()
def truncated_and_extracted():
    return Entry.objects.annotate(
        day=TruncDay("posted"),
        date=TruncDate("posted"),
        time=TruncTime("posted"),
        month=TruncMonth("edited"),
        year=ExtractYear("edited"),
        weekday=ExtractIsoWeekDay("posted"),
    ).values("id", "day", "date", "time", "month", "year", "weekday", "posted__hour")


@shape("month")
def grouped_by_a_truncated_moment():
    return (
        Entry.objects.annotate(month=TruncMonth("posted"))
        .values("month")
        .annotate(entries=Count("id"), comments=Sum("comments"))
    )


@shape()
def truncated_dates():
    return Book.objects.annotate(year=TruncYear("on")).values("id", "on", "year", "on__month")


@shape()
def functions_of_ones_own():
    return Author.objects.annotate(
        backwards=Func(F("name"), function="REVERSE"),
        shown=Func(Value("%s-%s"), "id", "name", function="FORMAT", output_field=TextField()),
    ).values("id", "backwards", "shown")


@shape()
def json():
    return Entry.objects.annotate(
        author=KT("about__by__name"), told=JSONObject(who="headline", likes="likes")
    ).values("id", "about", "about__words", "about__by", "author", "told", "tags", "tags__0")


@shape()
def postgres_aggregates():
    return Publisher.objects.annotate(
        titles=ArrayAgg("book__title", distinct=True),
        pages=ArrayAgg("book__pages", filter=Q(book__isnull=False), default=Value([])),
        ratings=JSONBAgg("book__rating"),
        all_rated=BoolAnd(Q(book__rating__isnull=False)),
        books=ArrayAgg("book"),
    ).values("id", "titles", "pages", "ratings", "all_rated", "books")


@shape()
def searched():
    vector, query = SearchVector("headline", "body", config="english"), SearchQuery("cat", config="english")
    return (
        Entry.objects.annotate(vector=vector, score=SearchRank(vector, query))
        .filter(vector=query)
        .values("id", "vector", "score")
    )


# Combined querysets, and parts of them


@shape("name")
def union():
    return Author.objects.values("name").union(Publisher.objects.values("name"))


@shape("name", "other")
def union_whose_parts_differ_in_null():
    cities = Publisher.objects.values("name", other=F("city"))
    return Store.objects.values("name", other=F("name")).union(cities, all=True)


@shape("name")
def union_of_models_with_values_behind():
    return Store.objects.all().union(Place.objects.all()).values("name")


@shape("name")
def intersection():
    return Author.objects.values("name").intersection(Author.objects.filter(id__gt=0).values("name"))


@shape("name")
def difference():
    return Author.objects.values("name").difference(Author.objects.filter(name="Ada").values("name"))


@shape("kind", "amount")
def union_of_computed_columns():
    books = Book.objects.values(kind=Value("book")).annotate(amount=Sum("pages"))
    return books.union(Employee.objects.values(kind=Value("employee")).annotate(amount=Avg("salary")))


@shape("price")
def distinct():
    return Book.objects.values("price").distinct()


@shape()
def distinct_on():
    return Book.objects.order_by("publisher", "-on").distinct("publisher").values("id", "publisher", "title")


@shape()
def distinct_after_a_join_to_many():
    return Store.objects.filter(books__price__gt=1).values("id", "name").distinct()


@shape()
def a_slice():
    return Book.objects.order_by("-price", "id").values("id", "price")[1:3]


@shape()
def extra():
    return Book.objects.extra(where=["pages > %s"], params=[50]).values("id", "title")


@shape()
def raw_sql():
    return Book.objects.annotate(half=RawSQL("pages / %s", [2], output_field=IntegerField())).values(
        "id", "half"
    )


# Relations


@shape()
def filtered_relation():
    return Author.objects.annotate(
        cheap_edited=FilteredRelation("edited", condition=Q(edited__price__lt=5)),
    ).values("id", "name", cheap=Count("cheap_edited"))


@shape("id", "title")
def a_row_for_each_of_many():
    return Author.objects.values("id", "name", "book__title")


@shape("id", "text")
def a_generic_relation():
    return Book.objects.filter(notes__isnull=False).values("id", "notes__text")


@shape()
def generic_foreign_key():
    return Note.objects.all()


@shape()
def columns_that_would_share_a_name():
    return Book.objects.values(
        "id", "publisher__id", "publisher__name", "editor__name", "editor__id", "title"
    )


@shape()
def the_key_by_its_other_name():
    return Book.objects.values("pk", "title")


@shape()
def one_to_one_that_some_have():
    return Author.objects.values("id", "portrait", "portrait__file")


@shape()
def proxy():
    return Cheap.objects.filter(price__lt=6).values("id", "title", "on")


@shape()
def child_table():
    return Cafe.objects.all()


@shape()
def child_table_by_the_name_of_its_parents_key():
    return Cafe.objects.values("id", "name", "seats", "store__name")


@shape()
def foreign_key_to_a_child_table():
    return Booking.objects.values("id", "cafe", "cafe__name", "cafe__store__name")


@shape()
def key_of_two_columns():
    return Seat.objects.values("pk", "holder__name")


@shape()
def key_of_two_columns_by_name():
    return Seat.objects.values("hall", "number", "holder")


@shape()
def related_objects():
    return Book.objects.select_related("publisher").annotate(n=Count("authors")).order_by("publisher__name")
