"""Compiles ``pk_field`` and ``indexes`` into the indexes of a materialised view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, F

from orm_views_core.names import MAX_IDENTIFIER_BYTES, ViewName, column_list, key_name
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import invalid
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable

from .definition import IndexDefinition


def compile_indexes(
    options: ViewOptions, name: ViewName, connection: BaseDatabaseWrapper
) -> tuple[IndexDefinition, ...]:
    """Return the indexes that a view class declares.

    Args:
        options: the options of the class.
        name: the name of its view.
        connection: the view's database.

    Raises:
        InvalidViewError: the view cannot have indexes, or one of them is invalid.
    """
    view = options.view
    readable = is_readable(view)
    indexes = [*options.indexes, *(view._meta.indexes if readable else ())]  # type: ignore[attr-defined]
    if not issubclass(view, PostgresMaterialisedViewMixin):
        # For a readable view, pk_field is also the primary key of the model.
        if indexes or (options.pk_field and not readable):
            raise invalid(
                view,
                "it declares an index, and only materialised views can have indexes. "
                "Remove it, or make PostgresMaterialisedViewMixin the first base class.",
            )
        return ()
    compiled = []
    if columns := view._view_pk_columns():
        compiled.append(IndexDefinition(key_name(name.name, columns), True, column_list(columns).strip()))
    for index in indexes:
        if not isinstance(index, models.Index):
            raise invalid(view, f"its indexes have {index!r}. Give models.Index objects.")
        try:
            compiled.append(_compile_index(index, view, name, connection))
        except Exception as error:
            raise invalid(view, f"its index {index!r} cannot be written as SQL: {error}") from error
        if (size := len(compiled[-1].name.encode())) > MAX_IDENTIFIER_BYTES:
            raise invalid(
                view,
                f"the name of its index {index!r} has {size} bytes, and PostgreSQL keeps "
                f"{MAX_IDENTIFIER_BYTES}. Give it a shorter name.",
            )
    return tuple(compiled)


def _compile_index(
    index: models.Index, view: type, name: ViewName, connection: BaseDatabaseWrapper
) -> IndexDefinition:
    model: Any = view if is_readable(view) else _stand_in_model(index, name)
    index = index.clone()
    if not index.name:
        index.set_name_with_model(model)
    statement = str(index.create_sql(model, connection.schema_editor()))
    _, found, tail = statement.partition(f" ON {name.quoted} ")
    if not found:
        raise ValueError(f"Django wrote {statement!r}, which is not on {name.quoted}")
    return IndexDefinition(index.name, False, tail)


def _stand_in_model(index: models.Index, name: ViewName) -> type[models.Model]:
    """Create a model with the columns that an index names, for a view that is not a model.

    Django needs a model's fields for the SQL of an index. A plain ``Field`` has no type, so that values in
    conditions are passed to the driver unchanged.
    """
    fields = {field_name: models.Field(db_column=field_name) for field_name in set(_field_names(index))}
    meta = type("Meta", (), {"apps": Apps(), "app_label": "orm_views_core", "db_table": name.quoted})
    if not fields:
        raise ValueError("it names no column")
    first = next(iter(fields))
    fields[first] = models.Field(db_column=first, primary_key=True)
    return type("StandIn", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


def _field_names(index: models.Index) -> Iterator[str]:
    for field_name, _ in index.fields_orders:
        yield field_name
    yield from index.include or ()
    for expression in index.expressions:
        yield from _referenced(expression)
    if index.condition is not None:
        yield from _referenced(index.condition)


def _referenced(node: Any) -> Iterator[str]:
    if isinstance(node, F):
        yield str(node.name)  # type: ignore[attr-defined]  # django-stubs omit it
    elif isinstance(node, models.Q):
        for child in node.children:
            if isinstance(child, tuple):
                yield child[0].partition("__")[0]
                yield from _referenced(child[1])
            else:
                yield from _referenced(child)
    elif isinstance(node, Combinable) or hasattr(node, "get_source_expressions"):
        for source in node.get_source_expressions():
            yield from _referenced(source)
