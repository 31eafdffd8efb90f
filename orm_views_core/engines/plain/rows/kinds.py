"""What kind of values a column has, by the type that the engine declares for it."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import NamedTuple

from orm_views_core.database.relations import Column
from orm_views_core.database.rows import RowColumn


class Kind(enum.Enum):
    """How the values of a column are written and compared.

    Attributes:
        NUMBER: as numbers.
        BOOLEAN: 1 and 0.
        DAY: days as ISO 8601 has them.
        MOMENT: days with a time.
        TIME: times of a day.
        TEXT: texts.
        BINARY: bytes, which are shown in hexadecimal.
        ANY: whatever the value is. SQLite computes without types; other engines have types of their own.
    """

    NUMBER = "number"
    BOOLEAN = "boolean"
    DAY = "day"
    MOMENT = "moment"
    TIME = "time"
    TEXT = "text"
    BINARY = "binary"
    ANY = "any"


class KindColumn(NamedTuple):
    """A column as pages see it, and what kind of values it has."""

    column: RowColumn
    kind: Kind


#: The first kind whose pattern is found in a declared type. ``int`` comes last: ``point`` has it too.
_PATTERNS = (
    (Kind.BOOLEAN, r"^bool|^tinyint\(1\)"),
    (Kind.BINARY, r"blob|binary|^bit|geometry|point|linestring|polygon"),
    (Kind.MOMENT, r"^datetime|^timestamp"),
    (Kind.DAY, r"^date"),
    (Kind.TIME, r"^time"),
    (Kind.TEXT, r"char|text|clob|^json|^uuid|^enum|^set"),
    (Kind.NUMBER, r"int|^dec|^num|^real|^double|^float|^year"),
)
_WHOLE = re.compile(r"int|^year")
#: PostgreSQL's letter for the group of types, and the type whose values are written alike.
_ALIKE = {
    Kind.NUMBER: ("N", "numeric"),
    Kind.BOOLEAN: ("B", "boolean"),
    Kind.DAY: ("D", "date"),
    Kind.MOMENT: ("D", "timestamp without time zone"),
    Kind.TIME: ("D", "time without time zone"),
    Kind.TEXT: ("S", "text"),
    Kind.BINARY: ("", ""),
    Kind.ANY: ("", ""),
}
_UNKNOWN = "any"


def with_kinds(columns: Iterable[Column], *, orders_any: bool) -> dict[str, KindColumn]:
    """Return the columns of a view by their names, in their order.

    Args:
        columns: the columns, with the types that the engine declares.
        orders_any: whether the engine compares values of a type that is not known.
    """
    return {column.name: _with_kind(column, orders_any=orders_any) for column in columns}


def _with_kind(column: Column, *, orders_any: bool) -> KindColumn:
    declared = column.type.lower()
    kind = next((kind for kind, pattern in _PATTERNS if re.search(pattern, declared)), Kind.ANY)
    category, base = _ALIKE[kind]
    if kind is Kind.NUMBER and _WHOLE.search(declared):
        base = "integer"
    return KindColumn(
        RowColumn(
            column.name,
            column.type or _UNKNOWN,
            category=category,
            is_ordered=orders_any if kind is Kind.ANY else kind is not Kind.BINARY,
            base=base,
        ),
        kind,
    )
