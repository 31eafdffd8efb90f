"""Staging schemas: each one stands directly before its real schema in the search path."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections, transaction

from orm_views_core.database.staging import staging_schemas
from orm_views_core.engines.postgresql.staging import create_staging, staged_first


def test_each_schema_has_one_in_their_order_whatever_it_is_called():
    assert staging_schemas(["views", 'Odd "name"', "views"]) == {
        "views": "orm_views_staging_0",
        'Odd "name"': "orm_views_staging_1",
    }
    assert staging_schemas([]) == {}


def test_a_suffix_makes_them_unlike_any_other():
    assert staging_schemas(["views"], "_c0ffee") == {"views": "orm_views_staging_0_c0ffee"}


@pytest.fixture
def staging(db, execute):
    execute(
        'CREATE SCHEMA views; CREATE SCHEMA "Odd ""name"; CREATE TABLE views.t AS SELECT 1 AS a;'
        'CREATE TABLE "Odd ""name".u AS SELECT 2 AS a'
    )
    schemas = staging_schemas(["views", 'Odd "name'])
    with connections["default"].cursor() as cursor:
        create_staging(cursor, schemas)
    return schemas


def current_path(execute):
    return execute("SELECT current_schemas(false)::text[]")[0][0]


def look_up(staging, path):
    return staged_first(connections["default"].cursor(), staging, path)


def test_a_staged_view_is_found_before_the_one_that_it_stands_for(staging, execute):
    execute('SET LOCAL search_path = "Odd ""name", public, views')
    with look_up(staging, ['Odd "name', "public", "views"]):
        assert current_path(execute) == [
            "orm_views_staging_1",
            'Odd "name',
            "public",
            "orm_views_staging_0",
            "views",
        ]
        assert execute("SELECT a FROM t") == [(1,)], "what is not staged is found as ever"
        execute("CREATE TABLE orm_views_staging_0.t AS SELECT 10 AS a")
        assert execute("SELECT a FROM t") == [(10,)]
    assert execute("SHOW search_path") == [('"Odd ""name", public, views',)]
    assert execute("SELECT a FROM t") == [(1,)]


def test_a_path_without_staged_schemas_is_left_alone(staging, execute):
    before = execute("SHOW search_path")
    with look_up(staging, ["public"]):
        assert execute("SHOW search_path") == before


def test_after_an_error_the_rollback_puts_the_path_back(staging, execute):
    execute("SET LOCAL search_path = public, views")
    with pytest.raises(DatabaseError, match="division by zero"), transaction.atomic():  # noqa: SIM117
        with look_up(staging, ["public", "views"]):
            execute("SELECT 1 / 0")
    assert execute("SHOW search_path") == [("public, views",)]


def test_the_owners_and_grantors_of_what_is_built_there_may_use_it(staging, execute, make_role):
    role = make_role("somebody")
    execute("CREATE VIEW orm_views_staging_0.v AS SELECT 1 AS a")
    execute(f"ALTER VIEW orm_views_staging_0.v OWNER TO {role}; SET LOCAL ROLE {role}")
    assert execute("SELECT a FROM orm_views_staging_0.v") == [(1,)]
    execute("RESET ROLE")
