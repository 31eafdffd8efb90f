"""Without any mark the guard costs nothing: no query, and no import."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.engines.postgresql.rules import catalog, readers
from orm_views_core.sync import inputs, sync_views
from tests.core.keeping import declare

pytestmark = pytest.mark.django_db

_SYNC = """
import sys, django
django.setup()
from django.db import connections
from orm_views_core.privacy import marks
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL
from orm_views_core.views.registry import registry
from tests.demo.lending.models import Customer

connections["default"].settings_dict["NAME"] = {name!r}
marks._used = {is_used}
with registry.isolated():
    attributes = {{"sql": "SELECT 1 AS a", "__module__": "tests.x", "schema": "of_cost"}}
    type("V", (PostgresViewFromSQL,), attributes)
    (result,) = sync_views(databases=["default"])
assert [step.target for step in result.plan.steps] == ["of_cost", "of_cost.v"], result
print(*sorted(name for name in sys.modules if name.startswith("orm_views_core.")))
"""


def modules_after_a_sync(is_used: bool) -> set[str]:
    """The modules of this package that a process has imported when it has synced a view."""
    code = _SYNC.format(name=connection.settings_dict["NAME"], is_used=is_used)
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS of_cost CASCADE")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def of_the_guard(modules: set[str]) -> set[str]:
    return {
        name
        for name in modules
        if name.startswith(("orm_views_core.lineage", "orm_views_core.engines.postgresql.rules"))
    }


@pytest.mark.django_db(transaction=True)
def test_a_sync_without_marks_imports_neither_lineage_nor_the_reading_of_rules():
    modules = modules_after_a_sync(is_used=False)
    assert {name for name in modules if name.startswith("orm_views_core.privacy.")} == {
        "orm_views_core.privacy.guarded",
        "orm_views_core.privacy.marks",
    }
    assert of_the_guard(modules) == set()


@pytest.mark.django_db(transaction=True)
def test_a_sync_with_marks_does():
    modules = modules_after_a_sync(is_used=True)
    assert "orm_views_core.privacy.plans" in modules
    assert "orm_views_core.engines.postgresql.rules.catalog" in of_the_guard(modules)


def queries_of_a_sync(registered) -> list[str]:
    """The queries of a sync that creates, changes and drops views, as texts without random names."""
    views = [declare("V", "SELECT id, city FROM lending_customer"), declare("Gone", "SELECT 1 AS a")]
    declare("W", "SELECT city FROM views.v", materialised=True)
    with CaptureQueriesContext(connection) as queries:
        sync_views()
        for view in views:
            registered.unregister(view)
        declare("V", "SELECT city, id FROM lending_customer")
        declare("New", "SELECT 2 AS a")
        sync_views()
        sync_views()
    return [re.sub(_RANDOM, "…", query["sql"]) for query in queries]


#: Names of staging schemas and savepoints, oids, and all constants.
_RANDOM = r"""orm_views_staging_\w+|"s\d+_x\d+"|\b\d{4,}\b|'[^']*'"""
_OF_GUARD = (catalog._RULES, readers._READERS, readers._COLUMNS, readers._DEFAULTS)


@pytest.mark.parametrize("is_used", [False, True])
def test_a_sync_sends_the_queries_of_the_guard_only_with_marks(registered, mark, is_used):
    if is_used:
        mark("email")
    declare("V", "SELECT id, city FROM lending_customer")
    with CaptureQueriesContext(connection) as queries:
        sync_views()
    sent = "".join(query["sql"] for query in queries)
    assert [text.partition("%(")[0] in sent for text in _OF_GUARD] == [is_used] * 4


def test_a_sync_without_marks_sends_the_same_queries_as_one_without_the_guard(registered, monkeypatch):
    with_guard = queries_of_a_sync(registered)
    for view in list(registered.views()):
        registered.unregister(view)
    sync_views(allow_drop_all=True)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA views CASCADE")
    monkeypatch.setattr(inputs, "plan_guard", lambda *arguments: None)
    assert queries_of_a_sync(registered) == with_guard


def test_the_guard_sends_as_many_queries_for_many_views_as_for_one(registered, mark, analyst):
    mark("email")

    def sent() -> int:
        sync_views()
        with CaptureQueriesContext(connection) as queries:
            (result,) = sync_views()
        assert result.plan.steps == result.plan.problems == ()
        return len(queries)

    declare("V", "SELECT id, email FROM lending_customer", exposes=("email",), grant_select_to=[analyst])
    of_one = sent()
    for number in range(10):
        declare(f"V{number}", "SELECT email FROM views.v", exposes=("email",), grant_select_to=[analyst])
    assert sent() == of_one
