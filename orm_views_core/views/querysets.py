"""The columns of a queryset: their names in a view, and their expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Field
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import BaseExpression, Col, ColPairs, RawSQL, Subquery
from django.db.models.lookups import In
from django.db.models.query_utils import FilteredRelation
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.where import WhereNode


class OutputColumn(NamedTuple):
    """A column of a queryset.

    Attributes:
        name: its name in the view.
        alias: its name in ``.values()``; None for a column that it does not name.
        expression: the expression of its values.
        field: the field of the model that has them; None for what is computed.
    """

    name: str
    alias: str | None
    expression: Any
    field: Any = None


class Selection(NamedTuple):
    """How a queryset selects, for the system checks.

    Attributes:
        model: the label of its model.
        is_whole: whether it does not end in ``.values()``, so that it has every column of the model.
        is_unordered_slice: whether it is a slice without an order.
    """

    model: str
    is_whole: bool
    is_unordered_slice: bool


def selection_of(queryset: Any) -> Selection:
    """Return how a queryset selects."""
    query, model = queryset.query, queryset.model._meta
    is_ordered = query.order_by or query.extra_order_by or (query.default_ordering and model.ordering)
    return Selection(model.label, queryset._fields is None, query.is_sliced and not is_ordered)


def output_columns(query: Query) -> list[OutputColumn]:
    """Return the columns of a queryset in their order, without compiling it.

    Since Django 5.2 ``.values("product__code")`` is compiled to ``"product"."code" AS "product__code"``.
    In the releases that django-orm-views supported, the column was named ``code``. Existing dashboards use
    that name, so it stays. Columns that would share a name get that of ``.values()``.

    Args:
        query: the queryset's query. A union has the columns of its first part, and so have the other
            combinations.
    """
    while query.combinator:
        query = combined_parts(query)[0]
    columns = []
    for alias, expression in _selected(query):
        if isinstance(expression, ColPairs):
            cols = expression.get_cols()
            columns += [OutputColumn(str(col.target.column), None, col, col.target) for col in cols]
            continue
        field: Any = _field_named(alias, expression.target) if isinstance(expression, Col) else None
        named = field is None or alias in query.annotation_select
        name = (alias or "") if named else str(field.column)
        columns.append(OutputColumn(name, alias, expression, field))
    if len({column.name for column in columns}) == len(columns):
        return columns
    used = Counter(column.name for column in columns)
    return [c if used[c.name] == 1 else c._replace(name=c.alias or c.name) for c in columns]


def _field_named(alias: str | None, field: Any) -> Any:
    """Return the field of a parent that a name means where Django reads a child's link to it; else the field.

    That is how Django reads the inherited key of a child, ``.values("id")``.
    """
    word = (alias or "pk").rpartition(LOOKUP_SEP)[2]
    while getattr(field.remote_field, "parent_link", False) and word not in (field.name, field.attname, "pk"):
        field = field.target_field
    return field


def column_names(query: Query) -> tuple[str, ...]:
    """Return the column names of a view; () if the SQL gives the columns these names itself."""
    columns = output_columns(query)
    if not all(column.name for column in columns):
        return ()
    names = tuple(column.name for column in columns)
    return () if names == tuple(column.alias or column.name for column in columns) else names


def combined_parts(query: Query) -> list[Query]:
    """Return the parts of a union, or the like. If the union selects columns, so does each part.

    ``SQLCompiler._get_combinator_part_sql()`` does the same.
    """
    parts = []
    for part in query.combined_queries:
        if query.selected is not None and part.selected is None:
            part = part.clone()
            part.set_values(query.selected)
        parts.append(part)
    return parts


def _selected(query: Query) -> list[tuple[str | None, Any]]:
    """Return what a query selects, as alias and expression, in the order of ``SQLCompiler.get_select()``.

    ``get_select()`` also compiles the expressions, and some of them query the version of the database. When a
    class is declared, the database may not be available.
    """
    cols: Any = query.select
    if query.default_cols:
        compiler = SQLCompiler(query, None, None)  # type: ignore[arg-type]  # it uses neither
        cols = compiler.get_default_columns(query.get_select_mask())
    if query.selected is None:
        extra = [(alias, RawSQL(*select)) for alias, select in query.extra_select.items()]  # noqa: S611
        return [*extra, *((None, col) for col in cols), *query.annotation_select.items()]
    selected: list[tuple[str | None, Any]] = []
    for alias, expression in query.selected.items():
        if isinstance(expression, str):
            expression = query.annotations[expression]
        elif isinstance(expression, int):
            expression = cols[expression]
        selected.append((alias, expression))
    return selected


def keep_types(query: Query) -> None:
    """Have a query select its columns as they are stored, such as geometries of PostGIS.

    Django selects some as other types, which the driver can read: a geometry as bytes. It does so in the
    outermost query only. A view is read by other queries, and its columns are to have their own types.
    """
    for part in query.combined_queries:
        keep_types(part)
    if not query.combinator and any(
        _is_selected_otherwise(each.expression) for each in output_columns(query)
    ):
        query.subquery = True


def _is_selected_otherwise(expression: Any) -> bool:
    plain: Any = Field  # (Any: django-stubs omit the method.)
    field = getattr(expression, "_output_field_or_none", None)
    return getattr(type(field), "select_format", None) not in (None, plain.select_format)


def sort_in_lists(node: Any) -> None:
    """Sort the values of every ``IN``, in subqueries too, so that the SQL is the same in every process.

    The values may come from a set. Their order does not matter to the result.
    """
    if isinstance(node, In) and isinstance(node.rhs, list):
        node.rhs = sorted(node.rhs, key=lambda value: (type(value).__name__, repr(value)))
    for part in _parts(node):
        sort_in_lists(part)


def _parts(node: Any) -> Iterable[Any]:
    if isinstance(node, Query):
        joins = (getattr(join, "filtered_relation", None) for join in node.alias_map.values())
        return [node.where, *node.annotations.values(), *node.combined_queries, *joins]
    if isinstance(node, FilteredRelation):
        return [node.resolved_condition]  # type: ignore[attr-defined]  # django-stubs omit it
    if isinstance(node, Subquery):
        return [node.query]
    if isinstance(node, WhereNode):
        return list(node.children)
    return node.get_source_expressions() if isinstance(node, BaseExpression) else ()
