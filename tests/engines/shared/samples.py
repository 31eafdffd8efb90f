"""Rows with values of each type, and expressions over them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import (
    Abs,
    Cast,
    Coalesce,
    Concat,
    ExtractYear,
    Greatest,
    Length,
    Lower,
    NullIf,
    Round,
    RowNumber,
    Substr,
    TruncDate,
    TruncMonth,
    Upper,
)

from tests.engines.shop.models import Product, Sample

UTC = dt.timezone.utc

_USUAL: dict[str, Any] = {
    "characters": 'Anna\'s 100 % "quoted" \\ back',
    "text": "ß\n\t漢字 🙂",
    "email": "ann@example.com",
    "slug": "a-slug",
    "url": "https://example.com/?a=%20",
    "file": "files/a.txt",
    "path": "/usr/share",
    "address": "192.0.2.1",
    "small": 7,
    "integer": 70_000,
    "big": 5_000_000_000,
    "positive_small": 8,
    "positive": 80_000,
    "positive_big": 6_000_000_000,
    "ratio": 0.1,
    "amount": Decimal("1234.50"),
    "share": Decimal("0.333333"),
    "flag": True,
    "day": dt.date(2024, 2, 29),
    "moment": dt.datetime(2024, 3, 31, 1, 30, 15, 250_000, tzinfo=UTC),
    "clock": dt.time(12, 30, 15, 250_000),
    "span": dt.timedelta(days=1, hours=2, microseconds=3),
    "identifier": uuid.UUID(int=2**127 + 5),
    "raw": bytes(range(256)),
    "document": {"a": [1, 1.5, None, "ß"], "city": "Bath", "deep": {"er": True}},
    "chosen": "b",
    "product_id": 1,
}
_ODD: dict[str, Any] = {
    "characters": "",
    "text": "x" * 5_000,
    "email": "",
    "slug": "",
    "url": "",
    "file": "",
    "path": "",
    "address": "2001:db8::ff00:42",
    "small": -(2**15),
    "integer": -(2**31),
    "big": -(2**63),
    "positive_small": 0,
    "positive": 0,
    "positive_big": 2**63 - 1,
    "ratio": -1.5e300,
    "amount": Decimal("-9999999.99"),
    "share": Decimal("0.000001"),
    "flag": False,
    "day": dt.date(1000, 1, 1),
    "moment": dt.datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC),
    "clock": dt.time(0, 0),
    "span": dt.timedelta(days=-400, microseconds=1),
    "identifier": uuid.UUID(int=0),
    "raw": b"",
    "document": [],
    "chosen": "a",
    "product_id": 2,
}

#: The fields of the table, by name. The number of a row says nothing.
FIELDS = [field.name for field in Sample._meta.local_fields if field.name != "id"]


def load() -> None:
    """Insert two products and three samples: a usual one, an odd one, and one of NULLs."""
    Product.objects.bulk_create(
        Product(id=i, code=f"p{i}", name=f"Product {i}", price=Decimal("2.50") * i) for i in (1, 2)
    )
    Sample.objects.bulk_create([Sample(id=1, **_USUAL), Sample(id=2, **_ODD), Sample(id=3)])


def _money(expression: Any) -> Any:
    return ExpressionWrapper(expression, models.DecimalField(max_digits=14, decimal_places=2))


#: What a queryset can compute, and a field has to be inferred for.
EXPRESSIONS: dict[str, Any] = {
    "a sum of columns": F("integer") + 1,
    "a product of decimals": _money(F("amount") * 2),
    "a difference of decimals": F("amount") - F("share"),
    "a constant number": Value(7),
    "a constant text": Value("it's 100 %"),
    "a constant decimal": Value(Decimal("2.50"), models.DecimalField(max_digits=5, decimal_places=2)),
    "a constant date": Value(dt.date(2024, 2, 29)),
    "a constant boolean": Value(True),
    "no value": Value(None, models.IntegerField()),
    "a case": Case(When(small__gt=0, then=Value("high")), default=Value("low")),
    "a case of decimals": Case(When(flag=True, then=F("amount")), default=Value(None)),
    "a condition": ExpressionWrapper(Q(small__gt=0), models.BooleanField()),
    "a condition that may be unknown": Q(small__gt=0),
    "what exists": Exists(Product.objects.filter(pk=OuterRef("product_id"))),
    "a subquery": Subquery(Product.objects.filter(pk=OuterRef("product_id")).values("price")[:1]),
    "a column of another table": F("product__name"),
    "a decimal of another table": F("product__price"),
    "a default": Coalesce("characters", Value("none")),
    "a default of decimals": Coalesce("amount", Value(Decimal(0))),
    "a default of dates": Coalesce("day", Value(dt.date(2000, 1, 1))),
    "joined texts": Concat("slug", Value("/"), "chosen"),
    "capitals": Upper("characters"),
    "small letters": Lower("email"),
    "a part of a text": Substr("characters", 1, 3),
    "a length": Length("characters"),
    "an absolute number": Abs("ratio"),
    "a rounded decimal": Round("share", precision=2),
    "the greater one": Greatest("small", "positive_small", output_field=models.IntegerField()),
    "nothing if equal": NullIf("chosen", Value("a")),
    "a number as text": Cast("small", models.CharField(max_length=20)),
    "a text as number": Cast(Value("12"), models.IntegerField()),
    "a moment as date": TruncDate("moment", tzinfo=UTC),
    "a month": Cast(TruncMonth("day"), models.DateField()),
    "a year": ExtractYear("day"),
    "a key of a document": KT("document__city"),
    "a value of a document": F("document__deep"),
    "a renamed column": F("amount"),
    "a renamed moment": F("moment"),
    "a renamed document": F("document"),
    "a renamed identifier": F("identifier"),
    "a renamed boolean": F("flag"),
    "a renamed duration": F("span"),
    "the number of the row": models.Window(RowNumber(), order_by="id"),
}

#: What a queryset can compute of all rows of a group.
AGGREGATES: dict[str, Any] = {
    "how many": Count("id"),
    "how many of them": Count("id", filter=Q(small__gt=0)),
    "how many different": Count("chosen", distinct=True),
    "a sum of integers": Sum("small"),
    "a sum of decimals": Sum("amount"),
    "a mean of integers": Avg("small"),
    "a mean of decimals": Avg("share"),
    "the first date": Min("day"),
    "the last moment": Max("moment"),
    "the smallest text": Min("slug"),
    "the largest decimal": Max("amount"),
    "the longest duration": Max("span"),
    "the largest of sums": Coalesce(Sum("positive_small"), 0),
}
