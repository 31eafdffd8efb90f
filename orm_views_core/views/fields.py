"""The fields and the key that a readable view gets in addition to those that its class declares."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models
from django.db.models.fields import AutoFieldMixin
from django.db.models.fields.related import RelatedField

from orm_views_core.conf import view_files

from .converted import AnyField, plain_class
from .inference import Inferred, attname, infer, make_unique
from .options import OPTION_NAMES, ViewOptions
from .packaged import companions, without_companions
from .querysets import Selection, selection_of

#: The class of an automatic key, by the class of the field that is inferred for its column.
_AUTO_FIELDS: Mapping[type[AnyField], type[AnyField]] = {
    models.BigIntegerField: models.BigAutoField,
    models.IntegerField: models.AutoField,
    models.SmallIntegerField: models.SmallAutoField,
}


class Settled(NamedTuple):
    """How the fields of a readable view were determined, for the system checks.

    Attributes:
        inferred: what was inferred from its queryset; None without a queryset.
        error: why nothing could be inferred; "" if it could.
        problem: why it has no key; "" if it has one, or if only the database can tell.
        declares: whether the class, or a base class, declares any field.
        selection: how its queryset selects; None if nothing was inferred.
    """

    inferred: Inferred | None = None
    error: str = ""
    problem: str = ""
    declares: bool = False
    selection: Selection | None = None


def inherit_fields(view: Any) -> None:
    """Add the fields that a readable view inherits from abstract base classes.

    Django adds them too, except those with the name of an option of views: it takes such a field for one that
    the attribute overrides.
    """
    parents = [base for base in view.__bases__ if hasattr(base, "_meta")]
    if not any(base._meta.local_fields or base._meta.private_fields for base in parents):
        return
    taken = {field.name for field in (*view._meta.local_fields, *view._meta.private_fields)}
    hidden = set(vars(view)) - OPTION_NAMES
    for base in view.__mro__[1:]:
        if base in parents:
            for field in (*base._meta.local_fields, *base._meta.private_fields):
                if field.name not in taken | hidden:
                    taken.add(field.name)
                    view.add_to_class(field.name, copy.deepcopy(field))
        elif not _is_ours(base):
            hidden |= set(vars(base)) - OPTION_NAMES


def add_fields(view: Any) -> Settled:
    """Add the fields and the key that a readable view does not declare.

    Args:
        view: the class with the fields that it declares and inherits, before Django has chosen a key.
    """
    fields = {field.name: field for field in view._meta.local_fields}
    columns = {field.column: field.name for field in fields.values() if field.column}
    found = _infer(view, columns)
    inferred, error = found.inferred, found.error
    added = dict(inferred.fields) if inferred else {}
    key: models.Field[Any, Any] | None = None
    problem = ""
    if view._meta.pk is None:
        names = _key_fields(view, columns, added, inferred)
        if not names:
            problem = _why_no_key(view, inferred, error)
            added.pop("id", None)  # Django adds a key of that name to a model without one
        elif len(names) > 1:
            every = {**fields, **added}
            for name in added.keys() & set(names):  # no part of a key may be NULL
                added[name].null = added[name].blank = False
            key = models.CompositePrimaryKey(*(attname(name, every[name]) for name in names))
        elif names[0] in added:
            automatic = inferred.automatic if inferred and ViewOptions(view).updatable else ()
            added[names[0]] = _as_key(added[names[0]], automatic=names[0] in automatic)
        else:
            view._meta.setup_pk(_as_key(fields[names[0]]))
    brought = _settle_companions(added)
    for name, field in added.items():
        if name in brought:
            continue
        if isinstance(field, RelatedField):
            view.add_to_class(name, field)
        else:
            field.contribute_to_class(view, name)  # as add_to_class() does, after several questions
    if ViewOptions(view).updatable:
        for field in filter(attrgetter("generated"), added.values()):
            # Since Django 6.1: of which fields it is computed. Any of them may be one.
            vars(field)["referenced_fields"] = frozenset(view._meta.local_fields)
    if inferred:
        view._meta.unique_together = inferred.unique_together
    if key:
        view.add_to_class("pk", key)
    return found._replace(problem=problem, declares=bool(fields))


def _infer(view: Any, columns: Mapping[str, str]) -> Settled:
    """Infer fields from the class's queryset. A system check and a sync report the error, if there is one."""
    get_queryset = getattr(view, "get_queryset", None)
    if get_queryset is None:
        return Settled()
    if not apps.models_ready:
        return Settled(error=f"the class is created before all models are loaded; move it to {view_files()}")
    try:
        queryset = get_queryset()
        label, updatable = view._meta.app_label, ViewOptions(view).updatable
        inferred = infer(
            queryset.query, view.__name__, label, columns, partial(_is_reserved, view), updatable=updatable
        )
        return Settled(inferred, selection=selection_of(queryset))
    except NotImplementedError:
        return Settled()
    except Exception as error:  # noqa: BLE001 - get_queryset() is the project's code and may raise anything
        return Settled(error=f"{type(error).__name__}: {error}")


