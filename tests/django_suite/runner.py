"""A test runner that makes the tables and the views, and notes which test has queried a view."""

from __future__ import annotations

import json
import os
import traceback
import unittest
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.base.introspection import BaseDatabaseIntrospection
from django.db.models.signals import pre_migrate
from django.test.runner import DiscoverRunner

from orm_views_core.conf import default_schema
from orm_views_core.sync import sync_views
from orm_views_core.views.registry import registry

from .conversion import Converted

converted = Converted()
_mark = ""


class Outcomes(unittest.TextTestResult):
    """What came of each test, and whether it has queried a view."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: dict[str, dict[str, Any]] = {}

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self.found[test.id()] = {"outcome": "passed", "queries": 0, "error": ""}
        _Watch.current = self.found[test.id()]

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        _Watch.current = None
        super().stopTest(test)

    def _note(self, test: Any, outcome: str, error: Any) -> None:
        entry = self.found.setdefault(test.id(), {"outcome": outcome, "queries": 0, "error": ""})
        if entry["outcome"] == "passed":
            text = error if isinstance(error, str) else "".join(traceback.format_exception(*error))
            entry |= {"outcome": outcome, "error": text}

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addError(test, err)
        self._note(test, "failed", err)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addFailure(test, err)
        self._note(test, "failed", err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        super().addExpectedFailure(test, err)
        self._note(test, "expected failure", err)

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        super().addUnexpectedSuccess(test)
        self._note(test, "failed", "unexpected success")


class _Watch:
    """Counts the statements of a test that name a view."""

    current: dict[str, Any] | None = None

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self.current is not None and _mark in str(sql):
            self.current["queries"] += 1
        return execute(sql, params, many, context)


class ViewRunner(DiscoverRunner):
    """Django's runner, over views unless ``DJANGO_SUITE_TABLES`` is set."""

    def get_resultclass(self) -> Any:
        return Outcomes

    def setup_databases(self, **kwargs: Any) -> Any:
        global _mark
        pre_migrate.connect(_create_collation)
        old = super().setup_databases(**kwargs)
        _mark = f'"{default_schema()}".'
        for connection in connections.all():
            connection.execute_wrappers.append(_Watch())
        if converted.tables:
            kept = _kept()
            aliases = {connection.alias for connection, *_ in old}
            for model in kept:
                model._meta.managed = True
            for alias in aliases:
                _create_tables(alias)
            _hand_tables_to_flush()
            sync_views()
            for alias in aliases - {"default"}:
                _copy_views(alias)
        return old

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        result = super().run_suite(suite, **kwargs)
        report = {
            "tests": result.found,
            "views": sorted(converted.views),
            "kept": converted.kept,
        }
        Path(os.environ["DJANGO_SUITE_REPORT"]).write_text(json.dumps(report, indent=1))
        return result


def install() -> None:
    """Make views of the models of all test apps."""
    for view in registry.views():
        registry.unregister(view)
    for config in list(apps.get_app_configs()):
        if not config.name.startswith(("django.", "orm_views_")):
            converted.convert(config)
    opts = (model._meta for model in converted.tables)
    converted.tables = [o.model for o in opts if o.managed and not (o.proxy or o.swapped)]
    for model in _kept():
        model._meta.managed = False  # its table is made below, together with the others


def _kept() -> list[Any]:
    """Return the models that have stayed tables, as the tests know them."""
    kept = {model._meta.label: model for model in apps.get_models() if model._meta.label in converted.kept}
    made = {table._meta.label for table in converted.tables}
    return [model for label, model in kept.items() if label in made]


def _create_collation(using: str, **kwargs: Any) -> None:
    """Create what tables of Django's tests need, and a server without ICU does not have."""
    with connections[using].cursor() as cursor:
        cursor.execute('CREATE COLLATION IF NOT EXISTS "sv-x-icu" FROM "C"')


def _create_tables(alias: str) -> None:
    with connections[alias].schema_editor() as editor:
        for model in converted.tables:
            # An automatic one comes with the model whose field it belongs to.
            if not model._meta.auto_created and model._meta.can_migrate(alias):
                editor.create_model(model)


def _hand_tables_to_flush() -> None:
    """Let the tables below the views be emptied after a test, as those of models are."""
    original = BaseDatabaseIntrospection.django_table_names

    def names(self: Any, only_existing: bool = False, include_views: bool = True) -> list[str]:
        labels = {config.label for config in apps.get_app_configs()}
        made = [model._meta for model in converted.tables if model._meta.can_migrate(self.connection)]
        below = {opts.db_table for opts in made if opts.app_label in labels}
        return sorted({*original(self, only_existing, include_views), *below})

    BaseDatabaseIntrospection.django_table_names = names  # type: ignore[method-assign]


def _copy_views(alias: str) -> None:
    """Create the views of the default database in another one, which tests read too."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT format('CREATE VIEW %%I.%%I AS %%s', schemaname, viewname, definition)"
            " FROM pg_views WHERE schemaname = %s",
            [default_schema()],
        )
        statements = [sql for (sql,) in cursor.fetchall()]
    with connections[alias].cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{default_schema()}"')
        for statement in statements:
            cursor.execute(statement)
