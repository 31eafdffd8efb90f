"""PostgreSQL's names of column types, and the Django fields that read them.

https://www.postgresql.org/docs/current/datatype.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from orm_views_core.names import MAX_IDENTIFIER_BYTES

_TYPE = re.compile(
    r"(?P<name>.*?)\s*(?:\((?P<size>[^()]*)\))?(?P<zone> with(?:out)? time zone)?(?P<array>(?:\[\d*\])*)",
    re.DOTALL,
)

#: Families of types. For all types of a family, the driver returns the same kind of Python object.
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "integer": ("smallint", "int2", "integer", "int", "int4", "bigint", "int8", "oid"),
    # Numbers are three families: arithmetic between a Decimal and a float raises an error, and an int has no
    # methods of Decimal.
    "numeric": ("numeric", "decimal"),
    "float": ("real", "float4", "double precision", "float8", "float"),
    "boolean": ("boolean", "bool"),
    "text": ("text", "character varying", "varchar", "character", "char", "bpchar", "citext", "name"),
    "date": ("date",),
    "datetime": ("timestamp", "timestamptz", "timestamp with time zone", "timestamp without time zone"),
    "time": ("time", "timetz", "time with time zone", "time without time zone"),
    "interval": ("interval",),
    "uuid": ("uuid",),
    "inet": ("inet",),
    "binary": ("bytea",),
    # json is not in this family: Django disables the driver's parsing only for jsonb, so that a JSONField
    # cannot read a json column.
    "jsonb": ("jsonb",),
    "hstore": ("hstore",),
    "integer range": ("int4range", "int8range"),
    "numeric range": ("numrange",),
    "date range": ("daterange",),
    "datetime range": ("tstzrange",),
    "search vector": ("tsvector",),
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names}

#: Families of elements for which the drivers return an array as a list. For others, they return a string.
_IN_LISTS = frozenset(_FAMILIES) - {"hstore", "search vector"}

_FIELDS = {
    "smallint": "models.SmallIntegerField",
    "integer": "models.IntegerField",
    "bigint": "models.BigIntegerField",
    "oid": "models.BigIntegerField",
    "real": "models.FloatField",
    "double precision": "models.FloatField",
    "boolean": "models.BooleanField",
    "date": "models.DateField",
    "timestamp with time zone": "models.DateTimeField",
    "timestamp without time zone": "models.DateTimeField",
    "time with time zone": "models.TimeField",
    "time without time zone": "models.TimeField",
    "interval": "models.DurationField",
    "uuid": "models.UUIDField",
    "inet": "models.GenericIPAddressField",
    "bytea": "models.BinaryField",
    "jsonb": "models.JSONField",
    "hstore": "HStoreField",
    "int4range": "IntegerRangeField",
    "int8range": "BigIntegerRangeField",
    "numrange": "DecimalRangeField",
    "daterange": "DateRangeField",
    "tstzrange": "DateTimeRangeField",
    "tsvector": "SearchVectorField",
}
#: The types of these fields' columns in a table. PostgreSQL compares arrays of one type only.
_COLUMN_TYPES = {
    "models.FloatField": "double precision",
    "models.TimeField": "time without time zone",
    "models.DateTimeField": "timestamp with time zone",
    "models.BigIntegerField": "bigint",
    "models.TextField": "text",
    "models.CharField": "character varying",
}
_COMMENTS = {
    "timestamp without time zone": "without time zone: its values are naive",
    "time with time zone": "with time zone: its values are aware",
    "json": "json: cast it to jsonb in the SQL for a JSONField",
    "money": "money: cast it to numeric in the SQL for a DecimalField",
}
#: What SQLite, MariaDB and Django's tables there call types, and what PostgreSQL does.
_ELSEWHERE = {
    "tinyint": "smallint",
    "mediumint": "integer",
    "int": "integer",
    "float": "double precision",
    "double": "double precision",
    "real": "double precision",
    "bool": "boolean",
    "decimal": "numeric",
    "varchar": "character varying",
    "tinytext": "text",
    "mediumtext": "text",
    "longtext": "text",
    "datetime": "timestamp with time zone",
    "timestamp": "timestamp with time zone",
    "time": "time without time zone",
    "json": "jsonb",
    "blob": "bytea",
    "longblob": "bytea",
}
#: Django's BooleanField and UUIDField there.
_OF_DJANGO = {"tinyint(1)": "boolean", "char(32)": "uuid"}
#: For a numeric without a size: a DecimalField must have one. These are enough for most values.
_DIGITS, _PLACES = 38, 10


class NamedType(NamedTuple):
    """A domain or an enum.

    Attributes:
        base: the type of a domain that is not itself a domain; "" for an enum.
        labels: the values of an enum.
    """

    base: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldSource:
    """The source code of a field in a model.

    Attributes:
        call: the class of the field.
        arguments: the arguments that the type requires.
        imports: the modules and the names to import from them.
        comment: a comment on the field, or "".
    """

    call: str
    arguments: tuple[str, ...] = ()
    imports: tuple[tuple[str, str], ...] = (("django.db", "models"),)
    comment: str = ""

    def write(self, *further: str) -> str:
        """Return the source code of the field, with further arguments."""
        return f"{self.call}({', '.join([*self.arguments, *further])})"


class _Type(NamedTuple):
    name: str
    size: tuple[int, ...]
    is_list: bool


def _parse(text: str) -> _Type:
    """Parse a type as ``format_type`` or a field's ``db_type`` writes it."""
    match = _TYPE.fullmatch(text.strip())
    assert match is not None  # the name matches any text
    name = match["name"] if '"' in match["name"] else match["name"].lower()
    size = tuple(map(int, re.findall(r"-?\d+", match["size"] or "")))
    if name.startswith("interval"):  # "interval day to second"
        name = "interval"
    return _Type(name + (match["zone"] or ""), size, bool(match["array"]))


