"""Finds out whether the key of a queryset's model identifies the rows of the queryset too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import FieldError
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col, F
from django.db.models.sql import Query

from orm_views_core.names import table_label

from .querysets import OutputColumn


class SourceKey(NamedTuple):
    """What identifies a row of a model, and of the queryset too.

    Attributes:
        key: the columns that are the model's key.
        no_key: why there are none; "" if there are.
        unique: further columns whose values are unique together.
    """

    key: tuple[str, ...]
    no_key: str
    unique: tuple[tuple[str, ...], ...] = ()


def source_key(query: Query, columns: Sequence[OutputColumn]) -> SourceKey:
    """Return the columns of a queryset that are its model's key, if that key identifies a row.

    Args:
        query: the queryset's query.
        columns: its columns.
    """
    if query.combinator:
        return SourceKey((), "the rows of a union, or the like, are not those of one model")
    opts: Any = query.get_meta()
    tables = _tables_of_model(query)
    own = [c for c in columns if isinstance(c.expression, Col) and c.expression.alias in tables]
    names = {column.expression.target: column.name for column in reversed(own)}
    cause = _what_multiplies(query, columns)
    unique = () if cause else (*_unique(own), *_unique_together(opts, names))
    missing = [field.name for field in opts.pk_fields if field not in names]
    if missing:
        problem = f"the key of {opts.label}, {', '.join(missing)}, is not among its columns"
        return SourceKey((), problem, unique)
    if cause:
        return SourceKey((), f"{cause} gives several rows for one {opts.label}")
    return SourceKey(tuple(names[field] for field in opts.pk_fields), "", unique)


def _tables_of_model(query: Query) -> set[str]:
    """Return the aliases of a model's table, and of those of its parents that are joined to it."""
    tables = {str(query.get_initial_alias())}
    for alias, join in query.alias_map.items():
        relation: Any = getattr(join, "join_field", None)
        is_parent = getattr(getattr(relation, "remote_field", None), "parent_link", False)
        if is_parent and join.parent_alias in tables:
            tables.add(alias)
    return tables


def _unique(columns: Sequence[OutputColumn]) -> Iterator[tuple[str, ...]]:
    return ((column.name,) for column in columns if column.expression.target.unique)


def _unique_together(opts: Any, names: Mapping[Any, str]) -> Iterator[tuple[str, ...]]:
    """Yield the columns that constraints of a model, or of its parents, say are unique."""
    for model in (opts.model, *opts.all_parents):
        meta = model._meta
        together = [*meta.unique_together, *(each.fields for each in meta.total_unique_constraints)]
        for fields in together:
            columns = [names.get(meta.get_field(name)) for name in fields]
            if None not in columns:
                yield tuple(map(str, columns))


def _what_multiplies(query: Query, columns: Sequence[OutputColumn]) -> str:
    """Return what can yield several rows for one row of the model; "" if nothing can."""
    if query.extra_tables:
        return "another table, named in extra(),"
    expressions = [column.expression for column in columns]
    if any(getattr(part, "set_returning", False) for e in expressions for part in _parts(e)):
        return "a function that returns several rows"
    for name in _ordered_by(query):
        if _goes_to_many(query, name):
            return f"ordering by {name!r}"
    many = _joins_to_many(query)
    if query.group_by is not None or (query.distinct and not query.distinct_fields):
        # GROUP BY and DISTINCT combine those rows again, unless they contain columns of the joined table.
        grouped = [*(query.group_by if isinstance(query.group_by, tuple) else ())]
        grouped += [e for e in expressions if not getattr(e, "contains_aggregate", False)]
        used = {part.alias for e in grouped for part in _parts(e) if isinstance(part, Col)}
        many = [alias for alias in many if alias in used]
    return f"the join to {table_label(query.alias_map[many[0]].table_name)}" if many else ""


def _ordered_by(query: Query) -> Iterator[str]:
    """Yield the names that a query is ordered by. They can add a join when the query is compiled."""
    of_model = query.default_ordering and query.group_by is None  # Django ignores Meta.ordering with GROUP BY
    ordering: Any = query.order_by or (query.get_meta().ordering if of_model else ())
    for each in ordering:
        if isinstance(each, str):
            yield each.lstrip("-")
        else:
            yield from (str(part.name) for part in _parts(each) if isinstance(part, F))  # type: ignore[attr-defined]


def _joins_to_many(query: Query) -> list[str]:
    """Return the aliases of the joined tables that can have several rows for one row of the model."""
    many: list[str] = []
    for alias, join in query.alias_map.items():
        relation: Any = getattr(join, "join_field", None)
        # The one_to_many of a GenericRelation is that of the other end of its join.
        generic = getattr(getattr(relation, "field", None), "one_to_many", False)
        is_many = relation is not None and (relation.one_to_many or relation.many_to_many or generic)
        if query.alias_refcount.get(alias) and (is_many or join.parent_alias in many):
            many.append(alias)
    return many


def _goes_to_many(query: Query, name: str) -> bool:
    try:
        paths, *_ = query.names_to_path(name.split(LOOKUP_SEP), query.get_meta())
    except FieldError:  # an annotation, or "?"
        return False
    return any(path.m2m for path in paths)


def _parts(expression: Any) -> Iterator[Any]:
    yield expression
    for part in () if isinstance(expression, F) else expression.get_source_expressions():
        if part is not None:
            yield from _parts(part)
