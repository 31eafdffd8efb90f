"""The fields of other packages, which have arguments, conversions and companions of their own."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage
from django.db import models
from django.db.models.fields import AutoFieldMixin
from django.db.models.options import Options
from django.utils.module_loading import import_string

from .converted import AnyField, FieldMixin, mix, plain_class


class NotAutomatic(FieldMixin):
    """A mixin for subclasses of ``AutoField``: a view shows such numbers, and does not make them.

    The field converts values as its class does. It need not be the key, and a view may have several.
    """

    def contribute_to_class(self, cls: Any, name: str, **kwargs: Any) -> None:
        """Add the field to a class. It does not become the class's ``auto_field``."""
        automatic, cls._meta.auto_field = cls._meta.auto_field, None
        super().contribute_to_class(cls, name, **kwargs)  # type: ignore[misc]
        cls._meta.auto_field = automatic

    def _check_primary_key(self) -> list[CheckMessage]:
        return []


def construct(source: AnyField, cls: Any, path: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Create a field like another one.

    Args:
        source: the other field.
        cls: the class to create; that of ``source``, or one of Django's in its place.
        path: what its ``deconstruct()`` returns, as ``args`` and ``kwargs``. It may be that of a function
            that makes the class, such as ``encrypt(CharField())``.
    """
    is_function = _is_packaged(cls) and path != models.Field.deconstruct(source)[1]
    make = import_string(path) if is_function and cls is plain_class(source) else cls
    try:
        made: Any = make(*args, **kwargs)
    except TypeError:
        if hasattr(source, "model"):
            raise
        made = copy.deepcopy(source)  # such as that of a distance, which is no field of a model
    if _is_packaged(type(made)):
        # What deconstruct() keeps to itself, such as a secret: the attributes that the constructor has set.
        own = vars(made).keys() - vars(without_companions(made)).keys()
        vars(made).update({name: value for name, value in vars(source).items() if name in own})
    if issubclass(type(made), AutoFieldMixin):
        made.primary_key = False
        mix(NotAutomatic, made)
    return made


def companions(field: AnyField, name: str) -> list[str]:
    """Return the names of the fields that a field adds beside itself, as an amount adds its currency.

    Only the fields of other packages do. This asks the field to add itself to a class that nobody keeps.
    """
    if not _is_packaged(type(field)):
        return []
    opts: Any = Options(None)
    opts.object_name, opts.model_name, opts.app_label = "Nobody", "nobody", "nobody"
    add = classmethod(lambda cls, word, value: value.contribute_to_class(cls, word))
    nobody = type("Nobody", (), {"_meta": opts, "add_to_class": add})
    with suppress(Exception):  # it needs a model
        copy.deepcopy(field).contribute_to_class(nobody, name)
    return [each.name for each in opts.local_fields if each.name != name]


def without_companions(field: AnyField) -> AnyField:
    """Return the field of Django's own class that a field of another package is a subclass of."""
    cls: Any = next(base for base in type(field).__mro__ if not _is_packaged(base))
    _, _, args, kwargs = cls.deconstruct(field)
    made: AnyField = cls(*args, **kwargs)
    made.creation_counter = field.creation_counter
    return made


def _is_packaged(cls: type) -> bool:
    return not cls.__module__.startswith("django.")
