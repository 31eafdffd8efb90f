"""The examples in the docstrings of everything public, and on the pages of the reference, say what is true.

They are run on the lender's views and data. Within an example the lender's app is called ``lending``, as in a
project.
"""

from __future__ import annotations

import doctest
import inspect
import re
import sys
import unittest
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.db import connections
from django.test import TestCase

from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry
from tests.demo import data
from tests.public import facts

LENDING = "tests.demo.lending"
#: A block of Python on a page.
_BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the docstrings of public modules and names, each under the name that it is found by."""
    for module in set(facts.NAMES) - facts.UNLOADED:
        yield module, import_module(module).__doc__ or ""
    for module, name, thing in facts.public():
        if inspect.isfunction(thing) or isinstance(thing, type):
            yield f"{module}.{name}", inspect.getdoc(thing) or ""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the blocks of each page of the reference that show a prompt."""
    for page in sorted((facts.ROOT / "docs" / "reference").rglob("*.md")):
        yield page.relative_to(facts.ROOT).as_posix(), "\n".join(_BLOCK.findall(page.read_text()))


EXAMPLES = {name: text for name, text in sorted([*docstrings(), *pages()]) if ">>> " in text}


class Examples(TestCase):
    """Each example finds the lender's views and data as they were before the others."""

    databases = "__all__"

    @classmethod
    def setUpTestData(cls) -> None:
        data.load(connections["default"], scale=0.001)
        sync_views()

    def setUp(self) -> None:
        modules = {name: import_module(f"{LENDING}.{name}") for name in ("models", "postgres_views")}
        known = {
            "lending": import_module(LENDING),
            **{f"lending.{name}": each for name, each in modules.items()},
        }
        app = patch.dict(sys.modules, known)
        app.start()
        self.addCleanup(app.stop)
        self.addCleanup(self.forget, registry.views(), set(apps.all_models["lending"]))

    def forget(self, views: list[type], models: set[str]) -> None:
        """Forget the classes of an example."""
        for view in registry.views():
            if view not in views:
                registry.unregister(view)
        for model in set(apps.all_models["lending"]) - models:
            del apps.all_models["lending"][model]
        apps.clear_cache()

    def check(self, name: str) -> None:
        """Run an example. A class that is written in it is one of the app; if it has tests, these are run."""
        globs: dict[str, Any] = {"__name__": f"{LENDING}.postgres_views"}
        example = doctest.DocTestParser().get_doctest(EXAMPLES[name], globs, name, None, None)
        printed: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        result = runner.run(example, out=printed.append, clear_globs=False)
        assert not result.failed, "".join(printed)
        for case in list(example.globs.values()):
            if isinstance(case, type) and issubclass(case, TestCase) and case.__module__.startswith(LENDING):
                for method in unittest.defaultTestLoader.getTestCaseNames(case):
                    getattr(case(method), method)()


def _add(name: str) -> None:
    setattr(Examples, f"test_{name}", lambda self: self.check(name))


for _name in EXAMPLES:
    _add(_name)


def test_everything_that_is_called_or_subclassed_has_an_example():
    made_for_projects = {"orm_views_core.views", "orm_views_core.routers", "orm_views_core.testing"}
    without_need = {"BasePostgresView", "BaseView", "ParameterisedSQL"}
    missing = [
        f"{module}.{name}"
        for module, name, thing in facts.public()
        if (inspect.isfunction(thing) or module in made_for_projects) and name not in without_need
        if f"{module}.{name}" not in EXAMPLES
    ]
    assert missing == []
    assert {"orm_views_core.signals", "orm_views_core.exceptions"} <= EXAMPLES.keys()
