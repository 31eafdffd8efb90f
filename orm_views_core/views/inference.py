"""Infers the fields of a readable view from the columns of its queryset."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from django.core.checks import CheckMessage
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col, Exists, Value
from django.db.models.fields import AutoFieldMixin
from django.db.models.sql import Query
from django.db.models.sql.constants import LOUTER

from .converted import AnyField, convert, plain_class
from .keys import source_key
from .packaged import NotAutomatic, construct
from .querysets import OutputColumn, combined_parts, output_columns
from .reverse_relations import is_taken

#: Arguments of fields that are about a table or about other fields, such as keys and indexes.
_TABLE_ARGUMENTS = frozenset(
    {"auto_created", "db_column", "db_comment", "db_index", "db_tablespace", "height_field", "null"}
    | {"primary_key", "serialize", "unique", "width_field"}
)
_UNIQUE_FOR = ("unique_for_date", "unique_for_month", "unique_for_year")
#: Arguments of fields that are about new rows.
_WRITE_ARGUMENTS = frozenset({"auto_now", "auto_now_add", "blank", "db_default", "default", *_UNIQUE_FOR})
#: Arguments of a column's field that do not apply to what is computed from the column.
_COLUMN_ARGUMENTS = frozenset({"choices", "verbose_name", "help_text"})
#: The class of the inferred field, for Django's classes of automatic numbers.
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
#: The attributes of ``Model``, and those that Django and this package give to classes and rows besides.
_OF_ROWS = frozenset(
    {"_meta", "_parameterised_sql", "_prefetched_objects_cache", "_state"}
    | {*dir(models.Model), *dir(type(models.Model))}
)
#: What was made for a model's field, by its id, with that field. It is copied for each view, as Django copies
#: the fields of an abstract model.
_made: dict[tuple[int, bool, bool], tuple[AnyField, AnyField]] = {}
#: For a decimal whose length Django does not know: the limit of NUMERIC, and enough decimal places to show.
_DIGITS, _PLACES = 1000, 10


class Inferred(NamedTuple):
    """The fields and the key that were inferred from a queryset.

    Attributes:
        names: the names of its columns.
        fields: the inferred fields by attribute name, one for each column without a declared field.
        automatic: the names of the fields whose values the table makes.
        unique_together: the names of fields whose values are unique together, as they are in the table.
        nullable: the columns that come from a nullable column or through an outer join.
        problems: by column, why no field can be inferred.
        key: the columns that are the source model's key, if that key identifies a row of the view.
        no_key: why there is no key; "" if there is one.
    """

    names: frozenset[str] = frozenset()
    fields: Mapping[str, AnyField] = MappingProxyType({})
    automatic: frozenset[str] = frozenset()
    unique_together: tuple[tuple[str, ...], ...] = ()
    nullable: frozenset[str] = frozenset()
    problems: Mapping[str, str] = MappingProxyType({})
    key: tuple[str, ...] = ()
    no_key: str = ""


def infer(
    query: Query,
    model_name: str,
    app_label: str,
    declared: Mapping[str, str],
    is_reserved: Callable[[str], bool] = lambda name: False,
    *,
    updatable: bool = False,
) -> Inferred:
    """Infer the fields of a view from its queryset. All models must be loaded.

    Args:
        query: the queryset's query.
        model_name: the name of the view's class.
        app_label: the label of its app.
        declared: the names of the fields that the class declares, by column.
        is_reserved: returns whether no field may have a name.
        updatable: whether new rows are written, so that defaults and the like are needed.
    """
    columns = output_columns(query)
    nullable: set[str] = set()
    taken = set(declared.values())
    fields: dict[str, AnyField] = {}
    by_column = dict(declared)
    automatic: set[str] = set()
    problems: dict[str, str] = {}
    for column, null in zip(columns, _nullable(query, columns), strict=True):
        if null and not _is_computed(column.expression):
            nullable.add(column.name)
        if column.name in declared:
            continue
        try:
            field = _field(column, null, updatable)
        except Exception as error:  # noqa: BLE001 - an expression may be the project's and raise anything
            problems[column.name] = f"{type(error).__name__}: {error}"
            continue
        name = _attribute_name(column, field, taken, is_reserved)
        taken.add(name)
        fields[name] = field
        by_column[column.name] = name
        field.db_column = None if column.name == attname(name, field) else column.name
        if isinstance(column.field, AutoFieldMixin):
            automatic.add(name)
    counter = models.Field.creation_counter
    models.Field.creation_counter += len(fields)
    for number, (name, field) in enumerate(fields.items(), counter):
        field.creation_counter = number  # Django keeps the fields in the order of these
        for word in _UNIQUE_FOR if updatable else ():
            if getattr(field, word) not in taken:  # the view does not have that date
                setattr(field, word, None)
        if isinstance(field, models.ForeignKey):
            fields[name] = _with_accessor(name, fields, model_name, app_label)
    source = source_key(query, columns)
    for unique in source.unique:
        if len(unique) == 1 and by_column.get(unique[0]) in fields:
            make_unique(fields[by_column[unique[0]]])
    return Inferred(
        names=frozenset(column.name for column in columns),
        fields=fields,
        automatic=frozenset(automatic),
        unique_together=tuple(
            tuple(by_column[column] for column in unique)
            for unique in source.unique
            if len(unique) > 1 and by_column.keys() >= set(unique)
        ),
        nullable=frozenset(nullable),
        problems=problems,
        key=source.key,
        no_key=source.no_key,
    )


def make_unique(field: AnyField, *, key: bool = False) -> None:
    """Mark a field as unique, or as the primary key."""
    field.primary_key, field._unique = key, not key  # type: ignore[attr-defined]  # Django's private name
    if isinstance(field, models.ForeignKey):
        # fields.W342 advises a OneToOneField. Nobody wrote unique=True here.
        vars(field)["_check_unique"] = _no_messages


def attname(name: str, field: AnyField) -> str:
    """Return the name of the attribute that has the field's value."""
    return f"{name}_id" if isinstance(field, models.ForeignKey) else name


