"""Fields that convert the values of a computed column as its queryset does.

Django and PostgreSQL differ in the type of some expressions. The average of integers is a float in Django and
NUMERIC in PostgreSQL. A timestamp truncated to the month is an aware datetime in Django, and a TIMESTAMP
without time zone in PostgreSQL.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression

AnyField: TypeAlias = "models.Field[Any, Any]"


class FieldMixin:
    """The base class of the mixins that adapt a field of any class to a column of a view."""


class ConvertedField(FieldMixin):
    """A mixin for field classes. Its fields convert values as the expression of the column does.

    Attributes:
        expression: the expression; None for a field that Django has cloned.
    """

    expression: Any = None

    def from_db_value(self, value: Any, column: Any, connection: BaseDatabaseWrapper) -> Any:
        """Convert a value as the expression does, and then as the field does."""
        if self.expression is not None:
            value = self.expression.convert_value(value, self.expression, connection)
        convert = getattr(super(), "from_db_value", None)
        return convert(value, column, connection) if convert else value


@cache
def _subclass(mixin: type, cls: type) -> Any:
    """Return the subclass of a field class that has a mixin. It has the same name."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (mixin, cls), names)


def mix(mixin: type[FieldMixin], field: Any) -> None:
    """Give a field a mixin."""
    classes: tuple[Any, Any] = mixin, type(field)
    field.__class__ = _subclass(*classes)


def plain_class(field: AnyField) -> Any:
    """Return the class of a field, without the mixins."""
    cls: Any = type(field)
    while issubclass(cls, FieldMixin):
        cls = cls.__bases__[1]
    return cls


def convert(field: AnyField, expression: Any) -> None:
    """Let the field of a computed column convert values as its expression does."""
    conversion = getattr(expression, "convert_value", None)  # a condition has none
    if conversion not in (None, BaseExpression._convert_value_noop):  # type: ignore[attr-defined]
        mix(ConvertedField, field)
        field.expression = expression  # type: ignore[attr-defined]  # it is a ConvertedField
