"""The registered view classes of a project, and the import of the modules that declare them."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

from django.utils.module_loading import autodiscover_modules

from orm_views_core.conf import view_modules
from orm_views_core.exceptions import ViewModuleError
from orm_views_core.quoting import Quoting, because
from orm_views_core.sentences import Sentence, listed, says

from .engines import spelling_at, why_skipped
from .options import ViewOptions

_versions = count()


class _OfDatabase(NamedTuple):
    """The classes of a database, in the order of their declaration."""

    views: list[type]
    skipped: list[type]


class Registry:
    """The view classes in the order of their declaration.

    Attributes:
        version: a number that changes with every change of the registry.
    """

    def __init__(self) -> None:
        self._classes: dict[tuple[object, ...], type] = {}
        self._by_database: tuple[int | None, dict[str, _OfDatabase]] = None, {}
        self._changed()

    def _changed(self) -> None:
        self.version = next(_versions)

    def register(self, view: type) -> None:
        """Add a view class. It replaces the class of the same class statement, if its module was reloaded."""
        self._classes[self._statement(view)] = view
        self._changed()

    def unregister(self, view: type) -> None:
        """Remove a view class.

        Raises:
            KeyError: the class is not registered.
        """
        del self._classes[self._statement(view)]
        self._changed()

    @staticmethod
    def _statement(view: type) -> tuple[object, ...]:
        statement = ViewOptions(view).statement
        return view.__module__, view.__qualname__, statement and statement.key

    def views(self, database: str | None = None) -> list[type]:
        """Return the view classes of one database, or of all. Those that it skips are only among all."""
        if database is None:
            return list(self._classes.values())
        found = self._databases().get(database)
        return list(found.views) if found else []

    def skipped(self, database: str) -> list[type]:
        """Return the classes that are for other engines than that of their database."""
        found = self._databases().get(database)
        return list(found.skipped) if found else []

    def databases(self) -> list[str]:
        """Return the aliases of the databases that have views, in the order of their first view.

        One whose views are all skipped may have views of an earlier sync, if its engine can have any.
        """
        return [a for a, found in self._databases().items() if found.views or spelling_at(a)]

    def _databases(self) -> dict[str, _OfDatabase]:
        version = self.version  # read first: another thread may register a class meanwhile
        known, found = self._by_database
        if known != version:
            found = {}
            for view in list(self._classes.values()):
                alias = ViewOptions(view).database
                of_database = found.setdefault(alias, _OfDatabase([], []))
                (of_database.skipped if why_skipped(view, alias) else of_database.views).append(view)
            self._by_database = version, found
        return found

    @contextmanager
    def isolated(self) -> Iterator[Registry]:
        """Empty the registry, and restore its content at the end. For tests."""
        kept, self._classes = self._classes, {}
        self._changed()
        try:
            yield self
        finally:
            self._classes = kept
            self._changed()


registry = Registry()


def register_all_views() -> None:
    """Import the modules (or packages) that declare views: ``postgres_views`` and ``database_views``.

    An app may have both, one or none of them. ``ORM_VIEWS["MODULE"]`` names another one in their place.

    Raises:
        ViewModuleError: such a module exists and its import fails. A missing module is not an error. A failed
            import is one: otherwise the views of the app would look deleted, and a sync would drop them.
    """
    modules = view_modules()
    try:
        with _collecting_later():
            autodiscover_modules(*modules)
    except Exception as error:
        where = _where_it_broke(error, modules)
        advice = says("Fix that module. Until then no view is synced, because its views would look deleted.")
        what = because(says("%(where)s cannot be imported", where=where), error)
        whole = says("%(what)s. %(advice)s", what=what, advice=advice)
        raise ViewModuleError(Quoting(whole, listed([what.rest, advice], " "))) from error


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Do without Python's garbage collector in a block. It would look at the classes in vain: they stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _where_it_broke(error: Exception, modules: Sequence[str]) -> Sentence:
    """Return the file and line of the module of views in the traceback of an import error."""
    if isinstance(error, SyntaxError) and error.filename:
        return says("%(file)s, line %(line)s,", file=error.filename, line=error.lineno)
    markers = ["/" + module.replace(".", "/") for module in modules]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = frame.filename.replace("\\", "/")
        if any(path.endswith(marker + ".py") or marker + "/" in path for marker in markers):
            return says("%(file)s, line %(line)s,", file=frame.filename, line=frame.lineno)
    return says("A %(module)s module", module=listed(modules, " or "))
