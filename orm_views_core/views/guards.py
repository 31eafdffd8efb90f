"""Readable views are read from their own database, and writing to one is refused unless it is updatable."""

from __future__ import annotations

import copyreg
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DO_NOTHING, PROTECT, RESTRICT, QuerySet

from orm_views_core.conf import routes_reads
from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.sentences import says
from orm_views_core.spelling import spelling_on

from .aliases import renew, with_aliases
from .engines import refuse_skipped
from .options import OfClass, ViewOptions


def refuse_to_write(view: Any, operation: str) -> None:
    """Raise an error unless the class of a readable view is updatable.

    Args:
        view: the class.
        operation: the name of the method that was called.

    Raises:
        ReadOnlyViewError: the class does not set ``updatable = True``, or its engine has no such views.
        SkippedViewError: the view is skipped in its database.
    """
    refuse_skipped(view._meta.concrete_model, str(ViewOptions(view).database))
    spelling = spelling_on(str(ViewOptions(view).database))
    if not spelling.abilities.updatable:
        # SQLite itself takes an INSERT with RETURNING without a word, and the row is nowhere.
        raise ReadOnlyViewError(
            says(
                "%(operation)s() of %(model)s: %(engine)s cannot write rows through a view. Write to the "
                "models that the view reads.",
                operation=operation,
                model=view._meta.label,
                engine=spelling.title,
            )
        )
    if not ViewOptions(view).updatable:
        raise ReadOnlyViewError(
            says(
                "%(operation)s() of %(model)s: it is the view %(db_table)s, and views are read-only. "
                "Write to the models that the view reads. If %(engine)s can update the view, set "
                "updatable = True on the class.",
                operation=operation,
                model=view._meta.label,
                db_table=view._meta.db_table,
                engine=spelling.title,
            )
        )


def read_alias(view: type) -> str | None:
    """Return the alias that a readable view is read from; None if the database routers decide."""
    alias = str(ViewOptions(view).database)
    return alias if alias != DEFAULT_DB_ALIAS and routes_reads() else None


class GuardedModel:
    """The base class of the models of readable views."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row, if the class is updatable."""
        refuse_to_write(type(self), "save")
        if not (args or kwargs.get("using") or self._state.db):  # type: ignore[attr-defined]
            kwargs["using"] = read_alias(type(self))
        super().save(*args, **kwargs)  # type: ignore[misc]

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save the row without the ``save()`` of its class, if the class is updatable."""
        refuse_to_write(type(self), "save_base")
        super().save_base(*args, **kwargs)  # type: ignore[misc]

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the row, if the class is updatable."""
        refuse_to_write(type(self), "delete")
        return super().delete(*args, **kwargs)  # type: ignore[misc]

    def _save_table(self, *args: Any, **kwargs: Any) -> Any:
        # loaddata calls save_base() of Django's Model directly, not that of the class.
        refuse_to_write(type(self), "save")
        return super()._save_table(*args, **kwargs)  # type: ignore[misc]

    def __dir__(self) -> list[str]:
        # A template asks this whether an attribute that raises AttributeError is one.
        attributes = {
            name: each for base in reversed(type(self).__mro__) for name, each in vars(base).items()
        }
        return [name for name in super().__dir__() if not isinstance(attributes.get(name), OfClass)]

    # Templates do not call methods with this attribute.
    save.alters_data = True  # type: ignore[attr-defined]
    save_base.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]


