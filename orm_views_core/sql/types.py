"""What PostgreSQL calls a column's type, and the Django field that reads it. Pure.

https://www.postgresql.org/docs/current/datatype.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

_TYPE = re.compile(
    r"(?P<name>.*?)\s*(?:\((?P<size>[^()]*)\))?(?P<zone> with(?:out)? time zone)?(?P<array>(?:\[\d*\])*)",
    re.DOTALL,
)

#: The names of types whose values the driver hands over as the same kind of Python object.
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "integer": ("smallint", "int2", "integer", "int", "int4", "bigint", "int8", "oid"),
    # Three families, because arithmetic between a Decimal and a float raises, and so does a method of
    # Decimal on an int.
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
    # Django takes the driver's parsing off jsonb only: a JSONField on a column of json cannot be read.
    "jsonb": ("jsonb",),
    "hstore": ("hstore",),
    "integer range": ("int4range", "int8range"),
    "numeric range": ("numrange",),
    "date range": ("daterange",),
    "datetime range": ("tstzrange",),
    "search vector": ("tsvector",),
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names}

#: Elements of lists for which the drivers give a list; of other types they give PostgreSQL's text of it.
_IN_LISTS = frozenset(_FAMILIES) - {"hstore", "search vector"}

_FIELDS = {
    "smallint": "models.SmallIntegerField",
    "integer": "models.IntegerField",
    "bigint": "models.BigIntegerField",
    "oid": "models.BigIntegerField",
    "numeric": "models.DecimalField",
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
_COMMENTS = {
    "timestamp without time zone": "without time zone: its values are naive",
    "time with time zone": "with time zone: its values are aware",
    "json": "json: cast it to jsonb in the SQL for a JSONField",
    "money": "money: cast it to numeric in the SQL for a DecimalField",
}
#: For a number without a size, which a DecimalField has to have: room for all that one meets.
_DIGITS, _PLACES = 38, 10


class NamedType(NamedTuple):
    """A domain or an enum.

    Attributes:
        base: the type that a domain comes down to, without further domains; "" for an enum.
        labels: the values of an enum.
    """

    base: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldSource:
    """A field as it is written in a model.

    Attributes:
        call: the class, as it is called.
        arguments: what the type asks for.
        imports: the modules and the names that it needs of them.
        comment: what to say of it, or "".
    """

    call: str
    arguments: tuple[str, ...] = ()
    imports: tuple[tuple[str, str], ...] = (("django.db", "models"),)
    comment: str = ""

    def write(self, *further: str) -> str:
        """Return the source of the field, with further arguments."""
        return f"{self.call}({', '.join([*self.arguments, *further])})"


class _Type(NamedTuple):
    name: str
    size: tuple[int, ...]
    is_list: bool


def _parse(text: str) -> _Type:
    """Take apart what ``format_type`` or a field's ``db_type`` says."""
    match = _TYPE.fullmatch(text.strip())
    assert match is not None  # the name takes whatever the rest does not
    name = match["name"] if '"' in match["name"] else match["name"].lower()
    size = tuple(map(int, re.findall(r"-?\d+", match["size"] or "")))
    if name.startswith("interval"):  # "interval day to second"
        name = "interval"
    return _Type(name + (match["zone"] or ""), size, bool(match["array"]))


def bare_name(text: str) -> str:
    """Return the name of a type alone: without schema, quotes, size and brackets."""
    name = _parse(text).name
    quoted = re.search(r'(?:^|\.)"((?:[^"]|"")+)"$', name)
    return quoted[1].replace('""', '"') if quoted else name.rpartition(".")[2]


def _family(text: str, named: Mapping[str, NamedType]) -> str:
    """Return the family of a type; that of one that is not known is its own name."""
    kind = _parse(text)
    found = named.get(text)
    if found is not None and not kind.is_list:
        return _family(found.base, {}) if found.base else "text"
    name = bare_name(text)
    family = _FAMILY_OF.get(kind.name) or _FAMILY_OF.get(name)
    return f"{family or f'type {name}'}{'[]' if kind.is_list else ''}"


def is_known(text: str) -> bool:
    """Say whether a type is one of PostgreSQL's own that there is a field for, or a list of it."""
    kind = _parse(text)
    return kind.name in _FAMILY_OF or bare_name(text) in _FAMILY_OF


def fits(expected: str, actual: str, named: Mapping[str, NamedType] | None = None) -> bool:
    """Say whether a field reads a column rightly: what comes is the kind of object that it should be.

    Any width of integer will do, and any length of text. A number with decimals is no float, and a day is no
    moment.

    Args:
        expected: the type that the field would have in a table, from its ``db_type``.
        actual: the column's type.
        named: the domains and enums that either may be.
    """
    named = named or {}
    if bare_name(expected) == bare_name(actual) and _parse(expected).is_list == _parse(actual).is_list:
        return True
    family = _family(actual, named)
    if _family(expected, named) == family:
        return True
    # Whatever has no field of its own is read as what the driver makes of it, mostly a text.
    is_other = family.startswith("type ") or (family.endswith("[]") and family[:-2] not in _IN_LISTS)
    return is_other and _family(expected, named) == "text"


def field_for(text: str, named: Mapping[str, NamedType] | None = None) -> FieldSource:
    """Return the field that reads a column of a type.

    Args:
        text: what ``format_type`` says of it.
        named: the domains and enums that it may be.
    """
    found = (named or {}).get(text)
    if found is not None and found.base:
        inner = field_for(found.base)
        said = f"{bare_name(text)}, a domain"
        return FieldSource(inner.call, inner.arguments, inner.imports, inner.comment or said)
    if found is not None and found.labels:
        longest = max(map(len, found.labels))
        values = ", ".join(map(repr, found.labels))
        comment = f"{bare_name(text)}: {values}".replace("\n", " ")
        return FieldSource("models.CharField", (f"max_length={longest}",), comment=comment)
    kind = _parse(text)
    if not kind.is_list:
        return _single(kind, bare_name(text), text)
    single = text[: text.index("[", len(text.rstrip("[]0123456789")))]
    if _family(single, {}) not in _IN_LISTS:
        return _text(f"{text}: cast it to text[] in the SQL for an ArrayField")
    inner = field_for(single)
    imports = (*inner.imports, ("django.contrib.postgres.fields", "ArrayField"))
    return FieldSource("ArrayField", (inner.write(),), imports, inner.comment)


def _single(kind: _Type, bare: str, text: str) -> FieldSource:
    name = kind.name if kind.name in _FIELDS else bare
    comment = _COMMENTS.get(name, "")
    if name in {"character varying", "character", "name"} and (kind.size or name == "name"):
        length = kind.size[0] if kind.size else 63
        return FieldSource("models.CharField", (f"max_length={length}",))
    if _FAMILY_OF.get(name) == "text":
        return FieldSource("models.TextField")
    if name == "numeric":
        return _decimal(kind.size)
    call = _FIELDS.get(name)
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
    # Since PostgreSQL 15 a scale may be negative, and greater than the precision.
    places = max(scale, 0)
    digits = max(precision - min(scale, 0), places)
    return FieldSource("models.DecimalField", (f"max_digits={digits}", f"decimal_places={places}"))


def _text(comment: str) -> FieldSource:
    return FieldSource("models.TextField", comment=comment.replace("\n", " "))
