"""Fields that convert the values of a computed column as its queryset does.

Django and PostgreSQL differ in the type of some expressions. The average of integers is a float in Django and
NUMERIC in PostgreSQL. A timestamp truncated to the month is an aware datetime in Django, and a TIMESTAMP
without time zone in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias, cast

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression

AnyField: TypeAlias = "models.Field[Any, Any]"


class ConvertedField:
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
def _converted_class(cls: type) -> Any:
    """Return the subclass of a field class that converts values. It has the same name."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (ConvertedField, cls), names)


def computed_field(cls: Callable[..., AnyField], expression: Any, *args: Any, **kwargs: Any) -> AnyField:
    """Create the field of a column that an expression computes. The arguments are those of its class."""
    convert = getattr(expression, "convert_value", None)  # a condition has none
    if convert in (None, BaseExpression._convert_value_noop):  # type: ignore[attr-defined]
        return cls(*args, **kwargs)
    field: AnyField = _converted_class(cls)(*args, **kwargs)
    field.expression = expression  # type: ignore[attr-defined]  # it is a ConvertedField
    return field


def plain_class(field: AnyField) -> type[AnyField]:
    """Return the class of a field; for a converted field, the class that it converts for."""
    cls = type(field)
    return cast("type[AnyField]", cls.__bases__[1]) if isinstance(field, ConvertedField) else cls
