"""Importing the models of an app once more, as readable views of their tables."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from django.apps import AppConfig, apps
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.base import ModelBase
from django.db.models.query_utils import RegisterLookupMixin

from orm_views_core.views import ReadableViewFromQueryset
from orm_views_core.views.readable import ReadableViewBase
from orm_views_core.views.registry import registry

#: What ``Meta`` of a view cannot say, and what stands there instead. The tables have it.
_OF_TABLES: dict[str, Any] = {
    "constraints": [],
    "db_table": None,
    "db_table_comment": "",
    "db_tablespace": "",
    "indexes": [],
    "unique_together": (),
}


class Converted:
    """The models that are views now, and those that are still tables.

    Attributes:
        tables: every model as it was first imported.
        views: the views by the label of their model.
        kept: why a model stays a table, by its label.
    """

    def __init__(self) -> None:
        self.tables: list[Any] = []
        self.views: dict[str, Any] = {}
        self.kept: dict[str, str] = {}

    def convert(self, config: AppConfig) -> None:
        """Import the models of an app again."""
        module = config.models_module
        every = list(config.get_models(include_auto_created=True))
        found = {model.__name__: model for model in every if not model._meta.auto_created}
        if module is None or not found:
            return
        self.tables += every
        if hasattr(module, "__path__") or any(m.__module__ != module.__name__ for m in found.values()):
            self.kept |= {model._meta.label: "its models are in several modules" for model in found.values()}
            return
        parents = {parent for model in apps.get_models() for parent in model._meta.all_parents}
        reasons = {name: why_a_table(model, parents) for name, model in found.items()}
        apps.all_models[config.label].clear()
        apps.clear_cache()
        before = dict(vars(module))
        try:
            with self._class_statements(module, found, reasons):
                importlib.reload(module)
        except Exception as error:  # noqa: BLE001 - such an app stays as it is, and the report says why
            vars(module).update(before)
            apps.all_models[config.label].clear()
            apps.all_models[config.label].update({model._meta.model_name: model for model in every})
            apps.clear_cache()
            self._forget(config.label)
            self.kept |= {model._meta.label: f"{type(error).__name__}: {error}" for model in found.values()}
        else:
            # The tables have the fields and lookups of the first import, and so have the views.
            vars(module).update({word: value for word, value in before.items() if _is_support(value)})

    def _forget(self, app_label: str) -> None:
        for label, view in list(self.views.items()):
            if view._meta.app_label == app_label:
                registry.unregister(self.views.pop(label))

    @contextmanager
    def _class_statements(
        self, module: ModuleType, found: dict[str, Any], reasons: dict[str, str]
    ) -> Iterator[None]:
        original = ModelBase.__new__

        def create(mcs: Any, name: str, bases: Any, attrs: Any, **kwargs: Any) -> Any:
            table = found.get(name)
            is_abstract = getattr(attrs.get("Meta"), "abstract", False)
            is_ours = attrs.get("__module__") == module.__name__ and table is not None and not is_abstract
            if issubclass(mcs, ReadableViewBase) or not is_ours:
                return original(mcs, name, bases, attrs, **kwargs)
            nested = "" if attrs["__qualname__"] == name else "declared inside of another class"
            if why := reasons[name] or nested:
                model = original(mcs, name, bases, attrs, **kwargs)
                if not model._meta.proxy:
                    self.kept[model._meta.label] = why
                return model
            view = as_view(table, name, bases, attrs)
            self.views[view._meta.label] = view
            return view

        ModelBase.__new__ = create  # type: ignore[method-assign]
        try:
            yield
        finally:
            ModelBase.__new__ = original  # type: ignore[method-assign]


def why_a_table(model: Any, parents: set[Any]) -> str:
    """Return why a model cannot be a view; "" if it can.

    Args:
        model: the model.
        parents: those of all models.
    """
    opts = model._meta
    if opts.proxy:
        return "a proxy of a table"
    if opts.all_parents or model in parents:
        return "multi-table inheritance: a view inherits from no view"
    if not opts.managed:
        return "managed = False: it has no table"
    if opts.order_with_respect_to:
        return "order_with_respect_to: Django would write the order"
    if opts.swappable or opts.swapped:
        return "swappable"
    if not opts.can_migrate(DEFAULT_DB_ALIAS):
        return "the server does not have what its table needs"
    return ""


def as_view(table: Any, name: str, bases: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Return the view that a class statement becomes.

    Args:
        table: the model that it was.
        name: what the statement says, and so are ``bases`` and ``attrs``.
    """
    many = {
        word: value
        for word, value in attrs.items()
        if isinstance(value, models.ManyToManyField) and value.remote_field.through is None
    }
    kept = {word: value for word, value in attrs.items() if word not in many and not _is_column(value)}
    meta = attrs.get("Meta")
    said = {**_OF_TABLES, "__qualname__": f"{name}.Meta"} if meta else {}
    view = ReadableViewBase(
        name,
        _bases(bases),
        {
            "name": table._meta.db_table,
            **kept,
            **({"Meta": type("Meta", (meta,), said)} if meta else {}),
            "updatable": True,
            "get_queryset": classmethod(lambda cls: models.QuerySet(table).order_by()),
        },
    )
    for word, field in many.items():
        field.db_table = table._meta.get_field(word).m2m_db_table()
        view.add_to_class(word, field)
    # Tests compare lists of fields. What a class declares would come before what is inferred.
    counters = {field.column: field.creation_counter for field in table._meta.local_fields}
    for field in view._meta.local_fields:
        field.creation_counter = counters[field.column]
    for word, field in many.items():
        field.creation_counter = table._meta.get_field(word).creation_counter
    view._meta.local_fields.sort()
    view._meta._expire_cache()
    return view


def _is_column(value: Any) -> bool:
    is_field = isinstance(value, models.Field) and not value.is_relation
    return is_field and not isinstance(value, models.CompositePrimaryKey)


def _is_support(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, (models.Field, RegisterLookupMixin, models.Lookup))


def _bases(bases: tuple[Any, ...]) -> tuple[Any, ...]:
    others = tuple(base for base in bases if base is not models.Model)
    return (*others, ReadableViewFromQueryset)
