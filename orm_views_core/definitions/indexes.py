"""Compiles ``pk_field`` and ``indexes`` into the indexes of a materialised view."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import F

from orm_views_core.names import MAX_IDENTIFIER_BYTES, ViewName, column_list, key_name, quote_identifier
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence, listed, says
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import invalid
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable

from .definition import IndexDefinition
from .storage import tablespaces_of


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
                says(
                    "it declares an index, and only materialised views can have indexes. Remove it, or "
                    "make PostgresMaterialisedViewMixin the first base class."
                ),
            )
        return ()
    compiled = []
    tablespace = tablespaces_of(options).indexes
    if columns := view._view_pk_columns():
        tail = column_list(columns).strip()
        tail += f" TABLESPACE {quote_identifier(tablespace)}" if tablespace else ""
        compiled.append(IndexDefinition(key_name(name.name, columns), True, tail, tablespace))
    for index in indexes:
        if not isinstance(index, models.Index):
            raise invalid(view, says("its indexes have %(index)r. Give models.Index objects.", index=index))
        try:
            compiled.append(_compile_index(index, view, name, connection, tablespace))
        except Exception as error:
            what = says("its index %(index)r cannot be written as SQL", index=index)
            raise invalid(view, _refused(what, error)) from error
        if (size := len(compiled[-1].name.encode())) > MAX_IDENTIFIER_BYTES:
            raise invalid(
                view,
                says(
                    "the name of its index %(index)r has %(size)s bytes, and PostgreSQL keeps "
                    "%(most)s. Give it a shorter name.",
                    index=index,
                    size=size,
                    most=MAX_IDENTIFIER_BYTES,
                ),
            )
    return tuple(compiled)


def _refused(what: Sentence, error: Exception) -> Quoting:
    return Quoting(listed([what, error], ": "), says("%(what)s.", what=what))


def _compile_index(
    index: models.Index, view: type, name: ViewName, connection: BaseDatabaseWrapper, tablespace: str
) -> IndexDefinition:
    model: Any = view if is_readable(view) else _stand_in_model(index, name)
    index = index.clone()
    index.db_tablespace = index.db_tablespace or tablespace or None
    if not index.name:
        index.set_name_with_model(model)
    statement = str(index.create_sql(model, connection.schema_editor()))
    _, separator, tail = statement.partition(f" ON {name.quoted} ")
    if not separator:
        raise ValueError(f"Django wrote {statement!r}, which is not on {name.quoted}")
    return IndexDefinition(index.name, False, tail, index.db_tablespace or "")


def _stand_in_model(index: models.Index, name: ViewName) -> type[models.Model]:
    """Create a model with the columns that an index names, for a view that is not a model.

    Django needs a model's fields for the SQL of an index. A plain ``Field`` has no type, so that values in
    conditions are passed to the driver unchanged.
    """
    columns = _field_names(index)
    if not columns:
        raise ValueError("it names no column")
    fields = {column: models.Field(db_column=column, primary_key=not i) for i, column in enumerate(columns)}
    meta = type("Meta", (), {"apps": Apps(), "app_label": "orm_views_core", "db_table": name.quoted})
    return type("StandIn", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


def _field_names(index: models.Index) -> set[str]:
    """Return the names of the fields that an index uses, also in expressions and conditions."""
    names = {*(name for name, _ in index.fields_orders), *(index.include or ())}
    nodes: list[Any] = [*index.expressions, index.condition]
    while nodes:
        node = nodes.pop()
        if isinstance(node, F):
            names.add(str(node.name))  # type: ignore[attr-defined]  # django-stubs omit it
        elif isinstance(node, models.Q):
            lookups = [child for child in node.children if isinstance(child, tuple)]
            names |= {lookup.partition("__")[0] for lookup, _ in lookups}
            nodes += [child[1] if isinstance(child, tuple) else child for child in node.children]
        elif hasattr(node, "get_source_expressions"):
            nodes += node.get_source_expressions()
    return names