def _nullable(query: Query, columns: Sequence[OutputColumn]) -> list[bool]:
    """Return for each column of a query whether it may be NULL, according to the models."""
    if query.combinator:
        # The columns of a union have the names of its first part. They are nullable if those of any part are.
        parts = [_nullable(part, output_columns(part)) for part in combined_parts(query)]
        return [any(part) for part in zip(*parts, strict=True)]
    return [_may_be_null(column.expression, query) for column in columns]


def _is_computed(expression: Any) -> bool:
    """Return whether a column is computed, so that the models do not tell whether it can be NULL."""
    return not isinstance(expression, Col) or isinstance(expression.target, models.GeneratedField)


def _may_be_null(expression: Any, query: Query) -> bool:
    if not _is_computed(expression):
        join = query.alias_map.get(expression.alias)
        return bool(expression.target.null) or getattr(join, "join_type", None) == LOUTER
    if isinstance(expression, Value):
        return expression.value is None
    return not isinstance(expression, (models.Count, Exists))


def _field(column: OutputColumn, null: bool, updatable: bool) -> AnyField:
    """Return a field for a column, without a name. That of a model's field is made once, and copied."""
    if column.field is None:
        return _make_field(column, null, updatable)
    key = id(column.field), null, updatable
    if key not in _made:
        _made[key] = column.field, _make_field(column, null, updatable)
    return _made[key][1].__deepcopy__({})


