"""The kinds of view classes, each in several versions: as first declared, changed, and wrong."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.expressions import RawSQL

from orm_views_core.views import (
    HiddenViewMixin,
    MaterialisedViewMixin,
    ReadableViewFromQueryset,
    ReadableViewFromSQL,
    ViewFromQueryset,
    ViewFromSQL,
)
from tests.engines.shop.models import Parcel


class Version(enum.Enum):
    """What a view selects of the parcels.

    Attributes:
        FIRST: two columns.
        WIDER: one more at their end, which no engine needs a new view for.
        OTHER: another one in the place of the second.
        WRONG: a column that there is not.
    """

    FIRST = ("id", "weight")
    WIDER = ("id", "weight", "shelf")
    OTHER = ("id", "shelf")
    WRONG = ("id", "nowhere")


#: Declares the class of a kind: with the columns of a version, and the attributes of the kind.
Declare = Callable[[str, tuple[str, ...], Mapping[str, Any]], type]

_FIELDS: dict[str, Callable[[], models.Field[Any, Any]]] = {
    "weight": models.IntegerField,
    "shelf": lambda: models.CharField(max_length=30),
    "nowhere": models.IntegerField,
}


@dataclass(frozen=True)
class Kind:
    """A kind of view class.

    Attributes:
        word: what the tests call it.
        make: declares it.
        attributes: those that its classes have.
        beneath: the SQL of a view that it reads; "" for none. That view is called ``bottom``.
        only: the parcel that it shows, if it does not show them all.
    """

    word: str
    make: Declare
    attributes: Mapping[str, Any] = field(default_factory=dict)
    beneath: str = ""
    only: int | None = None

    def __str__(self) -> str:
        return self.word

    @property
    def alias(self) -> str:
        """The database of its classes."""
        return self.attributes.get("database", DEFAULT_DB_ALIAS)

    def declare(
        self, version: Version = Version.FIRST, class_name: str = "Tested", **attributes: Any
    ) -> type:
        """Declare a version. It takes the place of another class of the same name."""
        apps.all_models["shop"].pop(class_name.lower(), None)
        if self.beneath:
            _from_sql((ViewFromSQL,), "Bottom", self.beneath, {"name": "bottom", "database": self.alias})
        return self.make(class_name, version.value, {**self.attributes, **attributes})

    def rows(self, version: Version = Version.FIRST) -> list[tuple[Any, ...]]:
        """Return what a version shows of the parcels."""
        parcels = Parcel.objects.using(self.alias).order_by("id").values_list(*version.value)
        return [row for row in parcels if self.only in (None, row[0])]


def _from_sql(bases: tuple[type, ...], name: str, sql: str, attributes: Mapping[str, Any]) -> type:
    return type(name, bases, {"__module__": __name__, "sql": sql, **attributes})


def from_sql(*bases: type, table: str = "shop_parcel") -> Declare:
    """Return what declares classes of SQL."""

    def make(name: str, columns: tuple[str, ...], attributes: Mapping[str, Any]) -> type:
        return _from_sql(bases, name, f"SELECT {', '.join(columns)} FROM {table}", attributes)

    return make


def readable_from_sql(name: str, columns: tuple[str, ...], attributes: Mapping[str, Any]) -> type:
    """Declare a readable class of SQL."""
    fields = {"id": models.BigIntegerField(primary_key=True)}
    fields |= {column: _FIELDS[column]() for column in columns if column != "id"}
    sql = f"SELECT {', '.join(columns)} FROM shop_parcel"
    meta = type("Meta", (), {"app_label": "shop"})
    return _from_sql((ReadableViewFromSQL,), name, sql, {"Meta": meta, **fields, **attributes})


def from_queryset(*bases: type, **filters: Any) -> Declare:
    """Return what declares classes of querysets."""

    def make(name: str, columns: tuple[str, ...], attributes: Mapping[str, Any]) -> type:
        def get_queryset(cls: type) -> Any:
            rows = Parcel.objects.filter(**filters)
            if "nowhere" in columns:
                rows = rows.annotate(nowhere=RawSQL("nowhere", (), models.IntegerField()))
            return rows.values(*columns)

        body = {"__module__": __name__, "get_queryset": classmethod(get_queryset), **attributes}
        if ReadableViewFromQueryset in bases:
            body["Meta"] = type("Meta", (), {"app_label": "shop"})
        return type(name, bases, body)

    return make


_PLAIN = from_sql(ViewFromSQL)

KINDS = [
    Kind("sql", _PLAIN),
    Kind("queryset", from_queryset(ViewFromQueryset)),
    Kind("queryset with values", from_queryset(ViewFromQueryset, shelf="o'neil 100%"), only=3),
    Kind("readable queryset", from_queryset(ReadableViewFromQueryset)),
    Kind("readable sql", readable_from_sql),
    Kind("hidden", from_sql(HiddenViewMixin, ViewFromSQL)),
    Kind("prefix", _PLAIN, {"prefix": "monthly"}),
    Kind("schema", _PLAIN, {"schema": "reports"}),
    Kind("odd name", _PLAIN, {"name": 'Größe "of" `it`\'s 100%'}),
    Kind("reader", from_sql(ViewFromSQL, table="views.bottom"), beneath="SELECT * FROM shop_parcel"),
    Kind("materialised", from_sql(MaterialisedViewMixin, ViewFromSQL)),
    Kind("readable materialised", from_queryset(MaterialisedViewMixin, ReadableViewFromQueryset)),
    Kind("second database", _PLAIN, {"database": "warehouse"}),
]
