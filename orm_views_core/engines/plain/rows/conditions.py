"""Conditions that choose rows, as SQL."""

from __future__ import annotations

import datetime as dt

from orm_views_core.database.asked import require_fitting
from orm_views_core.database.rows import Condition, Operator, Span

from .dialects import Dialect, Filter
from .kinds import KindColumn
from .values import as_sent

_BOUNDS = {Operator.AT_LEAST: ">=", Operator.AT_MOST: "<="}


def as_filter(dialect: Dialect, column: KindColumn, condition: Condition, zone: dt.tzinfo | None) -> Filter:
    """Return a condition on a column as SQL.

    Args:
        dialect: how the engine writes it.
        column: the column.
        condition: the condition.
        zone: the time zone of the moments in the database; None for that of the process.

    Raises:
        BadConditionError: the condition cannot be asked of the column, or a value is none of its kind.
    """
    require_fitting(column.column, condition)
    name, kind, operator = dialect.quote(condition.column), column.kind, condition.operator
    if operator is Operator.IS_NULL:
        return Filter(f"{name} IS NULL")
    if operator is Operator.IS_NOT_NULL:
        return Filter(f"{name} IS NOT NULL")
    if operator is Operator.CONTAINS:
        return dialect.contains(name, kind, condition.texts[0])
    if operator is Operator.BEGINS:
        return dialect.begins(name, kind, condition.texts[0])

    def compared(sign: str, text: str) -> Filter:
        return dialect.compared(name, kind, sign, as_sent(text, column, zone))

    if operator in _BOUNDS:
        return compared(_BOUNDS[operator], condition.texts[0])
    parts: list[Filter] = []
    for value in condition.values:
        if isinstance(value, Span):
            first, last = compared(">=", value.first), compared("<=", value.last)
            parts.append(Filter(f"({first.sql} AND {last.sql})", (*first.params, *last.params)))
        else:
            parts.append(compared("=", value))
    equal = f"({_either([part.sql for part in parts])})"
    params = tuple(param for part in parts for param in part.params)
    return Filter(f"{equal} IS NOT TRUE" if operator is Operator.NOT_EQUALS else equal, params)


def _either(parts: list[str]) -> str:
    """Return that one of some parts is true. SQLite allows them only so deep, so they are halved."""
    if len(parts) <= 2:
        return " OR ".join(parts)
    half = len(parts) // 2
    return f"({_either(parts[:half])}) OR ({_either(parts[half:])})"