def bare_name(text: str) -> str:
    """Return the name of a type without schema, quotes, size and brackets."""
    name = _parse(text).name
    quoted = re.search(r'(?:^|\.)"((?:[^"]|"")+)"$', name)
    return quoted[1].replace('""', '"') if quoted else name.rpartition(".")[2]


def _family(text: str, named: Mapping[str, NamedType]) -> str:
    """Return the family of a type. An unknown type is a family of its own."""
    kind = _parse(text)
    custom = named.get(text)
    if custom is not None and not kind.is_list:
        return _family(custom.base, {}) if custom.base else "text"
    name = bare_name(text)
    family = _FAMILY_OF.get(name, f"type {name}")
    return f"{family}[]" if kind.is_list else family


def is_known(text: str) -> bool:
    """Return whether a type, or the type of an array's elements, is a built-in type with a family."""
    return bare_name(text) in _FAMILY_OF


def fits(expected: str, actual: str, named: Mapping[str, NamedType] | None = None) -> bool:
    """Return whether the values of a column are of the kind of object that a field expects.

    The size of an integer and the length of a text do not matter. A numeric is not a float, and a date is not
    a timestamp.

    Args:
        expected: the type that the field would have in a table, from its ``db_type``.
        actual: the column's type.
        named: the known domains and enums.
    """
    named = named or {}
    if bare_name(expected) == bare_name(actual) and _parse(expected).is_list == _parse(actual).is_list:
        return True
    family = _family(actual, named)
    if _family(expected, named) == family:
        return True
    # A type without a field is read as what the driver returns, which is mostly a string.
    is_other = family.startswith("type ") or (family.endswith("[]") and family[:-2] not in _IN_LISTS)
    return is_other and _family(expected, named) == "text"


def field_for(text: str, named: Mapping[str, NamedType] | None = None) -> FieldSource:
    """Return the field that reads a column of a type.

    Args:
        text: the type as ``format_type`` writes it.
        named: the known domains and enums.
    """
    custom = (named or {}).get(text)
    if custom is not None and custom.base:
        field = field_for(custom.base)
        return replace(field, comment=field.comment or f"{bare_name(text)}, a domain")
    if custom is not None and custom.labels:
        longest = max(map(len, custom.labels))
        comment = f"{bare_name(text)}: {', '.join(map(repr, custom.labels))}".replace("\n", " ")
        return FieldSource("models.CharField", (f"max_length={longest}",), comment=comment)
    kind = _parse(text)
    if not kind.is_list:
        return _single(bare_name(text), kind.size, text)
    element = text[: text.index("[", len(text.rstrip("[]0123456789")))]
    if _family(element, {}) not in _IN_LISTS:
        return _text(f"{text}: cast it to text[] in the SQL for an ArrayField")
    field = field_for(element)
    imports = (*field.imports, ("django.contrib.postgres.fields", "ArrayField"))
    comment, stored = field.comment, _COLUMN_TYPES.get(field.call)
    if stored and bare_name(element) != stored:
        comment = f"{text}: to filter by it, cast it to {stored}[] in the SQL"
    return replace(field, call="ArrayField", arguments=(field.write(),), imports=imports, comment=comment)


def field_elsewhere(text: str) -> FieldSource:
    """Return the field that reads a column of a type of SQLite or MariaDB.

    Args:
        text: the type as the engine writes it; "" where it knows none, as for an expression on SQLite.
    """
    if not text:
        return _text("the database gives it no type: choose a field")
    kind = _parse(text.lower().replace(" unsigned", ""))
    size = f"({','.join(map(str, kind.size))})" if kind.size else ""
    known = _OF_DJANGO.get(kind.name + size) or _ELSEWHERE.get(kind.name, kind.name) + size
    return field_for(known)


def _single(name: str, size: tuple[int, ...], text: str) -> FieldSource:
    length = MAX_IDENTIFIER_BYTES if name == "name" else next(iter(size), None)
    if name in {"character varying", "character", "name"} and length is not None:
        return FieldSource("models.CharField", (f"max_length={length}",))
    if _FAMILY_OF.get(name) == "text":
        return FieldSource("models.TextField")
    if name == "numeric":
        return _decimal(size)
    call, comment = _FIELDS.get(name), _COMMENTS.get(name, "")
    if call is None:
        return _text(comment or text)
    if call.startswith("models."):
        return FieldSource(call, comment=comment)
    module = "search" if call == "SearchVectorField" else "fields"
    return FieldSource(call, imports=((f"django.contrib.postgres.{module}", call),))


def _decimal(size: tuple[int, ...]) -> FieldSource:
    if not size:
        arguments = (f"max_digits={_DIGITS}", f"decimal_places={_PLACES}")
        return FieldSource("models.DecimalField", arguments, comment="numeric without a size: give it yours")
    precision, scale = size[0], (*size, 0)[1]
    # Since PostgreSQL 15, a scale may be negative, or greater than the precision.
    places = max(scale, 0)
    digits = max(precision - min(scale, 0), places)
    return FieldSource("models.DecimalField", (f"max_digits={digits}", f"decimal_places={places}"))


def _text(comment: str) -> FieldSource:
    return FieldSource("models.TextField", comment=comment.replace("\n", " "))
