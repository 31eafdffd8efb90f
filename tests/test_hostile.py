"""The watch of the hostile suite notices what it is there for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from tests import hostile

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("HOSTILE" in os.environ, reason="the databases are hostile already"),
]


@pytest.fixture
def noted() -> Iterator[Callable[..., list[str]]]:
    """A function that sends SQL as a module of ours or of others would, and returns what was noted."""
    connection = connections["default"]
    hostile.install(connection, types=("int4", "text"), few=())
    watch = hostile.Watch(connection)

    def send(sql: str, module: str = "orm_views_core/names.py") -> list[str]:
        code = compile("cursor.execute(sql)", str(hostile.ROOT / module), "exec")
        with connection.execute_wrapper(watch), connection.cursor() as cursor:
            if hasattr(connection.connection, "add_notice_handler"):
                connection.connection.add_notice_handler(watch.hear)
            exec(code, {"cursor": cursor, "sql": sql})
        found = list(hostile.captured)
        hostile.captured.clear()
        return found

    yield send
    hostile.captured.clear()


CAPTURED = "SELECT 1 || 'x'::pg_catalog.text"


def test_a_statement_of_ours_that_is_captured(noted):
    unqualified, called = noted(CAPTURED)
    assert unqualified.startswith("orm_views_core/names.py:1 does not qualify ||:")
    assert "called ||(int4,text) used=f" in called


def test_the_search_path_of_our_own_statements(noted):
    noted("SET LOCAL search_path = pg_catalog, pg_temp")
    assert noted(CAPTURED) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT lower('x')",
        "SELECT '1'::text",
        "SELECT 1 IN (1)",
        "SELECT 1 WHERE 'a' LIKE 'b'",
        "SELECT count(*)",
    ],
)
def test_what_is_not_qualified_is_noted_although_nothing_captures_it(noted, sql):
    assert len(noted(sql)) == 1


def test_what_is_qualified_may_be_sent_along_any_path(noted):
    sql = "SELECT pg_catalog.lower('x ||'), 1 OPERATOR(pg_catalog.+) 1, '1'::int, greatest(1, 2), count FROM "
    assert noted(sql + "(SELECT 1 AS count) AS one") == []


def test_statements_of_others_and_of_the_project_are_their_own(noted):
    assert noted(CAPTURED, "tests/somewhere.py") == []
    assert noted(f"CREATE TEMP TABLE made AS {CAPTURED} AS x") == []


def test_a_view_that_uses_an_operator_may_be_read(noted):
    noted(f"CREATE TEMP VIEW made AS {CAPTURED} AS x")
    assert noted("SELECT x FROM made") == []
