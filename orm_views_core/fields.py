"""The fields and the key that a readable view gets besides those that its class declares."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from .inference import AnyField, Inferred, infer
from .names import declared


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


def settle_fields(twin: Any) -> dict[str, Any]:
    """Return the attributes to add to a readable view's class: fields, a key, and ``_view_fields``.

    Args:
        twin: an abstract twin of the class, with the fields that it declares and inherits.
    """
    fields = {field.name: field for field in twin._meta.local_fields}
    columns = {field.column: field.name for field in fields.values() if field.column}
    inferred, error = _infer(twin, columns)
    added: dict[str, Any] = dict(inferred.fields) if inferred else {}
    key = [field.name for field in fields.values() if field.primary_key]
    problem = ""
    if not key and not any(isinstance(f, models.CompositePrimaryKey) for f in twin._meta.private_fields):
        wanted = _key_fields(twin, columns, added, inferred)
        if wanted:
            added |= _key(wanted, fields, added, bool(declared(twin, "updatable", False)))
        else:
            problem = _why_no_key(twin, inferred, error)
            added.pop("id", None)  # Django adds a key of that name to a model without one
    settled = Settled(inferred, error, problem, declares=bool(fields))
    return {**added, "_view_fields": settled}


def _infer(twin: Any, columns: Mapping[str, str]) -> tuple[Inferred | None, str]:
    """Ask the class for its queryset. What goes wrong is for a system check to report, and for a sync."""
    get_queryset = getattr(twin, "get_queryset", None)
    if get_queryset is None:
        return None, ""
    if not apps.models_ready:
        return None, "the class is created before all models are loaded; move it to a postgres_views module"
    try:
        query = get_queryset().query.clone()
        return infer(query, twin.__name__, twin._meta.app_label, columns), ""
    except NotImplementedError:
        return None, ""
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        return None, f"{type(error).__name__}: {error}"


def _key_fields(
    twin: Any, columns: Mapping[str, str], added: Mapping[str, AnyField], inferred: Inferred | None
) -> list[str]:
    """Return the names of the fields that identify a row, after ``pk_field`` or the source model's key."""
    by_column = {field.db_column or _attname(name, field): name for name, field in added.items()}
    by_column |= columns
    names = {*added, *columns.values()}
    pk_field = declared(twin, "pk_field")
    if pk_field:
        wanted = [pk_field] if isinstance(pk_field, str) else list(pk_field)
    else:
        wanted = list(inferred.key) if inferred else []
    found = [by_column.get(text, text if text in names else None) for text in wanted]
    return [] if None in found else [name for name in found if name]


def _attname(name: str, field: AnyField) -> str:
    return f"{name}_id" if isinstance(field, models.ForeignKey) else name


def _key(
    names: list[str], fields: Mapping[str, AnyField], added: Mapping[str, AnyField], updatable: bool
) -> dict[str, Any]:
    """Return the attributes that make some fields the key."""
    if len(names) > 1:
        every = {**fields, **added}
        return {"pk": models.CompositePrimaryKey(*(_attname(name, every[name]) for name in names))}
    name = names[0]
    field = added[name] if name in added else copy.deepcopy(fields[name])
    if updatable and name in added and type(field) in {models.BigIntegerField, models.IntegerField}:
        # The table that is written through gives new rows their numbers.
        auto = models.BigAutoField if type(field) is models.BigIntegerField else models.AutoField
        return {name: auto(primary_key=True, db_column=field.db_column, help_text=field.help_text)}
    field.primary_key = True
    field.null = field.blank = False
    return {name: field}


def _why_no_key(twin: Any, inferred: Inferred | None, error: str) -> str:
    pk_field = declared(twin, "pk_field")
    if pk_field:
        return f"its pk_field {pk_field!r} names no column that it has a field for"
    if inferred is None:
        return ""  # Django's own "id", if there is such a column: only the database can say
    return error or inferred.no_key
