"""The view classes of a project, by database, and finding the modules that declare them."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import autodiscover_modules

from orm_views_core.conf import import_time_settings
from orm_views_core.exceptions import ViewModuleError
from orm_views_core.names import declared


class Registry:
    """View classes in the order in which they were declared."""

    def __init__(self) -> None:
        self._classes: dict[tuple[object, ...], type] = {}

    def register(self, view: type) -> None:
        """Add a view class. One of the same class statement is replaced: its module was reloaded."""
        self._classes[self._statement(view)] = view

    def unregister(self, view: type) -> None:
        """Take a view class out again.

        Raises:
            KeyError: when it is not registered.
        """
        del self._classes[self._statement(view)]

    @staticmethod
    def _statement(view: type) -> tuple[object, ...]:
        return view.__module__, view.__qualname__, vars(view).get("_view_source")

    def views(self, database: str | None = None) -> list[type]:
        """Return the view classes of one database, or of all."""
        return [
            view
            for view in self._classes.values()
            if database is None or declared(view, "database", DEFAULT_DB_ALIAS) == database
        ]

    def databases(self) -> list[str]:
        """Return the aliases of the databases that have views, in the order of their first view."""
        return list(dict.fromkeys(declared(v, "database", DEFAULT_DB_ALIAS) for v in self.views()))

    @contextmanager
    def isolated(self) -> Iterator[Registry]:
        """Start empty, and come back to the present content at the end: for tests."""
        kept, self._classes = self._classes, {}
        try:
            yield self
        finally:
            self._classes = kept


registry = Registry()


def register_all_views() -> None:
    """Import the ``postgres_views`` module (or package) of every app that has one.

    Raises:
        ViewModuleError: when such a module exists and cannot be imported. A missing one is no error;
            a broken import inside one is, because the app's views would silently be taken for dropped.
    """
    module = import_time_settings().MODULE
    try:
        autodiscover_modules(module)
    except Exception as error:
        where = _where_it_broke(error, module)
        raise ViewModuleError(
            f"{where} cannot be imported: {type(error).__name__}: {error}. Mend that module; until then no "
            "view is synced, because its views would look as if they had been deleted."
        ) from error


def _where_it_broke(error: Exception, module: str) -> str:
    """Name the file and line of the views module that an import error came through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno},"
    marker = "/" + module.replace(".", "/")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = frame.filename.replace("\\", "/")
        if path.endswith(marker + ".py") or marker + "/" in path:
            return f"{frame.filename}, line {frame.lineno},"
    return f"A {module} module"