def _refusing(operation: str) -> Any:
    """Return a QuerySet method that checks whether the view is updatable, and then calls the original."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_to_write(self.model, operation.lstrip("_"))
        renew(self.query)
        return getattr(super(_GuardedQuerySet, self), operation)(*args, **kwargs)

    method.__name__ = operation
    method.alters_data = True  # type: ignore[attr-defined]  # templates do not call such methods
    return method


class _GuardedQuerySet:
    """A mixin for QuerySet classes. All other methods that write call one of these, or ``save()``."""

    create = _refusing("create")
    bulk_create = _refusing("bulk_create")
    bulk_update = _refusing("bulk_update")
    get_or_create = _refusing("get_or_create")
    update_or_create = _refusing("update_or_create")
    update = _refusing("update")
    delete = _refusing("delete")
    _raw_delete = _refusing("_raw_delete")

    def __reduce__(self) -> Any:
        # pickle cannot import the class: it is created by _guarded_class().
        return _new_guarded, (type(self).__bases__[1],), self.__getstate__()


class _GuardedManager:
    """A mixin for manager classes."""

    model: Any

    def __reduce__(self) -> Any:
        guard, *bases = type(self).__bases__
        if guard is not _GuardedManager:  # a subclass, such as that of a related manager
            return copyreg.__newobj__, (type(self),), vars(self)  # type: ignore[attr-defined]
        return _new_guarded, tuple(bases), vars(self)

    def get_queryset(self) -> QuerySet[Any]:
        queryset: Any = guarded(super().get_queryset())  # type: ignore[misc]
        alias = read_alias(self.model)
        # A database that using(), db_manager() or a related instance has set takes precedence.
        return queryset.using(alias) if alias and queryset._db is None else queryset  # type: ignore[no-any-return]


@cache
def _guarded_class(cls: type) -> Any:
    """Return the guarded subclass of a QuerySet or manager class. It has the same name."""
    mixin = _GuardedQuerySet if issubclass(cls, QuerySet) else _GuardedManager
    return type(cls.__name__, (mixin, cls), {"__module__": cls.__module__, "__doc__": cls.__doc__})


def _new_guarded(cls: type) -> Any:
    guarded_class = _guarded_class(cls)
    return guarded_class.__new__(guarded_class)


def guarded(original: Any) -> Any:
    """Return a guarded copy of a manager or a queryset; the object itself if it is guarded already.

    The copy is an instance of the guarded subclass with the attributes of the original, as ``copy.copy()``
    makes one of the same class. A project's managers and querysets may be of any class, and may be created
    in any way, so that their constructors cannot be called again.
    """
    if isinstance(original, (_GuardedManager, _GuardedQuerySet)):
        return original
    copy = _new_guarded(type(original))
    vars(copy).update(vars(original))
    if isinstance(copy, QuerySet):
        with_aliases(copy.query)
    return copy


def guard_inherited_managers(view: Any) -> None:
    """Replace the managers that a readable view inherits from models that are not views by guarded copies.

    ``ReadableViewBase.add_to_class`` guards all managers that the class itself declares.
    """
    if not any(base._meta.managers for base in view.__bases__ if hasattr(base, "_meta")):
        return
    opts = view._meta
    inherited = opts.managers[len(opts.local_managers) :]
    if not all(isinstance(manager, _GuardedManager) for manager in inherited):
        # The first manager is the default manager, so the order is kept: first those that the class
        # declares, then all inherited ones.
        for manager in inherited:
            manager._set_creation_counter()  # of Django's copy: the base class keeps its own manager
            view.add_to_class(manager.name, manager)


def guard_cascades(view: Any) -> None:
    """Refuse each ``on_delete`` that would write to a readable view.

    Django's ``Collector`` does not use the managers and querysets of the view for it.
    """
    if ViewOptions(view).updatable:
        return
    for field in view._meta.local_fields:
        remote = field.remote_field
        if remote and remote.on_delete not in (DO_NOTHING, PROTECT, RESTRICT):
            name = str(getattr(remote.on_delete, "__name__", remote.on_delete))
            remote.on_delete = RefusedCascade(view, name)


@dataclass(frozen=True)
class RefusedCascade:
    """Replaces an ``on_delete`` that would write to a view.

    Attributes:
        name: the name of the original ``on_delete``.
    """

    view: Any
    name: str

    def __call__(self, collector: Any, field: Any, sub_objs: Any, using: str) -> None:
        """Raise ReadOnlyViewError if any row of the view refers to a deleted row."""
        if sub_objs:
            refuse_to_write(self.view, "delete")
