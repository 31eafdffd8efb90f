"""Conditions that choose rows, as SQL. The project's path is in force, so every name has its schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import require_fitting
from orm_views_core.database.rows import Condition, Operator, Span
from orm_views_core.engines.postgresql.errors.diagnostics import is_canceled, primary_message, quoting
from orm_views_core.exceptions import BadConditionError
from orm_views_core.sentences import says

from .cells import in_statement
from .columns import TypedColumn

# The text that is shown, in the collation of the database: a column's own collation may have no beginnings of
# texts, and no cases.
_TEXT = 'pg_catalog.concat({column}) COLLATE pg_catalog."default"'
_IS_THERE = "{column} IS DISTINCT FROM NULL"
_CONTAINS = (
    "pg_catalog.strpos(pg_catalog.lower({text}), pg_catalog.lower(%s::pg_catalog.text))"
    " OPERATOR(pg_catalog.>) 0"
)
_BEGINS = "{text} OPERATOR(pg_catalog.^@) %s::pg_catalog.text"
_TEXT_EQUALS = "OPERATOR(pg_catalog.=)"


class Filter(NamedTuple):
    """A condition as SQL, and its parameters."""

    sql: str
    params: tuple[str, ...] = ()


def as_filter(column: TypedColumn, condition: Condition) -> Filter:
    """Return a condition on a column as SQL.

    Raises:
        BadConditionError: the operator does not apply to the column, or has too many or too few values, or
            one of them cannot be sent.
    """
    require_fitting(column.column, condition)
    name, operator = in_statement(condition.column), condition.operator
    if operator is Operator.IS_NULL:
        return Filter(f"{name} IS NOT DISTINCT FROM NULL")
    if operator is Operator.IS_NOT_NULL:
        return Filter(_IS_THERE.format(column=name))
    text, is_there = _TEXT.format(column=name), _IS_THERE.format(column=name)
    if operator is Operator.CONTAINS:
        return Filter(f"{is_there} AND {_CONTAINS.format(text=text)}", condition.texts)
    if operator is Operator.BEGINS:
        # As it is stored, so that PostgreSQL can use an index if its order allows that.
        begins = _BEGINS.format(text=name if column.is_text else text)
        return Filter(begins if column.is_text else f"{is_there} AND {begins}", condition.texts)
    return Filter(_compared(column, condition), condition.texts)


def _compared(column: TypedColumn, condition: Condition) -> str:
    """Return the SQL of a comparison by the column's type, or by text if the type has none."""
    name, operator, comparison = in_statement(condition.column), condition.operator, column.comparison
    value, text = f"%s::{_cast(column)}", _TEXT.format(column=name)
    if comparison is not None and operator in (Operator.AT_LEAST, Operator.AT_MOST):
        compare = comparison.at_least if operator is Operator.AT_LEAST else comparison.at_most
        return f"{name} {_escaped(compare)} {value}"
    compare = _TEXT_EQUALS if comparison is None else _escaped(comparison.equals)
    # What has no comparison is not NULL: concat() would make an empty text of it.
    found = text if comparison is None else name
    there = f"{_IS_THERE.format(column=name)} AND " if comparison is None else ""
    spans = [isinstance(each, Span) for each in condition.values]
    if operator is Operator.IN and _has_arrays_of_its_own(column) and not any(spans):
        values = ", ".join([value] * len(condition.values))
        return f"{there}{found} {compare} ANY (ARRAY[{values}])"
    same = f"{found} {compare} {value}"
    if comparison is not None and any(spans):
        bounds = [f"{name} {_escaped(each)} {value}" for each in (comparison.at_least, comparison.at_most)]
        within = f"({' AND '.join(bounds)})"
    equal = there + "(" + " OR ".join(within if is_span else same for is_span in spans) + ")"
    return f"({equal}) IS NOT TRUE" if operator is Operator.NOT_EQUALS else equal


def _has_arrays_of_its_own(column: TypedColumn) -> bool:
    """Return whether ``ANY`` can search an array for a value. Arrays have no arrays as elements."""
    return column.comparison is None or column.column.category not in ("A", "C")


def _cast(column: TypedColumn) -> str:
    return "pg_catalog.text" if column.comparison is None else _escaped(column.cast)


def _escaped(sql: str) -> str:
    return sql.replace("%", "%%")


def find_bad_value(
    cursor: CursorWrapper, conditions: Iterable[tuple[TypedColumn, Condition]]
) -> BadConditionError | None:
    """Return the error about a value that is none of its column's type; None if each is one.

    It is looked for when a statement has failed. PostgreSQL reports the same for a value that the view itself
    cannot compute, so each value is tried by itself.

    Args:
        cursor: in the transaction in which the view is locked, so that the types are those that it has.
        conditions: the conditions of the statement, each with its column.
    """
    for column, condition in conditions:
        if column.comparison is None or condition.operator in (Operator.CONTAINS, Operator.BEGINS):
            continue
        for value in condition.texts:
            try:
                with transaction.atomic(using=cursor.db.alias):
                    cursor.execute(f"SELECT %s::{_cast(column)} IS NULL", [value])
            except DatabaseError as error:
                if is_canceled(error):
                    return None
                what = says(
                    "%(value)r is not a value of the type %(type)s, which the column %(column)r has",
                    value=value,
                    type=column.column.type,
                    column=column.column.name,
                )
                whole = says("%(what)s: %(message)s.", what=what, message=primary_message(error))
                return BadConditionError(
                    quoting(whole, says("%(what)s.", what=what), error),
                    column=column.column.name,
                    type_=column.column.type,
                    value=value,
                )
    return None
