"""Which fields of models are personal: those that are marked, those of the setting, and keys to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.db.models.fields.related import ForeignKey

from orm_views_core.conf import get_settings
from orm_views_core.exceptions import PersonalFieldError
from orm_views_core.names import ViewName, parse_db_table
from orm_views_core.sentences import Sentence, listed, says

F = TypeVar("F", bound="Field[Any, Any]")

#: The attribute of a field that is marked.
ATTRIBUTE = "_orm_views_personal"
_used = False


def personal(field: F) -> F:
    """Mark a field of a model as personal. No migration comes of it.

    Args:
        field: the field, as the class statement of its model has it.

    Returns:
        the field itself.

    Raises:
        PersonalFieldError: it is no field of a model.

    Example:
        >>> from django.db import models
        >>> from orm_views_core.privacy import personal
        >>> class Broker(models.Model):
        ...     name = models.CharField(max_length=60)
        ...     email = personal(models.EmailField())
    """
    global _used
    if not isinstance(field, Field):
        raise PersonalFieldError(
            says(
                "personal() got %(field)r. Give it a field of a model: email = "
                "personal(models.EmailField()).",
                field=field,
            )
        )
    setattr(field, ATTRIBUTE, True)
    _used = True
    return field


def are_used() -> bool:
    """Return whether anything is marked, without looking at the models."""
    return _used or bool(get_settings().PERSONAL)


@dataclass(frozen=True)
class Mark:
    """A personal field.

    Attributes:
        label: ``app_label.Model.field``.
        table: the name of its table. The schema is "" if the model names none.
        column: the name of its column.
    """

    label: str
    table: ViewName
    column: str


def read_marks() -> tuple[Mark, ...]:
    """Return the personal fields of all models.

    A foreign key is personal if the field that it refers to is: it has the same values.

    Raises:
        PersonalFieldError: a field of the setting is unknown, or a field that is marked has no column.
    """
    marked = {*_marked_fields(), *map(_field_of, get_settings().PERSONAL)}
    keys = [field for model in _models() for field in _own_fields(model) if _is_key(field)]
    while found := {key for key in keys if key not in marked and key.target_field in marked}:
        marked |= found
    return tuple(sorted(map(_mark, marked), key=lambda mark: mark.label))


def _models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def _own_fields(model: type[Model]) -> Iterator[Any]:
    """Yield the fields that a model declares itself or has from an abstract one."""
    yield from model._meta.local_fields
    yield from model._meta.local_many_to_many
    yield from model._meta.private_fields


def _is_key(field: Any) -> bool:
    """Return whether a field is a foreign key. Django's checks name one whose model is unknown."""
    return isinstance(field, ForeignKey) and not isinstance(field.remote_field.model, str)


def _marked_fields() -> Iterator[Any]:
    for model in _models():
        yield from (field for field in _own_fields(model) if getattr(field, ATTRIBUTE, False))


def _field_of(name: str) -> Any:
    """Return the field that the setting names."""
    app_label, model_name, field_name = name.split(".")
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        known = sorted(m.__name__ for m in _models() if m._meta.app_label == app_label)
        if not known:
            what = says("there is no app %(app)r. Write app_label.Model.field.", app=app_label)
        else:
            what = says(
                "app %(app)r has no model %(model)r. Its models are %(names)s.",
                app=app_label,
                model=model_name,
                names=listed(known),
            )
        raise _wrong(name, what) from None
    if model._meta.swapped:
        other = f"{model._meta.swapped}.{field_name}"
        what = says(
            "%(model)s is swapped out. Name the field of its substitute: %(field)s.",
            model=model._meta.label,
            field=other,
        )
        raise _wrong(name, what)
    try:
        field: Any = model._meta.get_field(field_name)
    except FieldDoesNotExist:
        what = says(
            "%(model)s has no field %(field)r. Its fields are %(fields)s.",
            model=model._meta.label,
            field=field_name,
            fields=listed(sorted(each.name for each in _own_fields(model))),
        )
        raise _wrong(name, what) from None
    if field.auto_created and not field.concrete:
        what = says("%(field)r is the other side of a relation. Name its field.", field=field_name)
        raise _wrong(name, what)
    return field


def _wrong(name: str, what: Sentence) -> PersonalFieldError:
    return PersonalFieldError(says("ORM_VIEWS['PERSONAL'] has %(name)r, and %(what)s", name=name, what=what))


def _mark(field: Any) -> Mark:
    model = field.model
    label = f"{model._meta.label}.{field.name}"
    if field.many_to_many or getattr(field, "column", None) is None:
        raise PersonalFieldError(
            says(
                "%(field)s is marked as personal and has no column. Mark the fields of the model that has "
                "its values%(model)s.",
                field=label,
                model=_through(field),
            )
        )
    if hasattr(model, "_view_statement"):
        raise PersonalFieldError(
            says(
                "%(field)s is marked as personal and is a column of a view. Mark the fields of the "
                "tables that the view reads: what the view makes of them follows.",
                field=label,
            )
        )
    return Mark(label, parse_db_table(model._meta.db_table), field.column)


def _through(field: Any) -> str:
    through = getattr(getattr(field, "remote_field", None), "through", None)
    return f", {through._meta.label}" if through is not None else ""