def _key_fields(
    view: Any, columns: Mapping[str, str], added: Mapping[str, AnyField], inferred: Inferred | None
) -> list[str]:
    """Return the names of the fields that identify a row, from ``pk_field`` or the model's key."""
    wanted = ViewOptions(view).key or (inferred.key if inferred else ())
    if not wanted:
        return []
    names = [_named(word, columns, added) for word in wanted]
    return names if all(names) else []


def _named(word: str, columns: Mapping[str, str], added: Mapping[str, AnyField]) -> str:
    """Return the name of the field of a column, or of that name; "" if there is none."""
    if word in columns:
        return columns[word]
    for name, field in added.items():
        if word == (field.db_column or attname(name, field)):
            return name
    return word if word in added or word in columns.values() else ""


def _as_key(field: AnyField, *, automatic: bool = False) -> AnyField:
    """Make a field the primary key.

    Args:
        automatic: whether new rows get their numbers from the table that the view writes to.
    """
    cls = plain_class(field)
    if automatic and cls in _AUTO_FIELDS:
        kwargs = models.Field.deconstruct(field)[3]
        said = {word: kwargs[word] for word in ("db_column", "help_text", "verbose_name") if word in kwargs}
        made = _AUTO_FIELDS[cls](**said)
        made.creation_counter = field.creation_counter
        field = made
    elif automatic:
        field.__class__ = cls  # a subclass of AutoField of another package
    field.null = False
    field.blank = isinstance(field, AutoFieldMixin)
    make_unique(field, key=True)
    return field


def _settle_companions(added: dict[str, AnyField]) -> set[str]:
    """Return the names of the inferred fields that other ones bring along, as an amount its currency.

    A field whose companions have no columns in the view becomes one of Django's class.
    """
    brought: set[str] = set()
    for name, field in added.items():
        beside = companions(field, name)
        if not beside:
            continue
        if added.keys() >= set(beside):
            brought.update(beside)
        else:
            added[name] = without_companions(field)
    return brought


def _is_reserved(view: Any, name: str) -> bool:
    """Return whether a class or a base class of the project has an attribute. No field may replace it."""
    if name in OPTION_NAMES:
        return False
    if name in ("get_queryset", "get_refresh_sql"):
        return True
    if name == "objects" and not view._meta.managers:  # a class with a manager of another name has none
        return True
    for base in view.__mro__:
        value = base.__dict__.get(name)
        if value is not None and not hasattr(value, "field") and not _is_ours(base):
            return True
    return False


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "orm_views_core"


def _why_no_key(view: Any, inferred: Inferred | None, error: str) -> str:
    if pk_field := ViewOptions(view).pk_field:
        return f"its pk_field {pk_field!r} names no column that it has a field for"
    if inferred is None:
        return ""  # Django adds the key "id"; only the database knows whether the view has such a column
    return error or inferred.no_key
