"""What the columns of a queryset are called as a view."""

from __future__ import annotations

from collections import Counter

from django.db.models.expressions import Col, ColPairs
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler


def column_names(query: Query, compiler: SQLCompiler) -> tuple[str, ...]:
    """Return the names to give a view's columns, or nothing where the SQL names them so already.

    Since Django 5.2 ``.values("product__code")`` is compiled to ``"product"."code" AS "product__code"``.
    The releases that the predecessor ran on left the column its own name, ``code``. Dashboards read that
    name, so it stays; only columns that would then share one get the name that ``.values()`` shows.

    Args:
        query: the queryset's query.
        compiler: its compiler, after ``as_sql()``.
    """
    if query.combinator:
        first = query.combined_queries[0]
        inner = first.get_compiler(using=compiler.using)
        inner.pre_sql_setup()
        return column_names(first, inner)
    names: list[tuple[str, str]] = []
    for expression, _, alias in compiler.select:
        if isinstance(expression, ColPairs):
            names += [(str(column.target.column),) * 2 for column in expression.get_cols()]
        elif isinstance(expression, Col) and alias not in query.annotation_select:
            column = str(expression.target.column)
            names.append((column, alias or column))
        elif alias:
            names.append((alias, alias))
        else:
            return ()
    if all(column == alias for column, alias in names):
        return ()
    used = Counter(column for column, _ in names)
    chosen = tuple(column if used[column] == 1 else alias for column, alias in names)
    return () if chosen == tuple(alias for _, alias in names) else chosen
