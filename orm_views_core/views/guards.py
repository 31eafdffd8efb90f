"""Readable views are read, from their own database; writing one raises an error that says what to do."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import DO_NOTHING, PROTECT, RESTRICT, QuerySet

from orm_views_core.conf import routes_reads
from orm_views_core.exceptions import ReadOnlyViewError
from orm_views_core.names import declared


def is_updatable(view: type) -> bool:
    """Say whether a readable view's class allows it to be written through."""
    return bool(declared(view, "updatable", False))


def refuse_to_write(view: Any, operation: str) -> None:
    """Raise an error unless a readable view may be written.

    Args:
        view: its class.
        operation: the method that was called.

    Raises:
        ReadOnlyViewError: when the class does not say ``updatable = True``.
    """
    if not is_updatable(view):
        raise ReadOnlyViewError(
            f"{operation}() of {view._meta.label}: it is the view {view._meta.db_table}, and views are read. "
            "Write to the models that it reads; or, if PostgreSQL can write through it, say updatable = True "
            "on the class."
        )


def read_alias(view: type) -> str | None:
    """Return the alias that a readable view is read from, unless that is left to the database routers."""
    alias = str(declared(view, "database", DEFAULT_DB_ALIAS))
    return alias if alias != DEFAULT_DB_ALIAS and routes_reads() else None


class GuardedModel:
    """What the instances of a readable view have besides those of any model."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row, where the class is updatable."""
        refuse_to_write(type(self), "save")
        if not (args or kwargs.get("using") or self._state.db):  # type: ignore[attr-defined]
            kwargs["using"] = read_alias(type(self))
        super().save(*args, **kwargs)  # type: ignore[misc]

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save the row without what its class adds to that."""
        refuse_to_write(type(self), "save_base")
        super().save_base(*args, **kwargs)  # type: ignore[misc]

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the row, where the class is updatable."""
        refuse_to_write(type(self), "delete")
        return super().delete(*args, **kwargs)  # type: ignore[misc]

    def _save_table(self, *args: Any, **kwargs: Any) -> Any:
        # ``loaddata`` calls Django's own save_base(), past the class and its bases.
        refuse_to_write(type(self), "save")
        return super()._save_table(*args, **kwargs)  # type: ignore[misc]

    # Templates call no method that has this.
    save.alters_data = True  # type: ignore[attr-defined]
    save_base.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]


def _refusing(operation: str) -> Any:
    """Return a method of a QuerySet that goes on to the one behind it, where the view may be written."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_to_write(self.model, operation.lstrip("_"))
        return getattr(super(_GuardedQuerySet, self), operation)(*args, **kwargs)

    method.__name__ = operation
    method.alters_data = True  # type: ignore[attr-defined]  # templates call no method that has this
    return method


class _GuardedQuerySet:
    """Put in front of a QuerySet class. The methods that are not here call one that is, or ``save()``."""

    create = _refusing("create")
    bulk_create = _refusing("bulk_create")
    bulk_update = _refusing("bulk_update")
    get_or_create = _refusing("get_or_create")
    update_or_create = _refusing("update_or_create")
    update = _refusing("update")
    delete = _refusing("delete")
    _raw_delete = _refusing("_raw_delete")

    def __reduce__(self) -> Any:
        # The class is made, and has no name that pickle could find.
        return _unpickle, (type(self).__mro__[2],), self.__getstate__()


class _GuardedManager:
    """Put in front of a manager's class."""

    model: Any

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()  # type: ignore[misc]
        if not isinstance(found, _GuardedQuerySet):
            found.__class__ = _guarded(type(found))
        alias = read_alias(self.model)
        # One that was asked for by using() or db_manager() stays, and so does that of a related instance.
        return found.using(alias) if alias and found._db is None else found  # type: ignore[no-any-return]


_GUARDED: dict[Any, Any] = {}


def _guarded(cls: Any) -> Any:
    """Return a class of the same name with the guard in front of it, always the same one."""
    if cls not in _GUARDED:
        guard = _GuardedQuerySet if issubclass(cls, QuerySet) else _GuardedManager
        said = {"__module__": cls.__module__, "__doc__": cls.__doc__}
        _GUARDED[cls] = type(cls.__name__, (guard, cls), said)
    return _GUARDED[cls]


def _unpickle(cls: Any) -> Any:
    guarded = _guarded(cls)
    return guarded.__new__(guarded)


def guard_manager(manager: Any) -> Any:
    """Have the querysets of a manager read from their view's database, and refuse to write."""
    if not isinstance(manager, _GuardedManager):
        manager.__class__ = _guarded(type(manager))
    return manager


def guard_managers(view: Any) -> None:
    """Have every queryset of a readable view read from its database, and refuse to write.

    Whatever class a manager has, and wherever its querysets come from, they go through ``get_queryset()``.
    """
    opts = view._meta
    inherited = opts.managers[len(opts.local_managers) :]
    for manager in opts.local_managers:
        guard_manager(manager)
    if not all(isinstance(manager, _GuardedManager) for manager in inherited):
        # Those of an abstract model that is no view belong to others as well; these are copies. They come
        # after what is declared here, in the order that they had: the first is the default manager.
        for manager in inherited:
            manager._set_creation_counter()
            view.add_to_class(manager.name, guard_manager(manager))
    opts._expire_cache()


def guard_cascades(view: Any) -> None:
    """Have nothing written to a readable view because a row that it refers to is deleted.

    Django's collector writes with queries of its own, past managers and querysets.
    """
    for field in view._meta.local_fields:
        remote = field.remote_field
        if remote and remote.on_delete not in (DO_NOTHING, PROTECT, RESTRICT) and not is_updatable(view):
            remote.on_delete = RefusedCascade(view, remote.on_delete)


class RefusedCascade:
    """Stands for an ``on_delete`` that would write to a view.

    Attributes:
        said: its name.
    """

    def __init__(self, view: Any, on_delete: Any) -> None:
        self.view = view
        self.said = str(getattr(on_delete, "__name__", on_delete))

    def __call__(self, collector: Any, field: Any, sub_objs: Any, using: str) -> None:
        """Refuse, if any row of the view refers to what is deleted."""
        if sub_objs:
            refuse_to_write(self.view, "delete")
