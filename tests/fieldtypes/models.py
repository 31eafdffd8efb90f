"""A table for every class of field that Django has, and the rows to put into it."""

from __future__ import annotations

import datetime as dt
import inspect
import pkgutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any

import django.contrib.postgres
from django.contrib.postgres import fields as postgres
from django.contrib.postgres.search import SearchQueryField, SearchVectorField
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange, NumericRange

UTC = dt.timezone.utc


@dataclass(frozen=True)
class Case:
    """A table whose column is of one class of field.

    Attributes:
        field: the class.
        model: the table.
        rows: what to put into it.
        column: the name of the field.
        nullable: the name of the field that some row has NULL in; "" where there can be none.
        extension: what the server has to have.
    """

    field: type
    model: Any
    rows: Sequence[dict[str, Any]]
    column: str = "value"
    nullable: str = "nullable"
    extension: str = ""

    @property
    def label(self) -> str:
        """The class; of an array also what it is of."""
        return label_of(self.model._meta.get_field(self.column))

    @property
    def key(self) -> list[str]:
        """The fields that identify a row."""
        return [field.name for field in self.model._meta.pk_fields]


def label_of(field: Any) -> str:
    """Return the class of a field; of an array also what it is of."""
    base = getattr(field, "base_field", None)
    inside = f"({label_of(base)})" if isinstance(field, postgres.ArrayField) else ""
    return type(field).__name__ + inside


class Target(models.Model):
    """What the foreign keys lead to."""

    code = models.CharField(max_length=10, unique=True)


def _table(name: str, meta: dict[str, Any] | None = None, **fields: Any) -> Any:
    said = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "fieldtypes", **(meta or {})})}
    return type(name, (models.Model,), {**said, **fields})


def _case(make: Callable[..., Any], *values: Any, name: str = "", extension: str = "") -> Case:
    """Return a table of two such columns, the second of which may be NULL, and a row for each value."""
    value, nullable = make(), make(null=True)
    # Where the extension is missing, so would the type be that `migrate` creates the table with.
    meta = {"managed": False} if extension else None
    model = _table(name or f"{type(value).__name__}Row", meta, value=value, nullable=nullable)
    rows = [{"value": each, "nullable": each} for each in values]
    return Case(type(value), model, [*rows, {"value": values[0], "nullable": None}], extension=extension)


def _auto(field: type) -> Case:
    model = _table(f"{field.__name__}Row", value=field(primary_key=True))
    return Case(field, model, [{}, {}, {"value": 2**15 - 1}], nullable="")


def _array(base: Any, *values: Any, name: str) -> Case:
    return _case(lambda **null: postgres.ArrayField(base, **null), *values, name=name)


