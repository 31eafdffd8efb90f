"""The fields of a readable view, from the columns of its queryset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression, Col, Exists, Value
from django.db.models.sql import Query
from django.db.models.sql.constants import LOUTER

from .keys import source_key
from .querysets import OutputColumn, combined_parts, output_columns

AnyField: TypeAlias = "models.Field[Any, Any]"

#: What a field says of its table, of which a view has none: keys, defaults, indexes, and of other fields.
_OF_TABLES = frozenset(
    {
        "auto_created",
        "auto_now",
        "auto_now_add",
        "blank",
        "db_column",
        "db_comment",
        "db_default",
        "db_index",
        "db_tablespace",
    }
    | {"default", "height_field", "null", "primary_key", "serialize", "unique", "width_field"}
    | {"unique_for_date", "unique_for_month", "unique_for_year"}
)
_PLAIN: Mapping[type[AnyField], type[AnyField]] = {
    models.BigAutoField: models.BigIntegerField,
    models.SmallAutoField: models.SmallIntegerField,
    models.AutoField: models.IntegerField,
    models.OrderWrt: models.IntegerField,
}
_NUMBERS = {
    models.IntegerField,
    models.SmallIntegerField,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.PositiveBigIntegerField,
}
#: Of a number of which Django does not say how long it is: NUMERIC's own limit, and places enough to show.
_DIGITS, _PLACES = 1000, 10


@dataclass(frozen=True)
class Inferred:
    """What the columns of a queryset amount to as a model.

    Attributes:
        names: what its columns are called.
        fields: by attribute name, one for each column that no declared field has.
        columns: by column, the field that Django would have for it, also where one is declared.
        nullable: the columns that come from one that may be NULL, or from a table that may have no row.
        problems: by column, why no field can be had for it.
        key: the names of the columns that are the source model's key, if it still identifies a row.
        no_key: why there is none, in words; "" when there is.
    """

    names: frozenset[str] = frozenset()
    fields: Mapping[str, AnyField] = field(default_factory=dict)
    columns: Mapping[str, AnyField] = field(default_factory=dict)
    nullable: frozenset[str] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    no_key: str = ""


def infer(
    query: Query,
    model_name: str,
    app_label: str,
    declared: Mapping[str, str],
    reserved: frozenset[str] = frozenset(),
) -> Inferred:
    """Infer the fields of a view from its queryset. All models have to be loaded.

    Args:
        query: the queryset's query.
        model_name: the name of the view's class.
        app_label: the label of its app.
        declared: the names of the fields that the class declares, by column.
        reserved: the names that the class uses for something else.
    """
    columns, nullable = output_columns(query), _nullable(query)
    taken = set(declared.values())
    fields: dict[str, AnyField] = {}
    found: dict[str, AnyField] = {}
    problems: dict[str, str] = {}
    for column, null in zip(columns, nullable, strict=True):
        try:
            found[column.name] = made = _make_field(column.expression, null)
        except Exception as error:  # noqa: BLE001 - whatever an expression of the project's own raises
            problems[column.name] = f"{type(error).__name__}: {error}"
            continue
        if column.name not in declared:
            name = _attribute_name(column, made, taken, reserved)
            taken.add(name)
            fields[name] = made
            attname = f"{name}_id" if isinstance(made, models.ForeignKey) else name
            made.db_column = None if column.name == attname else column.name
    fields = {
        name: _in_order(_with_accessor(name, each, fields, model_name, app_label))
        for name, each in fields.items()
    }
    problems = {column: why for column, why in problems.items() if column not in declared}
    known = [
        c.name for c, null in zip(columns, nullable, strict=True) if null and not _is_computed(c.expression)
    ]
    names = frozenset(column.name for column in columns)
    return Inferred(names, fields, found, frozenset(known), problems, *source_key(query, columns))


def _nullable(query: Query) -> list[bool]:
    """Say of each column whether it may be NULL, as far as models tell."""
    if query.combinator:
        # The parts of a union are called after the first, and may be NULL where any of them is.
        parts = [_nullable(part) for part in combined_parts(query)]
        return [any(part) for part in zip(*parts, strict=True)]
    return [_may_be_null(column.expression, query) for column in output_columns(query)]


def _is_computed(expression: Any) -> bool:
    """Say whether a column is of values of which models do not tell whether they can be NULL."""
    return not isinstance(expression, Col) or isinstance(expression.target, models.GeneratedField)


def _may_be_null(expression: Any, query: Query) -> bool:
    if isinstance(expression, Col):
        if isinstance(expression.target, models.GeneratedField):
            return True
        join = query.alias_map.get(expression.alias)
        return bool(expression.target.null) or getattr(join, "join_type", None) == LOUTER
    if isinstance(expression, Value):
        return expression.value is None
    return not isinstance(expression, (models.Count, Exists))


def _make_field(expression: Any, null: bool) -> AnyField:
    """Return a field for a column, without a name."""
    is_column = isinstance(expression, Col)
    source: Any = expression.target if is_column else expression.output_field
    if isinstance(source, models.GeneratedField):
        source = source.output_field
    if is_column and isinstance(source, models.ForeignKey):
        return _foreign_key(source, null)
    while isinstance(source, models.ForeignKey):  # an aggregate of keys, say: a value like any other
        source = source.target_field
    _, _, args, kwargs = source.deconstruct()
    kwargs = {name: value for name, value in kwargs.items() if name not in _OF_TABLES}
    cls: Any = next((plain for auto, plain in _PLAIN.items() if isinstance(source, auto)), type(source))
    if cls is models.Field:  # of RawSQL, say
        raise FieldError("nothing says of which type its values are")
    if not is_column:
        # Of a value that is computed, Django says that it is like its source; PostgreSQL, that it is wider.
        if cls in _NUMBERS:
            cls = models.BigIntegerField
        kwargs.pop("choices", None)
        kwargs.pop("verbose_name", None)
        kwargs.pop("help_text", None)
    if cls is models.CharField and kwargs.get("max_length") is None:
        cls = models.TextField
        kwargs.pop("max_length", None)
    if cls is models.DecimalField:
        digits, places = kwargs.get("max_digits"), kwargs.get("decimal_places")
        kwargs["max_digits"] = _DIGITS if digits is None or not is_column else digits
        kwargs["decimal_places"] = _PLACES if places is None else places
    made: AnyField = cls(*args, null=null, blank=null, **kwargs)
    if not is_column:
        _read_as_computed(made, expression)
    return made


def _read_as_computed(made: Any, expression: Any) -> None:
    """Have a field make of its column's values what the queryset makes of them.

    The average of integers is a float to Django and NUMERIC to PostgreSQL; the month of a moment is a moment
    of the current time zone to Django, and a TIMESTAMP without one to PostgreSQL.
    """
    convert = getattr(expression, "convert_value", None)  # a condition has none
    if convert in (None, BaseExpression._convert_value_noop):  # type: ignore[attr-defined]
        return
    own = getattr(made, "from_db_value", None)

    def from_db_value(value: Any, column: Any, connection: BaseDatabaseWrapper) -> Any:
        value = convert(value, expression, connection)
        return own(value, column, connection) if own else value

    made.from_db_value = from_db_value


def _foreign_key(source: Any, null: bool) -> AnyField:
    remote = source.remote_field
    return models.ForeignKey(
        remote.model,
        on_delete=models.DO_NOTHING,
        to_field=remote.field_name,
        db_constraint=False,
        null=null,
        blank=null,
        help_text=source.help_text,
        verbose_name=source.deconstruct()[3].get("verbose_name"),
    )


def _attribute_name(column: OutputColumn, made: AnyField, taken: set[str], reserved: frozenset[str]) -> str:
    """Return what to call the field of a column: as the column, or as the field that it comes from."""
    name, expression = column.name, column.expression
    if isinstance(expression, Col) and column.name == expression.target.column:
        name = expression.target.name
    elif isinstance(made, models.ForeignKey):
        name = name.removesuffix("_id")
    # What Django refuses as the name of a field.
    name = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", name)).strip("_") or "column"
    if name[0].isdigit():
        name = f"column_{name}"
    if hasattr(models.Model, name) or name in reserved:  # save, delete, pk …
        name = f"{name}_field"
    number, wanted = 1, name
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _with_accessor(
    name: str, made: AnyField, fields: Mapping[str, AnyField], model_name: str, app_label: str
) -> AnyField:
    """Return a field; a foreign key with an accessor of its own where the usual one is not free."""
    if not isinstance(made, models.ForeignKey):
        return made
    target: Any = made.remote_field.model
    same = [f for f in fields.values() if isinstance(f, models.ForeignKey) and f.remote_field.model is target]
    usual = {model_name.lower(), f"{model_name.lower()}_set"}
    if len(same) == 1 and usual.isdisjoint(_names_on(target, model_name, app_label)):
        return made
    _, _, args, kwargs = made.deconstruct()
    kwargs["related_name"] = f"{app_label}_{model_name.lower()}_{name}"
    return type(made)(*args, **kwargs)


def _in_order(made: AnyField) -> AnyField:
    """Return a field that Django sorts behind those before it, whichever was made first."""
    made.creation_counter = models.Field.creation_counter
    models.Field.creation_counter += 1
    return made


def _names_on(target: Any, model_name: str, app_label: str) -> Iterator[str]:
    """Yield the names that lookups and attributes of a model have already."""
    for each in target._meta.get_fields():
        if isinstance(each, models.ForeignObjectRel):
            related = each.related_model._meta
            if (related.app_label, related.model_name) == (app_label, model_name.lower()):
                continue  # an earlier declaration of the same view
            yield each.get_accessor_name() or each.name
        yield each.name
