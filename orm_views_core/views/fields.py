"""The fields and the key that a readable view gets besides those that its class declares."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from orm_views_core.names import READ_PAST_FIELDS, declared

from .inference import AnyField, Inferred, infer

#: What is numbered by its table, after what the column is for whoever only reads it.
_NUMBERED: Mapping[type[AnyField], type[AnyField]] = {
    models.BigIntegerField: models.BigAutoField,
    models.IntegerField: models.AutoField,
    models.SmallIntegerField: models.SmallAutoField,
}


@dataclass(frozen=True)
class Settled:
    """How the fields of a readable view came about, for the system checks.

    Attributes:
        inferred: what its queryset says; None where it has none.
        error: why the queryset could not be asked, in words; "" when it could.
        problem: what is wrong with its key, in words; "" when it has one, or may have.
        declares: whether the class, or a base of it, declares any field.
    """

    inferred: Inferred | None = None
    error: str = ""
    problem: str = ""
    declares: bool = False


def inherit_fields(view: Any) -> None:
    """Add the fields of a readable view's abstract bases.

    Django would too, but for those that are called as an attribute of ours: it takes such a field for one
    that is overridden.
    """
    parents = [base for base in view.__bases__ if hasattr(base, "_meta")]
    taken = {field.name for field in (*view._meta.local_fields, *view._meta.private_fields)}
    hidden = set(vars(view)) - READ_PAST_FIELDS
    for base in view.__mro__[1:]:
        if base in parents:
            for field in (*base._meta.local_fields, *base._meta.private_fields):
                if field.name not in taken | hidden:
                    taken.add(field.name)
                    view.add_to_class(field.name, copy.deepcopy(field))
        elif not _is_ours(base):
            hidden |= set(vars(base)) - READ_PAST_FIELDS


def settle_fields(view: Any) -> Settled:
    """Add the fields and the key that a readable view does not declare.

    Args:
        view: its class, with the fields that it declares and inherits, before Django has settled on a key.
    """
    fields = {field.name: field for field in view._meta.local_fields}
    columns = {field.column: field.name for field in fields.values() if field.column}
    inferred, error = _infer(view, columns)
    added = dict(inferred.fields) if inferred else {}
    key: models.Field[Any, Any] | None = None
    problem = ""
    if view._meta.pk is None:
        wanted = _key_fields(view, columns, added, inferred)
        if not wanted:
            problem = _why_no_key(view, inferred, error)
            added.pop("id", None)  # Django adds a key of that name to a model without one
        elif len(wanted) > 1:
            every = {**fields, **added}
            for name in added.keys() & set(wanted):  # no part of a key may be NULL
                added[name].null = added[name].blank = False
            key = models.CompositePrimaryKey(*(_attname(name, every[name]) for name in wanted))
        elif wanted[0] in added:
            added[wanted[0]] = _as_key(added[wanted[0]], bool(declared(view, "updatable", False)))
        else:
            view._meta.setup_pk(_as_key(fields[wanted[0]]))
    for name, field in added.items():
        view.add_to_class(name, field)
    if key:
        view.add_to_class("pk", key)
    return Settled(inferred, error, problem, declares=bool(fields))


def _infer(view: Any, columns: Mapping[str, str]) -> tuple[Inferred | None, str]:
    """Ask the class for its queryset. What goes wrong is for a system check to report, and for a sync."""
    get_queryset = getattr(view, "get_queryset", None)
    if get_queryset is None:
        return None, ""
    if not apps.models_ready:
        return None, "the class is created before all models are loaded; move it to a postgres_views module"
    try:
        query = get_queryset().query.clone()
        return infer(query, view.__name__, view._meta.app_label, columns, _reserved(view)), ""
    except NotImplementedError:
        return None, ""
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        return None, f"{type(error).__name__}: {error}"


def _key_fields(
    view: Any, columns: Mapping[str, str], added: Mapping[str, AnyField], inferred: Inferred | None
) -> list[str]:
    """Return the names of the fields that identify a row, after ``pk_field`` or the source model's key."""
    by_column = {field.db_column or _attname(name, field): name for name, field in added.items()}
    by_column |= columns
    names = {*added, *columns.values()}
    pk_field = declared(view, "pk_field")
    if pk_field:
        wanted = [pk_field] if isinstance(pk_field, str) else list(pk_field)
    else:
        wanted = list(inferred.key) if inferred else []
    found = [by_column.get(text, text if text in names else None) for text in wanted]
    return [] if None in found else [name for name in found if name]


def _attname(name: str, field: AnyField) -> str:
    return f"{name}_id" if isinstance(field, models.ForeignKey) else name


def _as_key(field: AnyField, updatable: bool = False) -> AnyField:
    """Make a field the key."""
    if updatable and type(field) in _NUMBERED:
        # The table that is written through gives new rows their numbers.
        auto = _NUMBERED[type(field)](db_column=field.db_column, help_text=field.help_text, primary_key=True)
        auto.creation_counter = field.creation_counter
        return auto
    field.primary_key = True
    field.null = field.blank = False
    return field


def _reserved(view: Any) -> frozenset[str]:
    """Return the names that a class uses for something of its own; no inferred field may have them."""
    said = {
        name
        for base in view.__mro__
        if not _is_ours(base)
        for name, value in vars(base).items()
        if value is not None and not hasattr(value, "field")
    }
    return frozenset(said - READ_PAST_FIELDS | {"get_queryset", "get_refresh_sql", "objects"})


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == __package__.partition(".")[0].partition(".")[0]


def _why_no_key(view: Any, inferred: Inferred | None, error: str) -> str:
    pk_field = declared(view, "pk_field")
    if pk_field:
        return f"its pk_field {pk_field!r} names no column that it has a field for"
    if inferred is None:
        return ""  # Django's own "id", if there is such a column: only the database can say
    return error or inferred.no_key