class _Backwards(models.CharField):
    """A field of a project's own, which makes something else of what the database has."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value and value[::-1]

    def get_prep_value(self, value: Any) -> Any:
        return value and super().get_prep_value(value)[::-1]


_TEXTS = ("plain", "", "  spaces  ", "100 % 'quoted' \"twice\" \\ %s", "ß\n\t漢字 🙂")
_MOMENTS = (
    dt.datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    dt.datetime.min.replace(tzinfo=UTC),
    dt.datetime.max.replace(tzinfo=UTC),
)

CASES = [
    _auto(models.AutoField),
    _auto(models.BigAutoField),
    _auto(models.SmallAutoField),
    _case(models.IntegerField, 7, 0, -(2**31), 2**31 - 1),
    _case(models.BigIntegerField, 7, 0, -(2**63), 2**63 - 1),
    _case(models.SmallIntegerField, 7, 0, -(2**15), 2**15 - 1),
    _case(models.PositiveIntegerField, 7, 0, 2**31 - 1),
    _case(models.PositiveBigIntegerField, 7, 0, 2**63 - 1),
    _case(models.PositiveSmallIntegerField, 7, 0, 2**15 - 1),
    _case(lambda **null: models.CharField(max_length=40, **null), *_TEXTS, "x" * 40),
    _case(models.TextField, *_TEXTS, "x" * 100_000),
    _case(models.EmailField, "ann@example.com", ""),
    _case(models.SlugField, "a-slug", ""),
    _case(models.URLField, "https://example.com/?a=%20", ""),
    _case(lambda **null: models.FilePathField(path="/usr", **null), "/usr/share", ""),
    _case(lambda **null: models.FileField(upload_to="files", **null), "files/a.txt", ""),
    _case(lambda **null: models.ImageField(upload_to="images", **null), "images/a.png", ""),
    _case(models.DateField, dt.date(2024, 2, 29), dt.date.min, dt.date.max),
    _case(models.TimeField, dt.time(12, 30), dt.time.min, dt.time.max),
    _case(models.DateTimeField, *_MOMENTS),
    _case(
        models.DurationField,
        dt.timedelta(days=1, hours=2, microseconds=3),
        dt.timedelta(0),
        dt.timedelta(days=-999_999),
        dt.timedelta(days=999_999, hours=23, microseconds=999_999),
    ),
    _case(
        lambda **null: models.DecimalField(max_digits=30, decimal_places=10, **null),
        Decimal("1.5"),
        Decimal(0),
        Decimal("-99999999999999999999.9999999999"),
        Decimal("0.0000000001"),
    ),
    _case(models.FloatField, 0.1, 0.0, -1.7976931348623157e308, 5e-324, float("inf")),
    _case(models.BooleanField, True, False),
    _case(models.BinaryField, b"bytes", b"", bytes(range(256))),
    _case(models.UUIDField, uuid.UUID(int=2**127 + 5), uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)),
    _case(
        models.JSONField, {"a": [1, 1.5, None, "ß"]}, {}, [], "", 0, False, {"deep": {"er": [{"x": -1e300}]}}
    ),
    _case(models.GenericIPAddressField, "192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::ff00:42"),
    Case(
        models.GeneratedField,
        _table(
            "GeneratedFieldRow",
            source=models.IntegerField(null=True),
            value=models.GeneratedField(
                expression=models.F("source") * 2,
                output_field=models.BigIntegerField(),
                db_persist=True,
                null=True,
            ),
        ),
        [{"source": 3}, {"source": 0}, {"source": -(2**30)}, {"source": None}],
        nullable="value",
    ),
    Case(
        models.ForeignKey,
        _table(
            "ForeignKeyRow",
            value=models.ForeignKey(Target, on_delete=models.CASCADE, related_name="+"),
            nullable=models.ForeignKey(Target, on_delete=models.CASCADE, null=True, to_field="code"),
        ),
        [
            {"value_id": 1, "nullable_id": "one"},
            {"value_id": 2, "nullable_id": None},
            {"value_id": 1, "nullable_id": "two"},
        ],
    ),
    Case(
        models.OneToOneField,
        _table(
            "OneToOneFieldRow",
            value=models.OneToOneField(Target, on_delete=models.CASCADE, related_name="+"),
            nullable=models.OneToOneField(Target, on_delete=models.CASCADE, null=True),
        ),
        [{"value_id": 1, "nullable_id": 2}, {"value_id": 2, "nullable_id": None}],
    ),
    Case(
        models.CompositePrimaryKey,
        _table(
            "CompositePrimaryKeyRow",
            pk=models.CompositePrimaryKey("tenant", "number"),
            tenant=models.CharField(max_length=10),
            number=models.IntegerField(),
        ),
        [{"tenant": "a", "number": 1}, {"tenant": "a", "number": 2}, {"tenant": "", "number": 1}],
        column="pk",
        nullable="",
    ),
    Case(
        models.OrderWrt,
        _table(
            "OrderWrtRow",
            {"order_with_respect_to": "owner"},
            owner=models.ForeignKey(Target, on_delete=models.CASCADE, related_name="+"),
        ),
        [{"owner_id": 1}, {"owner_id": 1}, {"owner_id": 2}],
        column="_order",
        nullable="",
    ),
    _array(models.IntegerField(), [1, 2], [], [None, -(2**31)], name="IntegerArrayRow"),
    _array(
        models.CharField(max_length=20), ["a", "b"], [], ["", None, "NULL", 'x"{},\\'], name="TextArrayRow"
    ),
    _array(models.DateTimeField(), list(_MOMENTS), [], [None], name="DateTimeArrayRow"),
    _array(
        models.DecimalField(max_digits=9, decimal_places=2), [Decimal("1.50")], [], name="DecimalArrayRow"
    ),
    _array(models.UUIDField(), [uuid.UUID(int=1)], [], name="UUIDArrayRow"),
    _array(
        postgres.ArrayField(models.IntegerField()), [[1, 2], [3, None]], [], [[0], [0]], name="NestedArrayRow"
    ),
    _case(
        postgres.HStoreField,
        {"a": "b", "c": None},
        {},
        {"": "", '"=>"': "\\ ß"},
        extension="hstore",
    ),
    _case(
        postgres.IntegerRangeField,
        NumericRange(1, 5),
        NumericRange(empty=True),
        NumericRange(None, None),
        NumericRange(-(2**31), 2**31 - 1),
    ),
    _case(
        postgres.BigIntegerRangeField,
        NumericRange(1, 5),
        NumericRange(empty=True),
        NumericRange(None, 2**63 - 1),
    ),
    _case(
        postgres.DecimalRangeField,
        NumericRange(Decimal("1.5"), Decimal("2.5")),
        NumericRange(empty=True),
        NumericRange(Decimal(0), None, "()"),
        NumericRange(Decimal("0.1"), Decimal("0.1"), "[]"),
    ),
    _case(
        postgres.DateRangeField,
        DateRange(dt.date(2024, 1, 1), dt.date(2024, 2, 1)),
        DateRange(empty=True),
        DateRange(None, dt.date.max),
    ),
    _case(
        postgres.DateTimeRangeField,
        DateTimeTZRange(_MOMENTS[0], _MOMENTS[2]),
        DateTimeTZRange(empty=True),
        DateTimeTZRange(_MOMENTS[1], None, "()"),
    ),
    _case(SearchVectorField, "'cat':1,3A 'rat':2", "", "'it''s':5"),
    _case(SearchQueryField, "'cat' & !'rat'", "", "'a' <-> 'b':*"),
    _case(lambda **null: _Backwards(max_length=9, **null), "abc", "", name="OwnFieldRow"),
]

#: What has no column of its own, or is there only for others to inherit.
NO_COLUMN = {
    models.Field: "the base of all",
    models.ForeignObject: "the base of foreign keys; it has no column",
    models.ManyToManyField: "its columns are those of a table between",
    postgres.RangeField: "the base of ranges",
    postgres.ranges.ContinuousRangeField: "the base of ranges",
}


def field_classes() -> set[type]:
    """Return every class of field that the installed Django has for a model of PostgreSQL's.

    Left out are those that Django refuses in a model, because it has removed them.
    """
    package = pkgutil.walk_packages(django.contrib.postgres.__path__, "django.contrib.postgres.")
    modules = [models, *(import_module(module.name) for module in package)]
    return {
        each
        for module in modules
        for each in vars(module).values()
        if inspect.isclass(each)
        and issubclass(each, models.Field)
        and not each.__name__.startswith("_")
        and each.system_check_removed_details is None
    }