def _make_field(column: OutputColumn, null: bool, updatable: bool) -> AnyField:
    """Return a field for a column, without a name."""
    expression, is_column = column.expression, column.field is not None
    source: Any = column.field if is_column else expression.output_field
    generated = isinstance(source, models.GeneratedField)
    if generated:
        source = source.output_field
    if is_column and isinstance(source, models.ForeignKey):
        return _foreign_key(source, null, updatable)
    while isinstance(source, models.ForeignKey):  # such as an aggregate of keys
        source = source.target_field
    _, path, args, kwargs = source.deconstruct()
    kwargs = _of_a_column(kwargs, is_column and updatable)
    cls: Any = plain_class(source)
    cls = _PLAIN.get(cls, cls)
    if cls is models.Field:  # such as that of RawSQL
        raise FieldError("its expression has no output_field")
    if not is_column:
        # For Django, a computed number has the type of its source. PostgreSQL may return a larger one.
        if cls in _NUMBERS:
            cls = models.BigIntegerField
        kwargs = {name: value for name, value in kwargs.items() if name not in _COLUMN_ARGUMENTS}
    if cls is models.CharField and kwargs.get("max_length") is None:
        cls = models.TextField
        kwargs.pop("max_length", None)
    if cls is models.DecimalField or "max_digits" in kwargs:
        digits, places = kwargs.get("max_digits"), kwargs.get("decimal_places")
        kwargs["max_digits"] = _DIGITS if digits is None or not is_column else digits
        kwargs["decimal_places"] = _PLACES if places is None else places
    field: Any = construct(source, cls, path, args, kwargs)
    field.null = null
    if generated:
        field.generated, field.editable, field.blank = updatable, False, True
    elif not updatable:
        field.blank = null or isinstance(field, NotAutomatic)
    if not is_column:
        convert(field, expression)
    return field  # type: ignore[no-any-return]


def _of_a_column(kwargs: Mapping[str, Any], updatable: bool) -> dict[str, Any]:
    """Return the arguments of a table's field that apply to the field of a view."""
    dropped = _TABLE_ARGUMENTS if updatable else _TABLE_ARGUMENTS | _WRITE_ARGUMENTS
    return {name: value for name, value in kwargs.items() if name not in dropped}


def _foreign_key(source: Any, null: bool, updatable: bool, related_name: str | None = None) -> AnyField:
    remote = source.remote_field
    # A foreign key's own deconstruct() asks all models whether one is swapped for its target.
    kwargs = _of_a_column(models.Field.deconstruct(source)[3], updatable)
    made: AnyField = models.ForeignKey(
        remote.model,
        **{"blank": null and not updatable, **kwargs},
        on_delete=models.DO_NOTHING,
        to_field=remote.field_name,
        db_constraint=False,
        null=null,
        limit_choices_to=remote.limit_choices_to if updatable else None,
        related_name=related_name,
    )
    # Its accessor was chosen so that it does not clash. Django's check would go through the foreign keys of
    # all other views to the same model. Whatever clashes with it later is reported for that field.
    vars(made)["_check_clashes"] = _no_messages
    return made


def _no_messages(**kwargs: Any) -> list[CheckMessage]:
    return []


def _attribute_name(
    column: OutputColumn, made: AnyField, taken: set[str], is_reserved: Callable[[str], bool]
) -> str:
    """Return the name of a column's field: that of the field that it comes from, or one like the column's."""
    if column.field is not None and column.name == column.field.column:
        name = str(column.field.name)
    else:
        name = column.name.removesuffix("_id") if isinstance(made, models.ForeignKey) else column.name
        # Remove what Django does not allow in the name of a field.
        name = re.sub(r"_{2,}", "_", re.sub(r"\W", "_", name)).rstrip("_") or "column"
        if name[0].isdigit():
            name = f"column_{name}"
    if name in _OF_ROWS or name.startswith("_view_") or is_reserved(name):
        name = f"{name}_field"  # such as save, or pk
    number, wanted = 1, name
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _with_accessor(name: str, fields: Mapping[str, AnyField], model_name: str, app_label: str) -> AnyField:
    """Return a foreign key. It gets a ``related_name`` if the default accessor would clash."""
    made = fields[name]
    remote: Any = made.remote_field
    target = remote.model
    same = [f for f in fields.values() if isinstance(f, models.ForeignKey) and f.remote_field.model is target]
    name_of_view = model_name.lower()
    label = f"{app_label}.{name_of_view}"  # of the same view, too, before its module was reloaded
    taken = any(is_taken(target, each, label) for each in (name_of_view, f"{name_of_view}_set"))
    if len(same) == 1 and not taken:
        return made
    renamed = _foreign_key(made, made.null, True, related_name=f"{app_label}_{name_of_view}_{name}")
    renamed.db_column = made.db_column
    renamed.creation_counter = made.creation_counter
    return renamed
