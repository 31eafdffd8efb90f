"""The registered views of a database by name, without compiling them.

They are found once, and again when something changes that names depend on: the registry, a setting that is
overridden, or what a function that gives schemas returns on the connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import receiver

from orm_views_core.conf import default_schema, schema_on
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .definition import SkippedView
from .skipped import skipped_views

T = TypeVar("T")
SchemaFunction = Callable[[BaseDatabaseWrapper], str]

#: How often a setting was overridden.
_generation = 0


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    global _generation
    _generation += 1


class Kept(Generic[T]):
    """Values that are kept, one for each database, for as long as what they depend on is the same.

    Of two threads that keep a value, the later one wins. Both values are equal.
    """

    def __init__(self) -> None:
        self._values: dict[str, tuple[object, T]] = {}

    def get(self, database: str, state: object) -> T | None:
        """Return the value that was kept for a state; None if there is none."""
        known, value = self._values.get(database, (None, None))
        return value if state is not None and known == state else None

    def keep(self, database: str, state: object, value: T) -> T:
        """Keep a value, and return it. A state of None is kept for nobody."""
        self._values[database] = state, value
        return value


@dataclass(frozen=True)
class RegisteredViews:
    """The registered view classes of a database.

    Attributes:
        by_name: the classes that give a view each name, in the order of their declaration. There should be
            one.
        nameless: the classes whose names cannot be read, or are not valid.
        skipped: the views whose classes are for other engines.
        state: what this depends on; see ``registry_state()``.
    """

    by_name: Mapping[ViewName, tuple[type, ...]]
    nameless: tuple[type, ...]
    state: tuple[object, ...] | None
    skipped: tuple[SkippedView, ...] = ()

    @cached_property
    def by_handle(self) -> Mapping[str, Sequence[type]]:
        """The classes by what they may be called: a label, a name with its schema, or a name.

        A class without a valid name has its label only.
        """
        found: defaultdict[str, list[type]] = defaultdict(list)
        for name, views in self.by_name.items():
            for view in views:
                for handle in {label_of(view), str(name), name.name}:
                    found[handle].append(view)
        for view in self.nameless:
            found[label_of(view)].append(view)
        return dict(found)

    @cached_property
    def names(self) -> frozenset[ViewName]:
        """The names of the views."""
        return frozenset(self.by_name)

    @cached_property
    def _positions(self) -> Mapping[ViewName, int]:
        return {name: position for position, name in enumerate(self.by_name)}

    def in_order(self, names: Collection[ViewName]) -> list[ViewName]:
        """Return those of some names that are registered, in the order of their declaration."""
        return sorted(self.names.intersection(names), key=self._positions.__getitem__)

    @cached_property
    def schemas(self) -> frozenset[str]:
        """The schemas that classes place their views in."""
        return frozenset(name.schema for name in self.by_name)


_functions: Kept[list[SchemaFunction]] = Kept()
_views: Kept[RegisteredViews] = Kept()


def schema_functions(database: str) -> list[SchemaFunction]:
    """Return the functions that give the schemas of views: that of the settings, and those of classes."""
    state = registry.version, _generation
    found = _functions.get(database, state)
    if found is None:
        schemas = [default_schema(), *(ViewOptions(view).schema for view in registry.views(database))]
        found = list(dict.fromkeys(schema for schema in schemas if callable(schema)))
        _functions.keep(database, state, found)
    return found


def registry_state(database: str) -> tuple[object, ...] | None:
    """Return what the names and the definitions of registered views depend on, as it is now.

    Returns:
        a value to compare; None when a function that gives schemas fails.
    """
    try:
        schemas = tuple(schema_on(connections[database], each) for each in schema_functions(database))
    except Exception:  # noqa: BLE001 - it is the project's; the error of each class that it is for says so
        return None
    return registry.version, _generation, schemas


def registered_views(database: str) -> RegisteredViews:
    """Return the registered views of a database, without queries."""
    state = registry_state(database)
    known = _views.get(database, state)
    if known is not None:
        return known
    by_name: defaultdict[ViewName, list[type]] = defaultdict(list)
    nameless = []
    for view in registry.views(database):
        try:
            by_name[name_of(view)].append(view)
        except OrmViewsError:
            nameless.append(view)
    views = {name: tuple(classes) for name, classes in by_name.items()}
    found = RegisteredViews(views, tuple(nameless), state, skipped_views(database))
    return _views.keep(database, state, found)
